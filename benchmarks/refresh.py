"""Refreshes of 1,000 artifacts from 20 repositories, and importing 1,000 entries: requests, seconds, queries.

GitHub is the tests' loopback server, every answer of which comes 50 ms late. The collection is refreshed while
nothing has changed, after every artifact has changed, and once more.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.github import Address
from benchmarks.processes import run as run_process
from benchmarks.product import Product
from benchmarks.repositories import SEED, Author
from benchmarks.table import table
from tests.github.answers import Request, State
from tests.github.faults import Fault, Reply
from tests.github.repositories import File, Repository
from tests.github.server import GitHub

MB = 1_000_000
LATENCY_SECONDS = 0.05
OWNER = "octo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one step may take at most: API requests for each repository, seconds, and those of the processor."""

    requests: int
    seconds: float
    cpu_seconds: float


IMPORT = Budget(requests=0, seconds=5.0, cpu_seconds=5.0)
UNCHANGED = Budget(requests=1, seconds=30.0, cpu_seconds=2.0)
CHANGED = Budget(requests=3, seconds=30.0, cpu_seconds=30.0)
SINGLE_READS = 20  # up to so many changed files a scan reads one by one, beside commit and tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One step."""

    step: str
    requests: int
    seconds: float
    cpu_seconds: float
    queries: int
    peak_bytes: int
    outcomes: Mapping[str, int]
    broken: tuple[str, ...]


class DistantGitHub(GitHub):
    """Lets every answer wait a while, as the way to GitHub does."""

    def reply(
        self, request: Request, answer: Callable[[State, Request], Reply]
    ) -> tuple[Reply, Fault | None]:
        time.sleep(LATENCY_SECONDS)
        return super().reply(request, answer)

    @property
    def api_requests(self) -> int:
        """Without those to the host of archives, to which the API redirects."""
        return sum(path.startswith("/repos/") for path in self.paths)


class Bench(Product):
    """An installation whose steps are measured, each in a process of its own."""

    def __init__(self, directory: Path, github: DistantGitHub, repositories: int) -> None:
        super().__init__(directory, Address(api_url=github.api_url, web_url=github.web_url))
        self._github, self._repositories = github, repositories

    def step(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "benchmarks.refresh_steps", *arguments]
        return run_process(command, env=self._environment)

    def measured(self, step: str, budget: Budget, expected: Mapping[str, int], *arguments: str) -> Measured:
        """`expected`: how many artifacts have to have which outcome."""
        self._github.requests.clear()
        said = json.loads(self.step(*arguments))
        requests, most = self._github.api_requests, budget.requests * self._repositories
        faults = {
            f"the outcomes are {said['outcomes']}, expected {expected}": said["outcomes"] != expected,
            f"{requests} requests, the budget is {most}": requests > most,
        }
        for name in ("seconds", "cpu_seconds"):
            spent, limit = said[name], getattr(budget, name)
            faults[f"{spent:.2f} {name}, the budget is {limit:.0f}"] = spent > limit
        broken = tuple(f"{step}: {sentence}" for sentence, is_so in faults.items() if is_so)
        return Measured(step=step, requests=requests, **said, broken=broken)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repositories", type=int, default=20, metavar="N")
    parser.add_argument("--artifacts", type=int, default=1_000, metavar="N", help="in all of them together")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(given: argparse.Namespace) -> int:
    """1 when a budget is broken."""
    with tempfile.TemporaryDirectory(prefix="skillmeat-benchmark-") as directory:
        rows = list(_steps(Path(directory), given.repositories, given.artifacts // given.repositories))
    report = _as_json if given.json else _as_text
    sys.stdout.write(report(rows))
    return int(any(row.broken for row in rows))


def _steps(directory: Path, repositories: int, artifacts: int) -> Iterator[Measured]:
    author, total = Author(SEED), repositories * artifacts
    small = [Repository(OWNER, f"small-{n}", _skills(author, f"{n}", artifacts)) for n in range(repositories)]
    large = Repository(OWNER, "large", _skills(author, "large", total))
    with DistantGitHub(*small, large) as github:
        bench = Bench(directory, github, repositories)
        addresses = [f"{github.web_url}/{OWNER}/{each.name}" for each in (*small, large)]
        bench.step("prepare", *addresses)
        for name, outcome in (("import", "imported"), ("import again", "skipped")):
            yield bench.measured(name, IMPORT, {outcome: total}, "take", "Imported", addresses[-1])
        for mode in ("check", "metadata", "sync"):
            yield bench.measured(f"{mode}, unchanged", UNCHANGED, {"unchanged": total}, "refresh", mode)
        for repository in small:
            repository.commit(_revised(author, repository))
        changed = CHANGED if artifacts > SINGLE_READS else replace(CHANGED, requests=2 + artifacts)
        for mode in ("check", "metadata", "sync"):
            yield bench.measured(f"{mode}, all changed", changed, {"refreshed": total}, "refresh", mode)
        yield bench.measured("sync again", UNCHANGED, {"unchanged": total}, "refresh", "sync")


def _skills(author: Author, mark: str, count: int) -> dict[str, File]:
    """Skills of three files each, with names that no other mark gives."""
    files: dict[str, File] = {}
    for number in range(count):
        name = f"{author.word()}-{mark}-{number}"
        files |= {
            f"skills/{name}/SKILL.md": _document(author, name),
            f"skills/{name}/scripts/run.py": f"print({author.sentence()!r})\n".encode(),
            f"skills/{name}/references/details.md": author.prose(4_000).encode(),
        }
    return files


def _document(author: Author, name: str) -> bytes:
    return f"---\nname: {name}\ndescription: {author.sentence()}\n---\n\n{author.prose(3_000)}".encode()


def _revised(author: Author, repository: Repository) -> dict[str, File]:
    """Every skill with another description and text."""
    rows = repository.rows(repository.head) or []
    documents = [row.path for row in rows if row.path.endswith("/SKILL.md")]
    return {path: _document(author, path.split("/")[1]) for path in documents}


def _as_json(rows: list[Measured]) -> str:
    return json.dumps([asdict(row) for row in rows], indent=2) + "\n"


def _as_text(rows: list[Measured]) -> str:
    heads = ["step", "requests", "seconds", "CPU s", "queries", "peak MB"]
    broken = [f"BROKEN {sentence}" for row in rows for sentence in row.broken]
    return "\n".join([table(heads, [_cells(row) for row in rows], left=1), *broken]) + "\n"


def _cells(row: Measured) -> list[str]:
    return [
        row.step,
        str(row.requests),
        f"{row.seconds:.2f}",
        f"{row.cpu_seconds:.2f}",
        str(row.queries),
        f"{row.peak_bytes / MB:.0f}",
    ]
