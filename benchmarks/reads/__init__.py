"""Reads of a large catalogue: requests per second of one web process, beside the least Django could do.

The catalogue is planted once per database and size, and kept (`--directory`). Each address is asked of the
product and of a reference, a bare view that runs the same queries, in turns; numbers are medians of the turns.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import load
from benchmarks.processes import StepFailed
from benchmarks.reads import catalogue, ranking
from benchmarks.reads.installation import Installation, Server
from benchmarks.table import table
from skillmeat_site.ids import encode

MB = 1_000_000
SIZES = "200,10000"
CONNECTIONS = 4
MARKET = "/api/v1/marketplace"
LARGE = f"{MARKET}/sources/{encode('src', catalogue.source_id(0))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An address, and what is promised of it: requests per second, or milliseconds of one at a time."""

    name: str
    path: str
    per_second: int = 0
    p99_ms: int = 0


# With 200 sources, too, each list of them is a page of 50, but for the one by text.
READS = (
    Read(name="50 sources", path=f"{MARKET}/sources", per_second=300),
    Read(
        name="next page",
        path=f"{MARKET}/sources?cursor={encode('src', catalogue.source_id(150))}",
        per_second=300,
    ),
    Read(name="by type", path=f"{MARKET}/sources?artifact_type=hook", per_second=300),
    Read(name="by tags", path=f"{MARKET}/sources?tags=team&tags=shared", per_second=300),
    Read(name="by trust", path=f"{MARKET}/sources?trust_level=basic", per_second=300),
    Read(
        name="by all three",
        path=f"{MARKET}/sources?artifact_type=skill&tags=shared&trust_level=basic",
        per_second=300,
    ),
    Read(name="by text", path=f"{MARKET}/sources?search=bad", per_second=100),
    Read(name="one source", path=LARGE, per_second=600),
    Read(name="50 entries", path=f"{LARGE}/artifacts", per_second=300),
    Read(
        name="by type, confidence, name",
        path=f"{LARGE}/artifacts?type=skill&min_confidence=60&ordering=name",
        per_second=300,
    ),
    Read(name="by tag, newest", path=f"{LARGE}/artifacts?tags=python&ordering=-date", per_second=300),
    Read(name="by status, by type", path=f"{LARGE}/artifacts?status=new&ordering=type", per_second=300),
    Read(name="search 1 %", path=f"{MARKET}/search?q={catalogue.RARE}", p99_ms=50),
    Read(name="search all", path=f"{MARKET}/search?q={catalogue.COMMON}", p99_ms=150),
    Read(
        name="search all, filtered",
        path=f"{MARKET}/search?q={catalogue.COMMON}&type=skill&trust_level=official",
    ),
    Read(name="search all, by tag", path=f"{MARKET}/search?q={catalogue.COMMON}&tags=review"),
    Read(name="search all, one source", path=f"{MARKET}/search?q={catalogue.COMMON}&source={LARGE[-30:]}"),
    Read(name="search two words", path=f"{MARKET}/search?q={catalogue.COMMON}+{catalogue.RARE}"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one stretch of requests gave, and what the web process used of a processor for each."""

    load: load.Load
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    database: str
    sources: int
    read: Read
    product: Sequence[Turn]
    reference: Sequence[Turn]

    @property
    def per_second(self) -> float:
        return median(turn.load.per_second for turn in self.product)

    @property
    def spread(self) -> float:
        """How far the turns lie apart, of their median."""
        turns = [turn.load.per_second for turn in self.product]
        return (max(turns) - min(turns)) / self.per_second

    @property
    def p99_ms(self) -> float:
        return median(turn.load.p99_ms for turn in self.product)

    @property
    def cpu_ms(self) -> float:
        return median(turn.cpu_ms for turn in self.product)

    @property
    def times_reference(self) -> float:
        """How many times as long as the reference it takes."""
        return median(turn.load.per_second for turn in self.reference) / self.per_second


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sources", default=SIZES, metavar="LIST", help=f"sizes (default: {SIZES})")
    parser.add_argument(
        "--postgresql", default="", metavar="URL", help="a server on which databases may be made"
    )
    parser.add_argument("--multi-user", action="store_true", help="ask with a token")
    parser.add_argument("--only", default="", metavar="TEXT", help="reads whose name contains it")
    parser.add_argument("--threads", type=int, default=1, help="of the one worker process")
    parser.add_argument("--seconds", type=int, default=2, help="of one turn (default: 2)")
    parser.add_argument("--turns", type=int, default=3, help="of each read (default: 3)")
    parser.add_argument("--again", action="store_true", help="plant the catalogue anew")
    parser.add_argument("--plant", action="store_true", help="plant it and measure nothing")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()) / "skillmeat-reads")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(given: argparse.Namespace) -> int:
    """1 when a promise is broken."""
    load.require()
    rows: list[Measured] = []
    facts: list[str] = []
    for size in map(int, given.sources.split(",")):
        database = "postgresql" if given.postgresql else "sqlite"
        sys.stderr.write(f"{database}, {size:,} sources ...\n")
        installation = Installation(given.directory, sources=size, postgresql=given.postgresql)
        installation.prepare(again=given.again)
        if not given.plant:
            rows += _measured(installation, given, database=database, size=size, facts=facts)
    broken = [*_broken(rows), *(fact for fact in facts if fact.startswith("BROKEN"))]
    if given.json:
        document = {"rows": [asdict(row) for row in rows], "facts": facts, "broken": broken}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    elif rows:
        sys.stdout.write("\n".join([_table(rows), *facts, *_broken(rows)]) + "\n")
    return int(bool(broken))


def _measured(
    installation: Installation, given: argparse.Namespace, *, database: str, size: int, facts: list[str]
) -> Iterator[Measured]:
    reads = [read for read in READS if given.only in read.name]
    token = installation.token if given.multi_user else ""
    paths = {"BENCHMARK_PATHS": json.dumps([read.path for read in reads]), "BENCHMARK_TOKEN": token}
    how = {"threads": given.threads, "multi_user": given.multi_user}
    with ExitStack() as stack:
        reference = stack.enter_context(
            installation.serving("benchmarks.reads.reference", extra=paths, **how)
        )
        product = stack.enter_context(installation.serving("skillmeat_site.wsgi", **how))
        for read in reads:
            try:
                ours, theirs = _asked(product, reference, read, token, given)
            except StepFailed as error:
                facts.append(f"BROKEN {database}, {size:,} sources, {read.name}: {error}")
                continue
            yield Measured(database=database, sources=size, read=read, product=ours, reference=theirs)
        where = f"{database}, {size:,} sources"
        facts += [_ranking(product, word, token, where) for word in (catalogue.COMMON, catalogue.RARE)]
        facts.append(
            f"{where}: the web process was up after {product.start_seconds:.1f} s "
            f"and had a peak of {product.peak_bytes() / MB:.0f} MB."
        )


def _asked(
    product: Server, reference: Server, read: Read, token: str, given: argparse.Namespace
) -> tuple[list[Turn], list[Turn]]:
    """The turns of both, one after the other."""
    ours, theirs = [], []
    for _ in range(given.turns):
        ours.append(_turn(product, read, token, given.seconds))
        theirs.append(_turn(reference, read, token, given.seconds))
    return ours, theirs


def _turn(server: Server, read: Read, token: str, seconds: int) -> Turn:
    before = server.cpu_seconds()
    measured = load.measure(
        server.address + read.path,
        token=token,
        connections=CONNECTIONS if read.per_second else 1,
        seconds=seconds,
    )
    return Turn(load=measured, cpu_ms=1000 * (server.cpu_seconds() - before) / measured.requests)


def _ranking(product: Server, word: str, token: str, where: str) -> str:
    found = ranking.places(f"{product.address}{MARKET}/search", word, token=token)
    shown = ", ".join(f"{count} in the {place}" for place, count in found)
    verdict = "" if ranking.is_right(found) else "BROKEN "
    return f"{verdict}{where}, the first hits of {word}: {shown}."


def _broken(rows: Sequence[Measured]) -> Iterator[str]:
    for row in rows:
        name = f"{row.database}, {row.sources:,} sources, {row.read.name}"
        if row.per_second < row.read.per_second:
            yield f"BROKEN {name}: {row.per_second:.0f} requests/s, {row.read.per_second} are promised"
        if row.read.p99_ms and row.p99_ms > row.read.p99_ms:
            yield f"BROKEN {name}: p99 is {row.p99_ms:.0f} ms, {row.read.p99_ms} are promised"


def _table(rows: Sequence[Measured]) -> str:
    heads = [
        "database",
        "sources",
        "read",
        "requests/s",
        "spread",
        "promised",
        "p99 ms",
        "CPU ms",
        "x reference",
        "x smallest",
    ]
    smallest = {row.read.name: row for row in reversed(rows)}
    cells = [
        [
            row.database,
            f"{row.sources:,}",
            row.read.name,
            f"{row.per_second:.0f}",
            f"{row.spread:.0%}",
            f"p99 {row.read.p99_ms} ms" if row.read.p99_ms else str(row.read.per_second or ""),
            f"{row.p99_ms:.1f}",
            f"{row.cpu_ms:.2f}",
            f"{row.times_reference:.2f}",
            f"{smallest[row.read.name].per_second / row.per_second:.2f}",
        ]
        for row in rows
    ]
    return table(heads, cells, left=3)
