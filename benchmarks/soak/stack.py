"""The product as it runs in production, on its own servers: web processes, workers, database and queue."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from benchmarks.processes import ROOT, free_port, run, wait_for_port
from benchmarks.product import THEIRS
from tests.servers import own_postgresql, own_redis

STACKS = ("sqlite", "postgres")
WEB_PROCESSES, WEB_THREADS, WORKERS = 2, 4, 2
STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What runs: `pids` of the first process of each role, whose children belong to it."""

    url: str
    repositories: tuple[str, ...]
    pids: Mapping[str, int]
    logs: Path
    environment: Mapping[str, str]
    calm: IO[bytes]

    def manage(self, *arguments: str) -> str:
        return run([sys.executable, "manage.py", *arguments], env=self.environment)

    def calm_down(self) -> None:
        """From now on GitHub changes nothing and does not fail."""
        self.calm.close()


@contextmanager
def running(kind: str, directory: Path, *, logs: Path) -> Iterator[Stack]:
    """Everything, while the context lasts."""
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        environment = _environment(directory)
        if kind == "postgres":
            environment["DATABASE_URL"] = stack.enter_context(own_postgresql()).url
            environment["SKILLMEAT_QUEUE_URL"] = stack.enter_context(own_redis()).url
        github = stack.enter_context(
            _process("github", ["-m", "benchmarks.soak.upstream"], environment, logs)
        )
        said: dict[str, Any] = json.loads(_first_line(github))
        environment |= {
            "SKILLMEAT_GITHUB_API_URL": said["api_url"],
            "SKILLMEAT_GITHUB_WEB_URL": said["web_url"],
        }
        run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], env=environment)
        port = free_port()
        web = ["-m", "gunicorn", "skillmeat_site.wsgi", "--bind", f"127.0.0.1:{port}"]
        web += ["--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS), "--keep-alive", "75"]
        pids = {"web": stack.enter_context(_process("web", web, environment, logs)).pid}
        for number in range(WORKERS):
            name = f"worker {number + 1}"
            pids[name] = stack.enter_context(_process(name, ["manage.py", "worker"], environment, logs)).pid
        wait_for_port(port)
        yield Stack(
            url=f"http://127.0.0.1:{port}",
            repositories=tuple(said["repositories"]),
            pids=pids,
            logs=logs,
            environment=environment,
            calm=cast("IO[bytes]", github.stdin),
        )


def _environment(directory: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(THEIRS)}
    return kept | {
        "SKILLMEAT_DATA_DIR": str(directory / "data"),
        "SKILLMEAT_RESCAN_MIN_INTERVAL": "0",
        "SKILLMEAT_THROTTLE_USER": "off",
        "SKILLMEAT_THROTTLE_ANONYMOUS": "off",
    }


@contextmanager
def _process(
    name: str, arguments: list[str], environment: Mapping[str, str], logs: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Python with these arguments; what it says goes into a log, except for the first line of GitHub."""
    with (logs / f"{name}.log").open("wb") as log:
        is_github = name == "github"
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE if is_github else subprocess.DEVNULL,
            stdout=subprocess.PIPE if is_github else log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    return cast("IO[bytes]", process.stdout).readline()
