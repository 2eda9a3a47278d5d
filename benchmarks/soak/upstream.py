"""A loopback GitHub whose repositories change and which fails now and then: `python -m benchmarks.soak.upstream`.

It says its addresses and repositories as JSON. Everything goes well again once its standard input is closed.
"""

import argparse
import json
import random
import sys
import threading

from benchmarks.repositories import Author, Shape, files_of
from tests.github.faults import BAD_GATEWAY, Close, Cut, Fault, Garbage, Reset, Stall
from tests.github.repositories import Executable, Repository
from tests.github.server import GitHub

OWNER = "octo"
FAULTS: tuple[Fault, ...] = (BAD_GATEWAY, Close(), Reset(), Cut(after=200), Garbage(), Stall(1.5))
EVERY_SECONDS = 1.0
FAULT_IN = 3  # seconds, on average


def repository(number: int, artifacts: int) -> Repository:
    files = {
        f"{number}/{file.path}" if number else file.path: Executable(file.data)
        if file.executable
        else file.data
        for file in files_of(Shape(artifacts=artifacts))
    }
    return Repository(OWNER, f"made-up-{number}", files)


def disturb(github: "Restless", repositories: list[Repository], ended: threading.Event) -> None:
    """Commit something each second and let something fail every few, until it is over."""
    chance = random.Random(1)
    author = Author(2)
    paths = {
        one.name: [row.path for row in one.rows(one.head) or [] if row.path.endswith("SKILL.md")]
        for one in repositories
    }
    while not ended.wait(EVERY_SECONDS):
        github.requests.clear()
        changed = chance.choice(repositories)
        path = chance.choice(paths[changed.name])
        name = path.split("/")[-2]
        text = f"---\nname: {name}\ndescription: {author.sentence()}\n---\n\n{author.prose(1_500)}"
        old = changed.head
        changed.commit({path: text.encode()})
        github.forget_later(changed, old)
        if chance.randrange(FAULT_IN) == 0:
            github.fail("", chance.choice(FAULTS), times=chance.choice((1, 1, 2)))
    github.mend()


class Restless(GitHub):
    """Keeps no more than the last commits of each repository, so that its own memory does not grow."""

    KEPT = 20

    def __init__(self, *repositories: Repository) -> None:
        super().__init__(*repositories)
        self._old: dict[str, list[str]] = {}

    def forget_later(self, repository: Repository, sha: str) -> None:
        old = self._old.setdefault(repository.name, [])
        old.append(sha)
        while len(old) > self.KEPT:
            repository.forget(old.pop(0))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak.upstream", description=__doc__)
    parser.add_argument("--repositories", type=int, default=8)
    parser.add_argument("--artifacts", type=int, default=60)
    given = parser.parse_args()
    repositories = [repository(number, given.artifacts) for number in range(given.repositories)]
    with Restless(*repositories) as github:
        github.quota.remaining = github.quota.limit = 10**9
        urls = [f"{github.web_url}/{one.owner}/{one.name}" for one in repositories]
        said = {"api_url": github.api_url, "web_url": github.web_url, "repositories": urls}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        ended = threading.Event()
        threading.Thread(target=disturb, args=[github, repositories, ended], daemon=True).start()
        sys.stdin.read()
        ended.set()
        threading.Event().wait()


if __name__ == "__main__":
    main()
