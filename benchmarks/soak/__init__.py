"""Everything at once for a long time: throughput, latency, errors, memory, and whether any job was lost or doubled.

Readers, scans, refreshes, imports and deploys against web processes and workers, with a GitHub that changes and
fails now and then. With `--stack postgres` on a PostgreSQL and a Redis of its own.
"""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.soak import load, report, stack, verdict
from benchmarks.soak.memory import Memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--stack", choices=stack.STACKS, default=stack.STACKS[0])
    parser.add_argument(
        "--output",
        type=Path,
        help="a directory for report.txt, memory.svg and the logs (default: only the report is printed)",
    )


def run(given: argparse.Namespace) -> int:
    """1 when something is broken."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-soak-") as directory:
        place: Path = given.output or Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        said, is_broken = _soak(given.stack, Path(directory) / "installation", place, minutes=given.minutes)
    sys.stdout.write(said)
    return int(is_broken)


def _soak(kind: str, directory: Path, place: Path, *, minutes: float) -> tuple[str, bool]:
    title, record = f"{kind}, {minutes:g} minutes", load.Record()
    projects = [directory / "data" / "projects" / name for name in ("one", "two", "three")]
    for project in projects:
        project.mkdir(parents=True)
    with stack.running(kind, directory, logs=place / "logs") as up:
        client = load.Client(up.url, record, seed=0)
        scene = load.prepare(client, up.repositories, tuple(map(str, projects)))
        record.seconds.clear()
        memory = Memory(up.pids)
        threading.Thread(target=memory.watch, daemon=True).start()
        load.work(up.url, record, scene, seconds=60 * minutes)
        memory.stop()
        measured = load.Record(seconds={name: [*found] for name, found in record.seconds.items()})
        measured.statuses.update(record.statuses)
        up.calm_down()
        broken = [] if load.settle(client) else ["jobs are still live two minutes after the last request"]
        jobs = verdict.jobs(client)
        broken += verdict.broken(up, client, record, jobs)
    said = report.text(
        title, measured, memory.curves, verdict.outcomes(jobs), seconds=60 * minutes, broken=broken
    )
    (place / "report.txt").write_text(said)
    (place / "memory.svg").write_text(report.picture(title, memory.curves))
    return said, bool(broken)
