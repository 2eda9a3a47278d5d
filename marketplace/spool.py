"""Bytes that will be needed again, but not all at once: they wait in a temporary file instead of in memory. Pure."""

import io
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping


class Spool(Mapping[str, bytes]):
    """Blobs by git id, in a file that no other process can see and that ends with this object."""

    def __init__(self, blobs: Iterable[tuple[str, bytes]] = ()) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the last reference to this
        weakref.finalize(self, self._file.close)
        self._places: dict[str, tuple[int, int]] = {}
        self.add(blobs)

    def add(self, blobs: Iterable[tuple[str, bytes]]) -> None:
        for sha, data in blobs:
            start = self._file.seek(0, io.SEEK_END)
            self._file.write(data)
            self._places[sha] = start, len(data)

    def __getitem__(self, sha: str) -> bytes:
        start, size = self._places[sha]
        self._file.seek(start)
        return self._file.read(size)

    def __contains__(self, sha: object) -> bool:
        return sha in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
