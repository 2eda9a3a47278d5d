"""How many rows go into one statement: databases limit the values that it may name, and others want to write too."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
BATCH = 500


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """The rows in their order, at most `BATCH` at a time."""
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
