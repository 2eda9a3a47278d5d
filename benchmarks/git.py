"""Git directories made quickly from files, and served and cloned over loopback with git's own protocol."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import free_port, run, running, timed, wait_for_port
from benchmarks.repositories import File

BRANCH = "main"
# Nothing of the machine's or the person's git configuration may change what is measured.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


def create(directory: Path, files: Iterable[File]) -> None:
    """A bare repository with one commit."""
    run(["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(directory)], env=ENVIRONMENT)
    commit(directory, files, onto="")


def commit(directory: Path, files: Iterable[File], *, onto: str = f"refs/heads/{BRANCH}^0") -> None:
    """One more commit, with these files added or changed."""
    with tempfile.TemporaryFile() as stream:
        stream.writelines(_stream(files, onto))
        stream.seek(0)
        run(["git", "-C", str(directory), "fast-import", "--quiet"], env=ENVIRONMENT, given=stream)


def _stream(files: Iterable[File], onto: str) -> Iterator[bytes]:
    """The commands of git-fast-import(1)."""
    yield f"commit refs/heads/{BRANCH}\n".encode()
    yield b"committer Ada Example <ada@example.org> 1700000000 +0000\ndata 9\nA commit\n\n"
    if onto:
        yield f"from {onto}\n".encode()
    for file in files:
        mode = "100755" if file.executable else "100644"
        yield f"M {mode} inline {file.path}\ndata {len(file.data)}\n".encode()
        yield file.data + b"\n"


def head(directory: Path) -> str:
    return run(["git", "-C", str(directory), "rev-parse", BRANCH], env=ENVIRONMENT).strip()


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """The git:// address of the repository while the context lasts."""
    port = free_port()
    # Not `git daemon`, which would be a parent that leaves the daemon behind.
    daemon = str(Path(run(["git", "--exec-path"], env=ENVIRONMENT).strip()) / "git-daemon")
    place = [
        "--listen=127.0.0.1",
        f"--port={port}",
        "--reuseaddr",
        "--log-destination=none",
        f"--base-path={directory.parent}",
    ]
    with running([daemon, *place, "--export-all", str(directory)], env=ENVIRONMENT):
        wait_for_port(port)
        yield f"git://127.0.0.1:{port}/{directory.name}"


def seconds_to_clone(directory: Path, into: Path) -> float:
    """Of a shallow clone with its checkout."""
    with served(directory) as address:
        return timed(["git", "clone", "--quiet", "--depth", "1", address, str(into)], env=ENVIRONMENT)
