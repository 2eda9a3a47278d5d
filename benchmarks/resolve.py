"""Resolving a set over HTTP: requests a second of one gunicorn worker process with one thread, five sets deep.

Every artifact is a skill of ten files.
"""

import argparse
import sys
from dataclasses import dataclass

from benchmarks import load
from benchmarks.installation import installed
from benchmarks.processes import StepFailed
from benchmarks.table import printed

SIZES = (50, 500, 3_000)
FILES, DEPTH = 10, 5
CONNECTIONS, SECONDS = 4, 5
BUDGET = (500, 100.0)  # members, and how many requests a second they have to allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    artifacts: int
    requests_per_second: float
    alone_ms: float


COLUMNS = {
    "artifacts": "{0.artifacts:,}".format,
    "requests/s": "{0.requests_per_second:.0f}".format,
    "ms, one at a time": "{0.alone_ms:.1f}".format,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of artifacts")
    parser.add_argument("--json", action="store_true", help="print one JSON object per size")


def run(given: argparse.Namespace) -> int:
    """1 when 500 members are resolved less than a hundred times a second."""
    load.require()
    measured = [_measure(size) for size in given.sizes]
    sys.stdout.write(printed(measured, COLUMNS, as_json=given.json))
    members, least = BUDGET
    return int(any(each.artifacts == members and each.requests_per_second < least for each in measured))


def _measure(size: int) -> Measured:
    with installed(artifacts=size, files=FILES, depth=DEPTH) as installation:
        _, found = installation.send("GET", f"{installation.address}/resolve")
        if found["resolved_count"] != size or found["depth"] != DEPTH:
            raise StepFailed(f"Resolved {found['resolved_count']} artifacts, {found['depth']} deep.")
        address = f"http://127.0.0.1:{installation.port}{installation.address}/resolve"
        alone = load.measure(address, connections=1, seconds=SECONDS)
        crowd = load.measure(address, connections=CONNECTIONS, seconds=SECONDS)
    return Measured(artifacts=size, requests_per_second=crowd.per_second, alone_ms=alone.median_ms)
