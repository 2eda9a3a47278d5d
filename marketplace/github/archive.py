"""Reading GitHub's `.tar.gz` of a commit as a stream; nothing is ever unpacked to a disk.

The format is git-archive(1)'s: one directory around everything, and the commit id in a pax header.
"""

import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import GzipFile
from io import BytesIO
from typing import IO

from marketplace.github.limits import Limits
from marketplace.github.shapes import is_safe_path
from marketplace.repository import (
    Member,
    RepositoryTooLarge,
    RepositoryUnavailable,
    Tree,
    TreeFile,
    stream_id,
)

CHUNK = 64 * 1024


class TarArchive:
    """A spooled archive, read anew by each call of a method; one must end before the next begins."""

    def __init__(self, file: IO[bytes], *, limits: Limits, pulse: Callable[[], None]) -> None:
        self._file = file
        self._limits = limits
        self._pulse = pulse

    def members(self, paths: frozenset[str]) -> Iterator[Member]:
        """The regular files among `paths` that are not too large, in the archive's order.

        RepositoryTooLarge when the whole unpacked archive exceeds the limits; RepositoryUnavailable when the
        archive is damaged.
        """
        with _damage_explained():
            for path, header, content in self._entries():
                if header.isreg() and path in paths and header.size <= self._limits.file_bytes:
                    yield Member(path=path, data=content.read())

    def tree(self) -> Tree:
        """Every file and symlink of the archive with its git id; raises as `members` does."""
        with _damage_explained():
            files = [_listed(*entry) for entry in self._entries() if is_safe_path(entry[0])]
        return Tree(files=tuple(sorted(files, key=lambda file: file.path)))

    def _entries(self) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes]]]:
        """Path in the repository, header and content; a symlink's content is its target, as in git."""
        self._file.seek(0)
        unpacked = _Unpacked(self._file, limit=self._limits.unpacked_bytes, pulse=self._pulse)
        with tarfile.open(fileobj=unpacked, mode="r|", bufsize=CHUNK) as tar:
            while (header := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # else memory grows with every header
                path = header.name.partition("/")[2]
                if header.issym():
                    yield path, header, BytesIO(header.linkname.encode(errors="surrogateescape"))
                elif header.isreg() and (content := tar.extractfile(header)) is not None:
                    yield path, header, content
            unpacked.drain()


class _Unpacked(GzipFile):
    """Gives no more than `limit` bytes: a small archive can unpack to anything."""

    def __init__(self, packed: IO[bytes], *, limit: int, pulse: Callable[[], None]) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._limit = limit
        self._given = 0
        self._pulse = pulse

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._given += len(data)
        if self._given > self._limit:
            raise RepositoryTooLarge(f"The repository unpacks to more than {self._limit:,} bytes.")
        self._pulse()
        return data

    def drain(self) -> None:
        """Reads on to the checksum, which is the last thing in the file; what is left is padding."""
        while data := self.read(CHUNK):
            if data.strip(b"\0"):
                raise tarfile.ReadError("data behind the end")


def _listed(path: str, header: tarfile.TarInfo, content: IO[bytes]) -> TreeFile:
    size = header.size or len(header.linkname.encode(errors="surrogateescape"))
    mode = "120000" if header.issym() else "100755" if header.mode & 0o100 else "100644"
    return TreeFile(path=path, mode=mode, sha=stream_id(content, size), size=size)


@contextmanager
def _damage_explained() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError):
        raise RepositoryUnavailable("The archive that GitHub sent is damaged or incomplete.") from None
