"""One installation with a planted catalogue, kept from run to run, and the processes that serve it."""

import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from benchmarks.processes import ROOT, StepFailed, free_port, run, running

THEIRS = ("SKILLMEAT_", "DATABASE_URL", "GITHUB_TOKEN", "DJANGO_")
START_SECONDS = 120.0  # the reference asks the product once for each address
KB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running web process."""

    address: str
    pid: int
    start_seconds: float

    def peak_bytes(self) -> int:
        """The most memory that the worker had resident."""
        status = Path(f"/proc/{self._worker()}/status").read_text()
        return next(int(line.split()[1]) * KB for line in status.splitlines() if line.startswith("VmHWM:"))

    def cpu_seconds(self) -> float:
        """What the worker has used of a processor so far, in user and in kernel mode (proc(5))."""
        fields = Path(f"/proc/{self._worker()}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _worker(self) -> str:
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0]


class Installation:
    """A data directory and a database; planted when it is first used."""

    def __init__(self, directory: Path, *, sources: int, postgresql: str = "") -> None:
        self._directory = directory / f"{'postgresql' if postgresql else 'sqlite'}-{sources}"
        self._sources = sources
        self._server = postgresql
        self._name = f"skillmeat_reads_{sources}"
        self._planted = self._directory / "planted.json"
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(THEIRS)} | {
            "SKILLMEAT_DATA_DIR": str(self._directory),
            "SKILLMEAT_THROTTLE_USER": "10000000/min",  # counted, and never used up
        }
        if postgresql:
            self._environment["DATABASE_URL"] = urlsplit(postgresql)._replace(path=f"/{self._name}").geturl()

    def prepare(self, *, again: bool) -> None:
        """Plant the catalogue unless it is there."""
        if self._planted.exists() and not again:
            return
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        if self._server:
            self._create_database()
        run([sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"], env=self._environment)
        said = run(
            [sys.executable, "-m", "benchmarks.reads.plant", str(self._sources)], env=self._environment
        )
        self._planted.write_text(said)

    def _create_database(self) -> None:
        name = sql.Identifier(self._name)
        admin = urlsplit(self._server)._replace(scheme="postgresql", path="/postgres").geturl()
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))

    @property
    def token(self) -> str:
        return str(json.loads(self._planted.read_text())["token"])

    @contextmanager
    def serving(
        self, application: str, *, threads: int, multi_user: bool, extra: dict[str, str] | None = None
    ) -> Iterator[Server]:
        """One gunicorn worker process with this WSGI application, while the context lasts."""
        port = free_port()
        pid_file = self._directory / f"gunicorn-{port}.pid"
        log = pid_file.with_suffix(".log")
        environment = self._environment | (extra or {})
        if multi_user:
            environment |= {"SKILLMEAT_AUTH": "multi-user", "SKILLMEAT_SECRET_KEY": "benchmark" * 8}
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            application,
            "--workers",
            "1",
            "--threads",
            str(threads),
            "--timeout",
            "300",
        ]
        place = ["--bind", f"127.0.0.1:{port}", "--pid", str(pid_file)]
        started = time.perf_counter()
        with log.open("w") as errors, running([*command, *place], env=environment, errors=errors):
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/healthz", log)
            seconds = time.perf_counter() - started
            yield Server(address=address, pid=int(pid_file.read_text()), start_seconds=seconds)


def _wait(address: str, log: Path) -> None:
    """Until it is answered in whatever way."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            opener.open(address, timeout=START_SECONDS).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise StepFailed(f"The server did not start:\n{log.read_text()[-2_000:]}")
