"""Database and queue servers of our own on loopback, that may be killed and started again without harm to anybody."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

PATIENCE_SECONDS = 20.0
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
INITDB = shutil.which("initdb") or (POSTGRESQL and str(POSTGRESQL[-1].with_name("initdb"))) or ""
REDIS = shutil.which("redis-server") or ""
PERSON = "postgres"  # who may run PostgreSQL where root may not


class Server:
    """One process that is started, ended and started again with the same data."""

    def __init__(self, command: Sequence[str], *, url: str, answers: Callable[[], object]) -> None:
        self.url = url
        self._command, self._answers = command, answers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Until it answers."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._answers()
            except (psycopg.OperationalError, redis.ConnectionError):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def end(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        if self._process:
            self._process.send_signal(with_signal)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None


@contextmanager
def own_postgresql() -> Iterator[Server]:
    """An empty PostgreSQL. SIGINT stops it as a restart does, SIGQUIT as a crash does."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-postgresql-") as name:
        data, port = Path(name) / "data", free_port()
        if os.geteuid() == 0:
            shutil.chown(name, PERSON)
        made = [INITDB, "-D", str(data), "-U", "root", "--auth=trust", "--locale=C", "-E", "UTF8", "-N"]
        subprocess.run(_as_person(made), check=True, capture_output=True)
        url = f"postgres://root@127.0.0.1:{port}/postgres"
        options = ["-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "timezone=UTC"]
        command = _as_person([str(Path(INITDB).with_name("postgres")), "-D", str(data), *options])
        yield from _served(
            command, url, lambda: psycopg.connect(url, connect_timeout=2).close(), signal.SIGINT
        )


@contextmanager
def own_redis() -> Iterator[Server]:
    """An empty Redis that forgets everything when it ends."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-redis-") as name:
        port = free_port()
        url = f"redis://127.0.0.1:{port}/0"
        command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", name]
        with redis.Redis.from_url(url) as client:
            yield from _served(command, url, client.ping, signal.SIGTERM)


def _served(
    command: Sequence[str], url: str, answers: Callable[[], object], last: signal.Signals
) -> Iterator[Server]:
    server = Server(command, url=url, answers=answers)
    server.start()
    try:
        yield server
    finally:
        server.end(last)


def _as_person(command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return [*command]
    return ["setpriv", f"--reuid={PERSON}", f"--regid={PERSON}", "--clear-groups", *command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
