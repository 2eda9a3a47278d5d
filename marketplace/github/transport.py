"""Getting one complete answer from GitHub's API or from where it redirects; knows no endpoint.

Nothing of what `requests` raises leaves this room, and no message quotes it: both may hold a redirect's
URL, and the one to a private repository's archive has a token in its query.
"""

import logging
import random
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import IO, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from marketplace.github.deadline import Deadline
from marketplace.github.errors import BadAnswer, failure, number, reset_at
from marketplace.github.limits import Limits
from marketplace.repository import (
    RepositoryError,
    RepositoryNotFound,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnavailable,
    Usage,
)

# urllib3 logs every URL with its query at DEBUG, and at WARNING those whose headers it cannot parse.
logging.getLogger("urllib3").setLevel(logging.ERROR)

USER_AGENT = "SkillMeat"
API_VERSION = "2022-11-28"
TRIES = 3
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
DEFAULT_PORT = {"http": 80, "https": 443}
CHUNK = 64 * 1024
OK, NOT_MODIFIED, SERVER_ERROR = 200, 304, 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A GET of a percent-encoded path below the API's URL: at most `limit` bytes, within `seconds` in all.

    `absent` is what a 404 means; `too_large` is the hint when there are more bytes.
    """

    path: str
    accept: str
    limit: int
    seconds: float
    tries: int = TRIES
    absent: type[RepositoryError] = RepositoryNotFound
    too_large: str = "Nothing was changed. GitHub never sends that much; look at what answers in its place."
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"GET {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole 200, or a 304 to a conditional question. The body is empty where it went into a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Session(requests.Session):
    """Takes nothing from the environment (proxies, netrc) and leaves redirects alone."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()

    def get_redirect_target(self, resp: requests.Response) -> None:
        """No target: else requests reads the redirect's whole body and parses its Location by itself."""


class Transport:
    """Asks as often as is sensible, and keeps count. Not for use by two threads at once."""

    def __init__(
        self, *, api_url: str, token: str | None, limits: Limits, backoff: float, pulse: Callable[[], None]
    ) -> None:
        self.usage = Usage()
        self.moved = False
        self._api_url = api_url.rstrip("/")
        self._token = token
        self._limits = limits
        self._backoff = backoff
        self._pulse = pulse
        self._session = Session()

    def ask(
        self, question: Question, *, understand: Callable[[Answer], T], into: IO[bytes] | None = None
    ) -> T:
        """What `understand` makes of the answer, whose body is written `into` a file if one is given.

        Tried again are connection errors, timeouts, cut bodies, 5xx, and answers for which `understand`
        raises BadAnswer; RepositoryUnavailable when no try is left. Other answers raise what they mean.
        """
        deadline = Deadline(question.seconds)
        reason, tried = "", 0
        while tried < question.tries and deadline.left:
            self._pause(tried, deadline)
            tried += 1
            try:
                return understand(self._answer(question, deadline, into))
            except (BadAnswer, requests.RequestException, urllib3.exceptions.HTTPError) as error:
                reason = _reason(error) if deadline.left else deadline.passed
        times = "time" if tried == 1 else "times"
        raise RepositoryUnavailable(f"{question} was tried {tried} {times}; at last GitHub {reason}.")

    def _pause(self, tried: int, deadline: Deadline) -> None:
        """Exponential back-off, with jitter so that jobs that failed together do not come back together."""
        if tried:
            delay = self._backoff * 2 ** (tried - 1) * random.uniform(0.5, 1.5)  # noqa: S311  no secret
            time.sleep(min(delay, deadline.left))

    def _answer(self, question: Question, deadline: Deadline, into: IO[bytes] | None) -> Answer:
        with closing(self._follow(question, deadline)) as response, deadline.interrupting(response):
            status, headers = response.status_code, response.headers
            spool = into if into is not None and status == OK else BytesIO()
            self._receive(response, spool, question)
        body = spool.getvalue() if isinstance(spool, BytesIO) else b""
        if headers.get("Content-Encoding") == "gzip":
            body = _inflated(body, question)
        if status >= SERVER_ERROR:
            raise BadAnswer(f"answered {status}")
        if status != OK and not (status == NOT_MODIFIED and "If-None-Match" in question.headers):
            raise failure(
                status=status,
                headers=headers,
                body=self._without_token(body),
                asked=str(question),
                absent=question.absent,
                now=datetime.now(UTC),
            )
        return Answer(status=status, headers=headers, body=body)

    def _without_token(self, body: bytes) -> bytes:
        """A host may repeat the token in its refusal, and what it says is shown to people."""
        return body.replace(self._token.encode(), b"(token)") if self._token else body

    def _follow(self, question: Question, deadline: Deadline) -> requests.Response:
        """The first answer that is no redirect, its body unread."""
        url = self._api_url + question.path
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(url, question, deadline)
            location = response.headers.get("Location")
            if response.status_code not in REDIRECTS or not location:
                self._count(response)
                return response
            self._note_quota(response)
            response.close()
            target = _target(url, location, question)
            self.moved |= response.status_code in PERMANENT and self._is_api(target)
            url = target
        raise RepositoryError(f"{question} was redirected more than {MAX_REDIRECTS} times.")

    def _send(self, url: str, question: Question, deadline: Deadline) -> requests.Response:
        timeout = urllib3.Timeout(
            connect=self._limits.connect_seconds, read=self._limits.read_seconds, total=deadline.check()
        )
        headers = self._headers(url, question)
        return self._session.get(url, headers=headers, timeout=timeout, stream=True, allow_redirects=False)  # type: ignore[arg-type]  # requests documents urllib3's Timeout, its stubs do not

    def _headers(self, url: str, question: Question) -> dict[str, str]:
        headers = {
            "Accept": question.accept,
            "Accept-Encoding": "gzip",
            "User-Agent": USER_AGENT,
            "X-GitHub-Api-Version": API_VERSION,
            **question.headers,
        }
        if self._token and self._is_api(url):
            if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
                raise RepositoryRefused("The token contains characters that no GitHub token has.")
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def _is_api(self, url: str) -> bool:
        return _origin(url) == _origin(self._api_url)

    def _count(self, response: requests.Response) -> None:
        self.usage.requests += 1
        self._note_quota(response)

    def _note_quota(self, response: requests.Response) -> None:
        remaining = number(response.headers.get("X-RateLimit-Remaining"))
        if remaining is not None:
            self.usage.remaining = remaining
            self.usage.resets_at = reset_at(response.headers, datetime.now(UTC))

    def _receive(self, response: requests.Response, spool: IO[bytes], question: Question) -> None:
        """The body as it came over the wire, in place of what an earlier try may have left in the file."""
        spool.seek(0)
        spool.truncate()
        received = 0
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            received += len(chunk)
            self.usage.bytes += len(chunk)
            if received > question.limit:
                raise _too_large(question)
            spool.write(chunk)
            self._pulse()


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORT.get(parts.scheme)


def _target(url: str, location: str, question: Question) -> str:
    """Where a redirect leads: to http(s) only, and never from https to http."""
    try:
        target = urljoin(url, location)
        scheme, host, _ = _origin(target)
    except ValueError:
        scheme, host, target = "", "", ""
    if not host or scheme not in DEFAULT_PORT or (scheme == "http" and urlsplit(url).scheme == "https"):
        raise RepositoryError(f"{question} was redirected to an address that is not followed.")
    return target


def _inflated(body: bytes, question: Question) -> bytes:
    stream = zlib.decompressobj(wbits=31)  # 31: a gzip header and trailer (zlib.h, inflateInit2)
    try:
        data = stream.decompress(body, question.limit + 1)
    except zlib.error:
        raise BadAnswer("sent a damaged body") from None
    if len(data) > question.limit:
        raise _too_large(question)
    if not stream.eof:
        raise BadAnswer("cut its answer off")
    return data


def _too_large(question: Question) -> RepositoryTooLarge:
    return RepositoryTooLarge(
        f"The answer to {question} is larger than {question.limit:,} bytes.", hint=question.too_large
    )


def _reason(error: Exception) -> str:
    """How the try failed, by the error's class alone."""
    if isinstance(error, BadAnswer):
        return str(error)
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "did not answer in time"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "cut its answer off"
    if isinstance(error, requests.exceptions.SSLError):
        return "could not prove its identity (TLS)"
    return "could not be reached"
