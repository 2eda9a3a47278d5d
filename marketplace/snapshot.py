"""What is remembered of a source between two scans, so that the next one reads only what changed. Pure."""

import gzip
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Self

from marketplace.repository import Tree, TreeFile
from marketplace.spool import Spool

FORMAT = 1
MAX_REMEMBERED_BYTES = 72 * 1024**2
LEVEL = 3  # four times faster than the default and a sixth larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where the bytes of a blob are in the content store: their SHA-256 (hex); whether they are an LFS pointer."""

    digest: str
    is_pointer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The tree of one commit, and by git blob id the documents that were read and the files that were kept."""

    tree: Tree
    documents: Mapping[str, bytes] = field(default_factory=dict)
    kept: Mapping[str, Kept] = field(default_factory=dict)

    def pack(self, into: IO[bytes]) -> None:
        """Gzip of JSON lines: a header, one line for each file, kept blob and document, then the documents' bytes.

        Of documents no more than `MAX_REMEMBERED_BYTES`, the small ones first.
        """
        sizes = _fitting({sha: len(data) for sha, data in self.documents.items()}, MAX_REMEMBERED_BYTES)
        with gzip.GzipFile(fileobj=into, mode="wb", compresslevel=LEVEL, mtime=0) as out:
            counts = [FORMAT, len(self.tree.files), len(self.kept), len(sizes)]
            out.write(_line(counts))
            for file in self.tree.files:
                out.write(_line([file.path, file.mode, file.sha, file.size]))
            for sha, kept in self.kept.items():
                out.write(_line([sha, kept.digest, kept.is_pointer]))
            for sha, size in sizes.items():
                out.write(_line([sha, size]))
            for sha in sizes:
                out.write(self.documents[sha])

    @classmethod
    def unpack(cls, packed: IO[bytes]) -> Self | None:
        """What `pack` wrote; None when it is damaged or of another format, as then it can only be made anew."""
        try:
            with gzip.GzipFile(fileobj=packed) as lines:
                snapshot = cls._read(lines)
                return None if lines.read(1) else snapshot  # reading on to the end checks the checksum
        except (OSError, EOFError, ValueError, TypeError, zlib.error):
            return None

    @classmethod
    def unpack_tree(cls, packed: IO[bytes]) -> Tree | None:
        """Only the tree of what `pack` wrote, which stands first; None as `unpack`."""
        try:
            with gzip.GzipFile(fileobj=packed) as lines:
                version, files, *_ = json.loads(lines.readline())
                return _tree(lines, files) if version == FORMAT else None
        except (OSError, EOFError, ValueError, TypeError, zlib.error):
            return None

    @classmethod
    def _read(cls, lines: gzip.GzipFile) -> Self:
        version, files, kept, documents = json.loads(lines.readline())
        if version != FORMAT:
            raise ValueError("another format")
        return cls(
            tree=_tree(lines, files),
            kept=dict(_kept(*json.loads(lines.readline())) for _ in range(kept)),
            documents=Spool(_documents(lines, documents)),
        )


class Texts(Mapping[str, str]):
    """The documents of a tree by path, decoded when they are looked at.

    `blobs`: by git blob id, and may grow. `others`: texts by path that are not what git has. `files`: the
    tree's regular files by path.
    """

    def __init__(self, tree: Tree, blobs: Mapping[str, bytes], others: Mapping[str, str]) -> None:
        self.files = {file.path: file for file in tree.files if file.is_regular}
        self._blobs = blobs
        self._others = others

    def __getitem__(self, path: str) -> str:
        if path in self._others:
            return self._others[path]
        return self._blobs[self.files[path].sha].decode("utf-8-sig", errors="replace")

    def __contains__(self, path: object) -> bool:
        file = self.files.get(str(path))
        return path in self._others or (file is not None and file.sha in self._blobs)

    def __iter__(self) -> Iterator[str]:
        return (path for path in self.files if path in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _fitting(sizes: Mapping[str, int], room: int) -> dict[str, int]:
    """As many as have no more than `room` bytes together, the small ones first."""
    fitting = {}
    for sha, size in sorted(sizes.items(), key=lambda blob: (blob[1], blob[0])):
        room -= size
        if room < 0:
            break
        fitting[sha] = size
    return fitting


def _line(values: list[Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def _tree(lines: gzip.GzipFile, count: int) -> Tree:
    return Tree(files=tuple(_file(*json.loads(lines.readline())) for _ in range(count)))


def _file(path: str, mode: str, sha: str, size: int) -> TreeFile:
    return TreeFile(path=path, mode=sys.intern(mode), sha=sha, size=size)


def _kept(sha: str, digest: str, is_pointer: bool) -> tuple[str, Kept]:
    return sha, Kept(digest=digest, is_pointer=is_pointer)


def _documents(lines: gzip.GzipFile, count: int) -> Iterator[tuple[str, bytes]]:
    for sha, size in [json.loads(lines.readline()) for _ in range(count)]:
        data = lines.read(size)
        if len(data) < size:
            raise EOFError
        yield sha, data
