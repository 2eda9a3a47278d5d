"""Resolving a set over HTTP: requests a second of one gunicorn worker, five sets deep.

Four clients ask at once, as many as the worker has threads. Every artifact is a skill of ten files.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.installation import THREADS, Installation, installed
from benchmarks.processes import StepFailed
from benchmarks.table import table

SIZES = (50, 500, 3_000)
FILES, DEPTH = 10, 5
SECONDS = 5.0
BUDGET = (500, 100.0)  # members, and how many requests a second they have to allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    artifacts: int
    requests_per_second: float
    alone_ms: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of artifacts")
    parser.add_argument("--json", action="store_true", help="print one JSON object per size")


def run(given: argparse.Namespace) -> int:
    """1 when 500 members are resolved less than a hundred times a second."""
    measured = [_measure(size) for size in given.sizes]
    if given.json:
        for each in measured:
            sys.stdout.write(json.dumps(asdict(each)) + "\n")
    else:
        rows = [
            [f"{each.artifacts:,}", f"{each.requests_per_second:.0f}", f"{each.alone_ms:.1f}"]
            for each in measured
        ]
        sys.stdout.write(table(["artifacts", "requests/s", "ms, one at a time"], rows, left=0) + "\n")
    members, least = BUDGET
    return int(any(each.artifacts == members and each.requests_per_second < least for each in measured))


def _measure(size: int) -> Measured:
    with installed(artifacts=size, files=FILES, depth=DEPTH) as installation:
        _, found = installation.send("GET", f"{installation.address}/resolve")
        if found["resolved_count"] != size or found["depth"] != DEPTH:
            raise StepFailed(f"Resolved {found['resolved_count']} artifacts, {found['depth']} deep.")
        alone = median(installation.send("GET", f"{installation.address}/resolve")[0] for _ in range(20))
        with ThreadPoolExecutor(THREADS) as clients:
            start = time.perf_counter()
            counts = list(clients.map(_ask, [installation] * THREADS, [start + SECONDS] * THREADS))
            seconds = time.perf_counter() - start
    return Measured(artifacts=size, requests_per_second=sum(counts) / seconds, alone_ms=alone * 1000)


def _ask(installation: Installation, until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        installation.send("GET", f"{installation.address}/resolve")
        count += 1
    return count
