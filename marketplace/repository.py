"""The values that every room speaks about a repository, and the port through which one is read.

Two rooms implement the port: `marketplace.github` and `marketplace.local`. This one knows neither of
them, no settings and no Django.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import IO, Any, Protocol

from skillmeat_site.errors import DomainError, Kind

UNSAFE_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\]")
# git-check-ref-format(1), and no leading hyphen.
BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|[/.]$|\.lock$")

README_NAMES = ("readme.md", "readme", "readme.txt", "readme.rst")
MAX_README_BYTES = 256 * 1024
MAX_TOPICS = 20


class FileKind(StrEnum):
    """What a tree entry is; only regular files have content that is read."""

    FILE = "file"
    EXECUTABLE = "executable"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


KIND_BY_MODE = {
    "100644": FileKind.FILE,
    "100664": FileKind.FILE,
    "100755": FileKind.EXECUTABLE,
    "120000": FileKind.SYMLINK,
    "160000": FileKind.SUBMODULE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """One entry of a tree that is no directory: its path, git mode (octal text), blob id and size in bytes."""

    path: str
    mode: str
    sha: str
    size: int

    @property
    def kind(self) -> FileKind:
        return KIND_BY_MODE.get(self.mode, FileKind.SUBMODULE)

    @property
    def is_regular(self) -> bool:
        return self.kind in {FileKind.FILE, FileKind.EXECUTABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All files of one commit, sorted by path. `truncated`: the other side did not list them all."""

    files: tuple[TreeFile, ...]
    truncated: bool = False

    def directories(self) -> Counter[str]:
        """Every directory with the number of files anywhere below it; "" is the root."""
        counts = Counter(file.path.rpartition("/")[0] for file in self.files)
        known = {""}
        for held in counts:
            directory = held
            while directory not in known:
                known.add(directory)
                directory = directory.rpartition("/")[0]
        for directory in sorted(known - {""}, key=len, reverse=True):  # children before their parents
            counts[directory.rpartition("/")[0]] += counts[directory]
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A resolved ref: the commit id (40 lower-case hex digits) and the validator for asking again."""

    sha: str
    etag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the other side says about the repository as a whole."""

    owner: str
    name: str
    default_branch: str
    description: str = ""
    private: bool = False
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One regular file of an archive: its path in the repository and its bytes as the archive has them."""

    path: str
    data: bytes

    @property
    def sha(self) -> str:
        return blob_id(self.data)


@dataclass(slots=True, kw_only=True)
class Usage:
    """What reading has cost so far.

    `remaining` is the other side's quota after the last answer, and `resets_at` when it begins anew.
    """

    requests: int = 0
    bytes: int = 0
    remaining: int | None = None
    resets_at: datetime | None = None


class Archive(Protocol):
    """A repository at one commit in one piece, readable as often as wanted."""

    def members(self, paths: frozenset[str]) -> Iterator[Member]:
        """The regular files among `paths`, in the archive's order; others are passed over unread."""

    def tree(self) -> Tree:
        """Every file and symlink that the archive has: what completes a truncated tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The ref still points to the commit whose validator was given."""


class RepositoryReader(Protocol):
    """One repository, read only. Every method raises `RepositoryError`, and nothing else, on failure."""

    usage: Usage

    @property
    def moved(self) -> bool:
        """Whether an answer came from a new place: the repository was renamed, and `describe` tells how."""

    def describe(self, *, seconds: float | None = None) -> Description:
        """Name, default branch, description, visibility, topics; with `seconds`, one try in that time."""

    def readme(self, ref: str, *, seconds: float) -> str | None:
        """The text of the README at the root, in one try; None when there is none."""

    def resolve(
        self, ref: str, *, known: Commit | None = None, seconds: float | None = None
    ) -> Commit | NotModified:
        """The commit that `ref` (branch, tag or commit id) points to now.

        `known` makes it conditional; with `seconds`, one try in that time.
        """

    def tree(self, commit: Commit) -> Tree:
        """Every file of the commit."""

    def blob(self, file: TreeFile) -> bytes:
        """The bytes of one regular file of the last tree; their git id has been checked."""

    def archive(self, commit: Commit) -> AbstractContextManager[Archive]:
        """The whole commit, kept until the context ends."""


def can_be_ref(text: str) -> bool:
    """Whether git could have a branch, tag or commit of this name."""
    return not BAD_REF.search(text)


def readable(data: bytes) -> str:
    """Bytes of a text for people, as far as they can be read; without NUL, which no database keeps."""
    return data.decode("utf-8-sig", errors="replace").replace("\0", "")


def readme_path(tree: Tree) -> str:
    """The README at the root, Markdown before others; empty when there is none that is of a sane size."""
    found = {
        file.path.lower(): file.path
        for file in tree.files
        if file.is_regular and file.size <= MAX_README_BYTES and "/" not in file.path
    }
    return next((found[name] for name in README_NAMES if name in found), "")


def clean_directory(text: str) -> str:
    """A directory relative to the repository's root, without `./` and trailing slashes; "" is the root.

    Raises ValueError, with a sentence for people, when it could lead out of the repository.
    """
    parts = [part for part in text.split("/") if part not in {"", "."}]
    if ".." in parts or text.startswith("/") or UNSAFE_IN_PATH.search(text):
        raise ValueError("Use a path relative to the repository's root, without '..'.")
    return "/".join(parts)


def blob_id(data: bytes) -> str:
    r"""The id git gives these bytes: SHA-1 over `blob <length>\0<data>` (git-hash-object(1))."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def stream_id(stream: IO[bytes], size: int) -> str:
    """`blob_id` of what the stream holds, read piece by piece; ValueError when that is not `size` bytes."""
    digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    left = size
    while data := stream.read(64 * 1024):
        digest.update(data)
        left -= len(data)
    if left:
        raise ValueError(f"not {size} bytes")
    return digest.hexdigest()


class RepositoryError(DomainError):
    """The repository could not be read. The job's detail says what was asked and what came back."""

    code = "repository_unreadable"
    kind = Kind.UPSTREAM
    title = "The repository could not be read"
    hint = "Try again later; if it goes on, look at the repository in a browser."


class RepositoryNotFound(RepositoryError):
    """There is no such repository, or it is private and the credentials given do not open it.

    GitHub answers both the same way on purpose.
    """

    code = "repository_not_found"
    kind = Kind.INVALID
    title = "No such repository"
    hint = (
        "Check the spelling. A private repository needs an access_token when its source is created, and the "
        "server's GITHUB_TOKEN afterwards."
    )


class RefNotFound(RepositoryError):
    """The branch, tag or commit that the source names does not exist in the repository."""

    code = "ref_not_found"
    kind = Kind.INVALID
    title = "No such branch, tag or commit"
    hint = "Set the source's ref to one that exists."


class CommitGone(RepositoryError):
    """The commit that the scan had begun to read was taken away, as a forced push can do."""

    code = "commit_gone"
    title = "The commit is gone"
    hint = "Nothing was changed. Scan again: the branch points to another commit by now."


class RepositoryEmpty(RepositoryError):
    """The repository exists but has no commit yet."""

    code = "repository_empty"
    title = "The repository is empty"
    hint = "Push a first commit, then scan again."


class RepositoryRefused(RepositoryError):
    """The other side knows who asks and refuses: a bad token, a missing permission, a legal block."""

    code = "repository_refused"
    title = "The repository refused to be read"
    hint = (
        "Check that the token is valid and may read this repository: the server's GITHUB_TOKEN or, for a first "
        "scan, the source's access_token. To give another of those, create the source again."
    )


class RepositoryUnavailable(RepositoryError):
    """The other side was down, slow, or cut the connection, three times in a row."""

    code = "repository_unavailable"
    title = "The repository's host could not be reached"
    hint = "Nothing was changed. Scan again when the host answers."


class RepositoryTooLarge(RepositoryError):
    """An answer was larger than this server is willing to read."""

    code = "repository_too_large"
    title = "The repository is too large"
    hint = "Raise SKILLMEAT_MAX_SOURCE_BYTES, or point root_hint at the part that matters."


class RateLimited(RepositoryError):
    """The other side's quota is used up. Jobs wait until `reset_at` by themselves."""

    code = "rate_limited_upstream"
    title = "GitHub's rate limit is used up"
    hint = "Set GITHUB_TOKEN for a larger quota, or wait until it resets."

    def __init__(self, detail: str, *, reset_at: datetime, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.reset_at = reset_at
