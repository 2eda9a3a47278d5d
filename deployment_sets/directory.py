"""A project's directory by its descriptor: nothing is ever opened outside of it, no link ever followed.

Every step of a path is opened anew, relative to the one before and with O_NOFOLLOW, so that a link which is
swapped in while a deploy runs is found where it stands instead of being walked through.
"""

import errno
import fcntl
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, ClassVar, TypeVar

from deployment_sets.names import parents
from skillmeat_site.errors import DomainError, Kind

# O_NONBLOCK: opening a pipe must not wait for its writer.
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
OPEN_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY
MAX_ASIDE = 10_000
SYNCED_AT_ONCE = 8
AnyPath = TypeVar("AnyPath")


class TargetMissing(DomainError):
    """The project's directory does not exist below the root that it was named under, or a link leads to it."""

    code: ClassVar[str] = "deploy_target_missing"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Project directory not found"
    hint: str = "Create the directory on the server, and name it by its real path."


class TargetBlocked(DomainError):
    """A link or a file stands where a deploy needs a directory. Nothing is written through it."""

    code: ClassVar[str] = "deploy_target_blocked"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Something is in the way"
    hint: str = "Replace it by a directory, then deploy again."


class DeployRunning(DomainError):
    """Another deploy, undo or clean-up works in the same project directory at this moment."""

    code: ClassVar[str] = "deploy_running"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Another deploy is running there"
    hint: str = "Try again when it has ended."


class Stands(StrEnum):
    """What is at a path."""

    ABSENT = "absent"
    FILE = "file"
    OTHER = "other"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is at a path: of a file its content and mode, of all else what it is, in words for people."""

    kind: Stands
    digest: str = ""
    mode: int = 0
    what: str = field(default="", compare=False)
    owner: tuple[int, int] = field(default=(-1, -1), compare=False)

    @property
    def is_there(self) -> bool:
        return self.kind in {Stands.FILE, Stands.OTHER}

    def is_file(self, digest: str, mode: int) -> bool:
        """Of this content, and executable exactly when the mode says so: all that git and we keep of a mode."""
        return (
            self.kind is Stands.FILE
            and self.digest == digest
            and bool(self.mode & stat.S_IXUSR) == bool(mode & stat.S_IXUSR)
        )

    def is_like(self, other: "Found") -> bool:
        if self.kind is Stands.FILE:
            return other.is_file(self.digest, self.mode)
        return self.kind is other.kind


ABSENT = Found(kind=Stands.ABSENT)


class Directory:
    """An open project directory. Paths are relative to it and have been checked: no `..`, nothing absolute."""

    def __init__(self, descriptor: int) -> None:
        self._root = descriptor

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One at a time per project, across processes; given up by the kernel when the process ends."""
        try:
            fcntl.flock(self._root, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DeployRunning from None
        try:
            yield
        finally:
            fcntl.flock(self._root, fcntl.LOCK_UN)

    @contextmanager
    def parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the directory that holds `path`, and the last part of the path.

        Raises FileNotFoundError when it is not there (unless `make`), TargetBlocked when it is no directory.
        """
        with ExitStack() as stack:
            descriptor = self._root
            for outer in parents(path):
                name = outer.rpartition("/")[2]
                descriptor = _step(descriptor, name, outer, make=make)
                stack.callback(os.close, descriptor)
            yield descriptor, path.rpartition("/")[2]

    def look(self, path: str) -> Found:
        """What is there now."""
        try:
            with self.parent(path) as (parent, name):
                return look_at(parent, name)
        except FileNotFoundError:
            return ABSENT
        except TargetBlocked as error:
            return Found(kind=Stands.BLOCKED, what=error.detail)

    def read(self, path: str, *, limit: int = -1) -> bytes | None:
        """The bytes of a regular file; None when nothing is there. OSError for all else, and beyond the limit."""
        try:
            with self.parent(path) as (parent, name), opened(parent, name) as file:
                if 0 <= limit < os.fstat(file.fileno()).st_size:
                    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
                return file.read()
        except FileNotFoundError:
            return None

    def listing(self, path: str) -> Iterator[str]:
        """The paths of everything below a directory that is no directory itself."""
        try:
            with self.parent(f"{path}/.") as (parent, _), os.scandir(parent) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (FileNotFoundError, TargetBlocked):
            return
        for name, is_directory in sorted(found):
            if is_directory:
                yield from self.listing(f"{path}/{name}")
            else:
                yield f"{path}/{name}"

    def missing_directories(self, paths: Iterator[str]) -> list[str]:
        """The directories that are not there on the way to these paths, outer ones first."""
        wanted = {outer for path in paths for outer in parents(path)}
        return sorted(path for path in wanted if self.look(path).kind is Stands.ABSENT)

    def remove_empty(self, directories: list[str]) -> None:
        """Those of them that are empty, inner ones first."""
        for path in sorted(directories, reverse=True):
            try:
                with self.parent(path) as (parent, name):
                    os.rmdir(name, dir_fd=parent)
            except (OSError, TargetBlocked):  # not empty, not there, or not ours any more
                continue

    def free_aside(self, path: str) -> str:
        """The first `<path>.orig-<n>` that is not taken."""
        for number in range(1, MAX_ASIDE):
            if self.look(f"{path}.orig-{number}").kind is Stands.ABSENT:
                return f"{path}.orig-{number}"
        raise TargetBlocked(f"{path} has {MAX_ASIDE:,} backups.", hint="Remove those that nobody needs.")


@contextmanager
def opened_project(root: Path, project: Path) -> Iterator[Directory]:
    """The project's directory, `root` or below it, reached from `root` without following a link.

    `root` is the operator's and taken as it is. Raises TargetMissing.
    """
    try:
        steps = project.relative_to(root).parts
    except ValueError:
        raise TargetMissing(f"{project} is not below {root}.") from None
    with ExitStack() as stack:
        try:
            descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
            stack.callback(os.close, descriptor)
            for step in steps:
                if step == "..":
                    raise FileNotFoundError
                descriptor = os.open(step, OPEN_DIRECTORY, dir_fd=descriptor)
                stack.callback(os.close, descriptor)
        except (OSError, ValueError):
            raise TargetMissing(f"{project} is not a directory that this server can open.") from None
        yield Directory(descriptor)


def _step(parent: int, name: str, path: str, *, make: bool) -> int:
    try:
        return os.open(name, OPEN_DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise
        what = look_at(parent, name).what or "a file"
        raise TargetBlocked(f"{path} is {what}, not a directory.") from None
    os.mkdir(name, 0o777, dir_fd=parent)
    return os.open(name, OPEN_DIRECTORY, dir_fd=parent)


def sync_all(sync: Callable[[AnyPath], None], paths: Iterable[AnyPath]) -> None:
    """Have all of them on the disk, several at a time: the disk writes what waits for it together."""
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as threads:
        list(threads.map(sync, paths))


def look_at(parent: int, name: str) -> Found:
    try:
        status = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return Found(kind=Stands.OTHER, what=_in_words(status.st_mode))
        with opened(parent, name) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except FileNotFoundError:
        return ABSENT
    except PermissionError:
        return Found(kind=Stands.OTHER, what="a file that this server may not read")
    mode = stat.S_IMODE(status.st_mode) & 0o777
    return Found(kind=Stands.FILE, digest=digest, mode=mode, owner=(status.st_uid, status.st_gid))


@contextmanager
def opened(parent: int, name: str) -> Iterator[IO[bytes]]:
    """A regular file for reading."""
    descriptor = os.open(name, OPEN_FILE, dir_fd=parent)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file


def _in_words(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a directory" if stat.S_ISDIR(mode) else "a special file"
