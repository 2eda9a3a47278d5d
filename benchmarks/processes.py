"""Child processes: run to their end, or kept while a context lasts; knows no benchmark.

All start in the checkout that this package belongs to, so that they import from there.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 10.0
SHOWN = 3_000


class StepFailed(Exception):
    """A step of a benchmark did not do what it is for, so there is nothing to measure."""


def run(command: Sequence[str], *, env: Mapping[str, str], given: IO[bytes] | None = None) -> str:
    """What the command writes to its output. Raises StepFailed, with the end of its errors."""
    done = subprocess.run(
        command, env=env, cwd=ROOT, stdin=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise StepFailed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-SHOWN:]}")
    return done.stdout


def timed(command: Sequence[str], *, env: Mapping[str, str]) -> float:
    """How many seconds the command takes."""
    start = time.perf_counter()
    run(command, env=env)
    return time.perf_counter() - start


@contextmanager
def running(
    command: Sequence[str], *, env: Mapping[str, str], errors: Path | None = None
) -> Iterator[IO[str]]:
    """What the started process writes to its output; it is ended with the context. `errors`: where its log goes."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as output:
        with os.fdopen(writing):
            log = errors.open("w") if errors else None
            process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=writing, stderr=log)
            if log:
                log.close()
        try:
            yield output
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Until something listens there. Raises StepFailed when nothing does in time."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise StepFailed(f"Nothing listens on port {port}.")
