"""The tests' loopback GitHub with trees and archives kept ready: `python -m benchmarks.github DIRECTORY`.

Making them takes git and Python longer than a scan may take, and is GitHub's work, not the product's. The
rest is answered by git at each request, which costs about 10 ms.
"""

import argparse
import gzip
import json
import re
import shutil
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.git import ENVIRONMENT
from benchmarks.processes import StepFailed, running
from tests.github.answers import Request, State
from tests.github.faults import Fault, Reply
from tests.github.gitdir import GitDirectory
from tests.github.server import GitHub

OWNER, NAME = "octo", "made-up"
KEPT = re.compile(r"/git/(trees)/|/(legacy\.tar\.gz)/")
# https://docs.github.com/rest/git/trees: what a recursive listing holds at most
TREE_ROWS, TREE_BYTES = 100_000, 7_000_000


class WarmGitHub(GitHub):
    """Remembers the last tree and the last archive, ready to be sent."""

    def __init__(self, repository: GitDirectory, *, truncating: bool) -> None:
        super().__init__(repository)
        self._truncating = truncating
        self._kept: dict[str, tuple[str, Reply]] = {}

    def reply(
        self, request: Request, answer: Callable[[State, Request], Reply]
    ) -> tuple[Reply, Fault | None]:
        found = KEPT.search(request.path)
        if not found:
            return super().reply(request, answer)
        noun, asked = found[1] or found[2], f"{request.path} {sorted(request.query.items())}"
        if self._kept.get(noun, ("",))[0] != asked:
            made, _ = super().reply(request, answer)
            self._kept[noun] = asked, self._finished(made) if noun == "trees" else made
        return self._kept[noun][1], None

    def _finished(self, reply: Reply) -> Reply:
        """Compressed; the server compresses what is plain `answers.JSON` at each request."""
        body = _truncated(reply.body) if self._truncating else reply.body
        headers = {**reply.headers, "Content-Type": "application/json", "Content-Encoding": "gzip"}
        return replace(reply, headers=headers, body=gzip.compress(body, compresslevel=6, mtime=0))


def _truncated(body: bytes) -> bytes:
    """The tree as GitHub would cut it off, if that is what it would do."""
    document: dict[str, Any] = json.loads(body)
    rows = document["tree"]
    kept = min(len(rows), TREE_ROWS, len(rows) * TREE_BYTES // len(body))
    return json.dumps(document | {"tree": rows[:kept], "truncated": kept < len(rows)}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server is, for the one that measures."""

    api_url: str
    web_url: str

    @property
    def repository(self) -> str:
        return f"{self.web_url}/{OWNER}/{NAME}"

    def warm(self, commit: str, *, archive: Path) -> None:
        """Have the commit's tree and archive made; the archive is saved in a file, too."""
        base = f"{self.api_url}/repos/{OWNER}/{NAME}"
        with _opened(f"{base}/git/trees/{commit}?recursive=1") as tree:
            tree.read()
        with _opened(f"{base}/tarball/{commit}") as sent, archive.open("wb") as file:
            shutil.copyfileobj(sent, file, 1024 * 1024)


def _opened(url: str) -> Any:
    """The answer, without any proxy that the environment names."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url)


@contextmanager
def serving(directory: Path, *, truncating: bool) -> Iterator[Address]:
    """A server of this repository in its own process, while the context lasts."""
    options = ["--truncate"] if truncating else []
    command = [sys.executable, "-m", "benchmarks.github", *options, str(directory)]
    with running(command, env=ENVIRONMENT) as output:
        said = output.readline()
        if not said:
            raise StepFailed("The loopback GitHub did not start.")
        yield Address(**json.loads(said))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.github", description=__doc__)
    parser.add_argument("--truncate", action="store_true", help="cut long trees off, as GitHub does")
    parser.add_argument("directory", type=Path)
    given = parser.parse_args()
    repository = GitDirectory(OWNER, NAME, given.directory)
    with WarmGitHub(repository, truncating=given.truncate) as github:
        sys.stdout.write(json.dumps({"api_url": github.api_url, "web_url": github.web_url}) + "\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
