"""Scans of a source: requests, bytes, seconds and memory, from 10 artifacts to 10,000 and to 500 MB.

Each repository is scanned three times: first, unchanged, and with one file changed. The first scan is
compared with a shallow clone and with unpacking the archive, both of the same repository in the same run.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import git, github
from benchmarks.processes import StepFailed, timed
from benchmarks.product import Attempt, Product, idle_peak_bytes
from benchmarks.repositories import Shape, changed, files_of, first_skill
from benchmarks.table import table

MB = 1_000_000
FIRST, UNCHANGED, CHANGED = "first", "unchanged", "one changed"
REQUESTS = {FIRST: 3, UNCHANGED: 1, CHANGED: 3}
PEAK_BYTES = 200 * MB

SIZES = ("10", "100", "1000", "10000")
LARGE = {
    "many-files": Shape(artifacts=1_000, files=100_000),
    "large-files": Shape(artifacts=500, binary_bytes=500 * MB),
}
QUICK_SIZES = SIZES[:2]
QUICK_LARGE = {
    "many-files": Shape(artifacts=100, files=5_000),
    "large-files": Shape(artifacts=50, binary_bytes=25 * MB),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    name: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One scan; the two last are known of first scans only."""

    repository: str
    scan: str
    expected_artifacts: int
    attempt: Attempt
    clone_seconds: float | None = None
    unpack_seconds: float | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sizes",
        metavar="LIST",
        help=f"numbers of artifacts, and {' or '.join(LARGE)}, separated by commas (default: all)",
    )
    parser.add_argument("--quick", action="store_true", help="two small sizes, and the large ones small")
    parser.add_argument("--strict", action="store_true", help="fail when too much memory was used, too")
    parser.add_argument("--truncate", action="store_true", help="cut long trees off, as GitHub does")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(given: argparse.Namespace) -> int:
    """1 when a budget is broken."""
    repositories = _chosen(given.sizes, quick=given.quick)
    with tempfile.TemporaryDirectory(prefix="skillmeat-benchmark-") as directory:
        base = idle_peak_bytes(Path(directory))
    rows: list[Measured] = []
    failures: list[str] = []
    for repository in repositories:
        sys.stderr.write(f"measuring {repository.name} ...\n")
        try:
            rows.extend(_measured(repository, truncating=given.truncate))
        except StepFailed as error:
            failures.append(f"{repository.name}: {error}")
    broken = [sentence for row in rows for sentence in _broken(row)]
    heavy = [sentence for row in rows for sentence in _heavy(row)]
    report = _as_json if given.json else _as_text
    sys.stdout.write(report(rows, base=base, broken=failures + broken, heavy=heavy))
    return int(bool(failures or broken or (given.strict and heavy)))


def _chosen(sizes: str | None, *, quick: bool) -> list[Repository]:
    large = QUICK_LARGE if quick else LARGE
    names = sizes.split(",") if sizes else [*(QUICK_SIZES if quick else SIZES), *large]
    return [_repository(name.strip(), large) for name in names]


def _repository(name: str, large: dict[str, Shape]) -> Repository:
    if name in large:
        return Repository(name=name, shape=large[name])
    if not name.isdecimal() or int(name) < 3:  # noqa: PLR2004  a plugin and a command come before the first skill
        raise StepFailed(f"{name!r} is no size: give numbers from 3, or {', '.join(large)}.")
    return Repository(name=f"{int(name):,} artifacts", shape=Shape(artifacts=int(name)))


def _measured(repository: Repository, *, truncating: bool) -> Iterator[Measured]:
    """All three scans, each as soon as it is done."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-benchmark-") as name:
        directory = Path(name)
        git.create(directory / "made-up.git", files_of(repository.shape))
        with github.serving(directory / "made-up.git", truncating=truncating) as address:
            yield from _scans(repository, directory, address)


def _scans(repository: Repository, directory: Path, address: github.Address) -> Iterator[Measured]:
    expected = repository.shape.artifacts
    work, archive = directory / "made-up.git", directory / "archive.tar.gz"
    address.warm(git.head(work), archive=archive)
    product = Product(directory, address)
    product.add(address.repository)
    yield Measured(
        repository=repository.name,
        scan=FIRST,
        expected_artifacts=expected,
        attempt=product.work(),
        clone_seconds=git.seconds_to_clone(work, directory / "clone"),
        unpack_seconds=_seconds_to_unpack(archive, directory / "unpacked"),
    )
    product.rescan()
    yield Measured(
        repository=repository.name, scan=UNCHANGED, expected_artifacts=expected, attempt=product.work()
    )
    git.commit(work, [changed(first_skill(repository.shape))])
    address.warm(git.head(work), archive=archive)
    product.rescan()
    yield Measured(
        repository=repository.name, scan=CHANGED, expected_artifacts=expected, attempt=product.work()
    )


def _seconds_to_unpack(archive: Path, into: Path) -> float:
    into.mkdir()
    return timed(["tar", "xzf", str(archive), "-C", str(into)], env=git.ENVIRONMENT)


def _broken(row: Measured) -> Iterator[str]:
    """What must not be: another catalogue than was made, or more requests than promised."""
    name, attempt = f"{row.repository}, {row.scan}", row.attempt
    if attempt.artifacts != row.expected_artifacts:
        yield f"{name}: {attempt.artifacts:,} artifacts were found, {row.expected_artifacts:,} were made"
    if not _is_plausible(row):
        yield f"{name}: the scan reported {attempt.result}"
    if attempt.requests > REQUESTS[row.scan]:
        yield f"{name}: {attempt.requests} requests, the budget is {REQUESTS[row.scan]}"


def _is_plausible(row: Measured) -> bool:
    """Whether the job's result says what has been done to the repository."""
    result = row.attempt.result
    match row.scan:
        case "first":
            return bool(result["new"] == row.attempt.artifacts)
        case "unchanged":
            return bool(result["not_modified"])
        case _:
            return bool(result["updated"]) and not result["new"] and not result["removed"]


def _heavy(row: Measured) -> Iterator[str]:
    if row.attempt.peak_bytes >= PEAK_BYTES:
        yield (
            f"{row.repository}, {row.scan}: a peak of {row.attempt.peak_bytes / MB:.0f} MB, "
            f"the budget is {PEAK_BYTES / MB:.0f} MB"
        )


def _as_json(rows: list[Measured], *, base: int, broken: list[str], heavy: list[str]) -> str:
    document = {
        "base_peak_bytes": base,
        "rows": [asdict(row) for row in rows],
        "broken": broken,
        "over_memory": heavy,
    }
    return json.dumps(document, indent=2) + "\n"


def _as_text(rows: list[Measured], *, base: int, broken: list[str], heavy: list[str]) -> str:
    heads = ["repository", "scan", "found", "requests", "MB received", "seconds", "peak MB"]
    compared = ["clone s", "x clone", "untar s", "x untar"]
    lines = [
        table([*heads, *compared], [[*_cells(row), *_ratios(row)] for row in rows], left=2),
        f"Django alone has a peak of {base / MB:.0f} MB. MB are 1,000,000 bytes.",
        *(f"BROKEN {sentence}" for sentence in broken),
        *(f"MEMORY {sentence}" for sentence in heavy),
    ]
    return "\n".join(lines) + "\n"


def _cells(row: Measured) -> list[str]:
    attempt = row.attempt
    return [
        row.repository,
        row.scan,
        f"{attempt.artifacts:,}",
        str(attempt.requests),
        f"{attempt.received_bytes / MB:.2f}",
        f"{attempt.seconds:.2f}",
        f"{attempt.peak_bytes / MB:.0f}",
    ]


def _ratios(row: Measured) -> list[str]:
    """Seconds of the other way, and how many times as long the scan took."""
    cells = []
    for seconds in (row.clone_seconds, row.unpack_seconds):
        cells += ["", ""] if seconds is None else [f"{seconds:.2f}", f"{row.attempt.seconds / seconds:.1f}"]
    return cells
