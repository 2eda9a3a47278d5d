"""What a source remembers of its last scan, from rows to value and back, never all of it in memory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

from marketplace.models import Source, SourceSnapshot
from marketplace.repository import Tree
from marketplace.snapshot import Snapshot

PIECE_BYTES = 2 * 1024**2


def recall(source: Source) -> Snapshot | None:
    """None when there is none, or none that can be read any more."""
    with _packed(source) as file:
        return Snapshot.unpack(file)


def recall_tree(source: Source) -> Tree | None:
    """The tree alone, without the documents, which may be many times larger."""
    with _packed(source) as file:
        return Snapshot.unpack_tree(file)


def remember(source: Source, packed: IO[bytes]) -> None:
    """Has to run in the transaction that saves the scan."""
    SourceSnapshot.objects.filter(source=source).delete()
    packed.seek(0)
    for number, piece in enumerate(iter(partial(packed.read, PIECE_BYTES), b"")):
        SourceSnapshot.objects.create(source=source, number=number, packed=piece)


@contextmanager
def _packed(source: Source) -> Iterator[IO[bytes]]:
    pieces = SourceSnapshot.objects.filter(source=source).order_by("number").values_list("packed", flat=True)
    with tempfile.TemporaryFile() as file:
        file.writelines(pieces.iterator(chunk_size=1))
        file.seek(0)
        yield file
