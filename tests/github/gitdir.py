"""A real git directory, bare or not, served through the git command line."""

import itertools
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.github.repositories import Row

_numbers = itertools.count(90_000_000)


class GitDirectory:
    """Reads only committed state; what `HEAD` names is the default branch."""

    def __init__(self, owner: str, name: str, directory: Path, *, private: bool = False) -> None:
        self.owner, self.name, self.number = owner, name, next(_numbers)
        self.private, self.description = private, ""
        self.topics: tuple[str, ...] = ()
        self.tokens: set[str] = set()
        self._directory = directory
        self.default_branch = self._git("symbolic-ref", "--short", "HEAD").decode().strip()

    def branches(self) -> Mapping[str, str]:
        lines = self._git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads").decode()
        return dict(line.rsplit(" ", 1) for line in lines.splitlines())

    def resolve(self, ref: str) -> str | None:
        found = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return found.stdout.decode().strip() or None

    def rows(self, commit: str) -> list[Row] | None:
        listing = self._run("ls-tree", "-r", "-t", "-l", "-z", commit)
        if listing.returncode:
            return None
        return [_row(line) for line in listing.stdout.split(b"\0") if line]

    def blob(self, sha: str) -> bytes | None:
        answer = self._git("cat-file", "--batch", given=f"{sha}\n".encode())
        head, _, rest = answer.partition(b"\n")
        kind, _, size = head.partition(b" ")[2].partition(b" ")
        return rest[: int(size)] if kind == b"blob" else None

    def archive(self, commit: str, prefix: str) -> bytes:
        return self._git("archive", "--format=tar.gz", f"--prefix={prefix}", commit)

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        done.check_returncode()
        return done.stdout

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["git", "-c", "safe.directory=*", "-C", str(self._directory), *arguments]
        return subprocess.run(command, input=given, capture_output=True, check=False)


def _row(line: bytes) -> Row:
    facts, _, path = line.partition(b"\t")
    mode, kind, sha, size = facts.decode().split()
    return Row(
        path=path.decode(errors="replace"),
        mode=mode,
        kind=kind,
        sha=sha,
        size=None if size == "-" else int(size),
    )
