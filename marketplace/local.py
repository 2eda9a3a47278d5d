"""The repository port on a plain directory; it knows the file system and git's object ids, no network.

Ids are those that `git add --force --all && git write-tree` would give (gitformat-pack(5), git-mktree(1)),
so a directory is unchanged exactly when its tree id is. The tree id serves as the commit id.
"""

import errno
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, ClassVar

from marketplace.repository import (
    Commit,
    Description,
    Member,
    NotModified,
    RepositoryNotFound,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnavailable,
    Tree,
    TreeFile,
    Usage,
    blob_id,
    readable,
    readme_path,
    stream_id,
)
from skillmeat_site.errors import DomainError, Kind

MAX_FILES = 100_000
MAX_BYTES = 1024**3
OWNER = "local"
REF = "HEAD"
CHANGED_HINT = "Scan again when nothing writes to the directory."
# O_NONBLOCK: opening a pipe that has just taken a file's place must not wait for its writer.
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
OPEN_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_DIRECTORY


class LocalDirectoryRefused(DomainError):
    """The directory is not inside one that the operator has opened with SKILLMEAT_LOCAL_REPOSITORIES."""

    code: ClassVar[str] = "local_directory_refused"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Directory not allowed"
    hint: str = "Move the directory below one that SKILLMEAT_LOCAL_REPOSITORIES lists, or have it listed."


def resolve_directory(url_path: str, roots: Iterable[Path]) -> Path:
    """The real place of an absolute path (percent-decoded), strictly below one of `roots`, links resolved.

    It need not exist. Raises LocalDirectoryRefused, in the same words whether something is there or not.
    """
    try:
        directory = Path(url_path).resolve()
        allowed = [root.resolve() for root in roots]
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, a NUL
        allowed = []
    if not url_path.startswith("/") or not any(root in directory.parents for root in allowed):
        raise LocalDirectoryRefused("The directory is not below one that may be scanned.")
    return directory


class LocalReader:
    """`RepositoryReader` on a directory, which has only one state: every ref means the present one.

    Links are recorded, never followed. Left out are `.git`, names that are not UTF-8, and what is neither
    file, link nor directory. More than `max_files` files or `max_bytes` bytes raise RepositoryTooLarge.
    """

    moved = False

    def __init__(self, directory: Path, *, max_files: int = MAX_FILES, max_bytes: int = MAX_BYTES) -> None:
        self.usage = Usage()
        self._root = directory
        self._max_files = max_files
        self._max_bytes = max_bytes
        self._tree = Tree(files=())
        self._sha = ""

    def describe(self, *, seconds: float | None = None) -> Description:
        with _explained("The directory"), self._opened("", OPEN_DIRECTORY):
            return Description(owner=OWNER, name=self._root.name, default_branch=REF)

    def readme(self, ref: str, *, seconds: float) -> str | None:
        self._read()
        file = next((file for file in self._tree.files if file.path == readme_path(self._tree)), None)
        return readable(self.blob(file)) if file else None

    def resolve(
        self, ref: str, *, known: Commit | None = None, seconds: float | None = None
    ) -> Commit | NotModified:
        """Reads every file, since only the bytes tell whether something changed."""
        self._read()
        return NotModified() if known and known.sha == self._sha else Commit(sha=self._sha)

    def tree(self, commit: Commit) -> Tree:
        if commit.sha != self._sha:
            self._read()
        if commit.sha != self._sha:
            raise RepositoryUnavailable("The directory has changed since it was resolved.", hint=CHANGED_HINT)
        return self._tree

    def blob(self, file: TreeFile) -> bytes:
        with _explained(file.path), self._opened(file.path, OPEN_FILE) as descriptor:
            data = _stream(descriptor).read(file.size + 1)
        if blob_id(data) != file.sha:
            raise RepositoryUnavailable(f"{file.path} has changed since it was listed.", hint=CHANGED_HINT)
        return data

    @contextmanager
    def archive(self, commit: Commit) -> Iterator["LocalArchive"]:
        yield LocalArchive(self, self.tree(commit))

    def _read(self) -> None:
        files: list[TreeFile] = []
        size = 0
        for file in self._walk():
            files.append(file)
            size += file.size
            if len(files) > self._max_files:
                raise RepositoryTooLarge(f"The directory has more than {self._max_files:,} files.")
            if size > self._max_bytes:
                raise RepositoryTooLarge(f"The directory has more than {self._max_bytes:,} bytes.")
        self._tree = Tree(files=tuple(sorted(files, key=lambda file: file.path)))
        self._sha = tree_ids(files)[""]

    def _walk(self) -> Iterator[TreeFile]:
        waiting = [""]
        while waiting:
            directory = waiting.pop()
            with (
                _explained(directory or "The directory"),
                self._opened(directory, OPEN_DIRECTORY) as parent,
                os.scandir(parent) as entries,
            ):
                for entry in entries:
                    path = f"{directory}/{entry.name}".lstrip("/")
                    if entry.name == ".git" or not _is_utf8(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    elif entry.is_symlink():
                        target = os.fsencode(os.readlink(entry.name, dir_fd=parent))
                        yield TreeFile(path=path, mode="120000", sha=blob_id(target), size=len(target))
                    elif entry.is_file(follow_symlinks=False):
                        yield self._listed(path, entry.name, parent)

    def _listed(self, path: str, name: str, parent: int) -> TreeFile:
        with _closing(os.open(name, OPEN_FILE, dir_fd=parent)) as descriptor:
            status = os.fstat(descriptor)
            if status.st_size > self._max_bytes:  # before it is read
                raise RepositoryTooLarge(f"{path} is larger than {self._max_bytes:,} bytes.")
            mode = "100755" if status.st_mode & stat.S_IXUSR else "100644"
            with _explained(path):
                sha = stream_id(_stream(descriptor), status.st_size)
        return TreeFile(path=path, mode=mode, sha=sha, size=status.st_size)

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        """A descriptor of what is at `path`, reached without following a link at any step."""
        steps = path.split("/") if path else []
        with ExitStack() as stack:
            descriptor = stack.enter_context(_closing(self._open_root()))
            for step in steps[:-1]:
                descriptor = stack.enter_context(_closing(os.open(step, OPEN_DIRECTORY, dir_fd=descriptor)))
            if steps:
                descriptor = stack.enter_context(_closing(os.open(steps[-1], flags, dir_fd=descriptor)))
            yield descriptor

    def _open_root(self) -> int:
        try:
            return os.open(self._root, OPEN_DIRECTORY)
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
                raise
        raise RepositoryNotFound("The directory does not exist.", hint="Check the path on the server.")


class LocalArchive:
    """The directory's files one by one: there is nothing to be gained from packing them."""

    def __init__(self, reader: LocalReader, tree: Tree) -> None:
        self._reader = reader
        self._tree = tree

    def members(self, paths: frozenset[str]) -> Iterator[Member]:
        for file in self._tree.files:
            if file.is_regular and file.path in paths:
                yield Member(path=file.path, data=self._reader.blob(file))

    def tree(self) -> Tree:
        return self._tree


def tree_ids(files: Iterable[TreeFile]) -> Mapping[str, str]:
    r"""The id of git's tree object of every directory that has files, the root being the empty path.

    A tree is, for each entry, `<mode> <name>\0<20 bytes of id>`, sorted by name, where a directory's name
    counts as ending in a slash (git's tree.c, base_name_compare).
    """
    rows: defaultdict[str, list[tuple[bytes, str, str]]] = defaultdict(list, {"": []})
    for file in files:
        directory, _, name = file.path.rpartition("/")
        rows[directory].append((name.encode(), file.mode, file.sha))
        while directory and (directory := directory.rpartition("/")[0]) not in rows:
            rows[directory] = []
    ids: dict[str, str] = {}
    for directory in sorted(rows, key=lambda path: (path.count("/"), path), reverse=True):
        ids[directory] = _tree_id(rows[directory])
        if directory:
            parent, _, name = directory.rpartition("/")
            rows[parent].append((name.encode(), "40000", ids[directory]))
    return ids


def _tree_id(rows: list[tuple[bytes, str, str]]) -> str:
    rows.sort(key=lambda row: row[0] + (b"/" if row[1] == "40000" else b""))
    body = b"".join(b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(sha)) for name, mode, sha in rows)
    return hashlib.sha1(b"tree %d\0%s" % (len(body), body), usedforsecurity=False).hexdigest()


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # os.scandir puts surrogates where bytes could not be decoded
        return False
    return True


def _stream(descriptor: int) -> IO[bytes]:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is no longer a regular file")
    return open(descriptor, "rb", buffering=0, closefd=False)


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    """Turns what the file system raises into what the port promises."""
    try:
        yield
    except PermissionError:
        hint = "Let the user that the server runs as read it."
        raise RepositoryRefused(f"{path} may not be read by this server.", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it changed while it was read"
        raise RepositoryUnavailable(f"{path} could not be read: {reason}.", hint=CHANGED_HINT) from None
