"""The sockets: an API origin and, on another port, the origin that archives come from."""

import gzip
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.github import answers
from tests.github.answers import Quota, Request, State
from tests.github.faults import Fault, Faults, Reply, Rule
from tests.github.repositories import Served

API_PREFIX = "/api/v3"  # as on GitHub Enterprise Server
BODILESS = frozenset({204, 304})


class GitHub:
    """A pair of servers, started and stopped as a context manager; it may be changed while it runs."""

    def __init__(self, *repositories: Served, port: int = 0, archive_port: int = 0) -> None:
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._faults = Faults()
        self._state = State(repositories=list(repositories))
        self._servers = [
            Origin(self, answers.api, port=port, prefix=API_PREFIX),
            Origin(self, answers.codeload, port=archive_port),
        ]
        self._state.web_url, self._state.codeload_url = (server.url for server in self._servers)
        self._state.api_url = self._state.web_url + API_PREFIX

    @property
    def api_url(self) -> str:
        return self._state.api_url

    @property
    def web_url(self) -> str:
        return self._state.web_url

    @property
    def codeload_url(self) -> str:
        return self._state.codeload_url

    @property
    def archive_token(self) -> str:
        """The secret in the redirect to a private repository's archive."""
        return self._state.archive_token

    @property
    def quota(self) -> Quota:
        return self._state.quota

    @property
    def tokens(self) -> set[str]:
        """Tokens that are valid but open no private repository."""
        return self._state.tokens

    @property
    def paths(self) -> list[str]:
        """What was asked so far, in order, without queries."""
        return [request.path for request in self.requests]

    def add(self, repository: Served) -> None:
        self._state.repositories.append(repository)

    def rename(self, repository: Served, *, owner: str, name: str) -> None:
        """From now on the old name redirects."""
        self._state.former[f"{repository.owner}/{repository.name}".lower()] = repository
        repository.owner, repository.name = owner, name

    def fail(self, pattern: str, fault: Fault, *, times: int = 1, method: str = "GET") -> None:
        """Let the next `times` requests whose path matches go wrong; rules are used up in the order given."""
        self._faults.add(Rule(pattern=pattern, fault=fault, times=times, method=method))

    def mend(self) -> None:
        """From now on nothing goes wrong any more."""
        self._faults.clear()

    def reply(
        self, request: Request, answer: Callable[[State, Request], Reply]
    ) -> tuple[Reply, Fault | None]:
        self.requests.append(request)
        return answer(self._state, request), self._faults.take(request.method, request.path)

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for server in self._servers:
            with suppress(OSError):  # where it is possible, it wakes the thread before it would look up
                server.socket.shutdown(socket.SHUT_RDWR)
            server.shutdown()
            server.server_close()


class Origin(ThreadingHTTPServer):
    """One host and port."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, github: GitHub, answer: Callable[[State, Request], Reply], *, port: int, prefix: str = ""
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.github, self.answer, self.prefix = github, answer, prefix

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet: a client that hangs up is what many tests are about."""


class Handler(BaseHTTPRequestHandler):
    """One connection; it is also the `Wire` that faults write to."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # head and body are two writes: the second would wait 40 ms for the client's ACK
    )
    timeout = 60
    server: Origin
    connection: socket.socket

    @property
    def stopping(self) -> threading.Event:
        return self.server.github.stopping

    def do_GET(self) -> None:
        reply, fault = self.server.github.reply(self._request(), self.server.answer)
        with suppress(ConnectionError):
            if fault:
                fault.send(reply, self)
                return
            reply = self._compressed(reply)
            self.head(reply)
            self.write(reply.body)

    def head(self, reply: Reply) -> None:
        self.send_response(reply.status, _phrase(reply.status))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in BODILESS:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet: `GitHub.requests` has it all."""

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        return Request(
            method=self.command,
            host=self.headers["Host"],
            path=parts.path.removeprefix(self.server.prefix),
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )

    def _compressed(self, reply: Reply) -> Reply:
        is_json = reply.headers.get("Content-Type") == answers.JSON
        if not is_json or "gzip" not in self.headers.get("Accept-Encoding", ""):
            return reply
        body = gzip.compress(reply.body, mtime=0)
        return replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"}, body=body)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
