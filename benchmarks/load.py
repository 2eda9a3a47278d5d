"""Requests at full speed by wrk (https://github.com/wg/wrk), and what it measured."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import StepFailed, run

REPORT = Path(__file__).with_name("report.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a stretch of requests gave."""

    requests: int
    per_second: float
    median_ms: float
    p99_ms: float


def require() -> None:
    """Raises StepFailed where there is no load generator."""
    if shutil.which("wrk") is None:
        raise StepFailed("The load generator wrk is missing: apt-get install wrk (Debian), brew install wrk.")


def measure(address: str, *, token: str = "", connections: int, seconds: int) -> Load:
    """Raises StepFailed when any answer is no 200."""
    header = ["--header", f"Authorization: Bearer {token}"] if token else []
    size = [
        "--timeout",
        "60s",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds}s",
    ]
    said = run(["wrk", *size, *header, "--script", str(REPORT), address], env=dict(os.environ))
    found = json.loads(said.splitlines()[-1])
    if found.pop("errors") or not found["requests"]:
        raise StepFailed(f"{address} did not answer every request:\n{said}")
    return Load(**found)
