"""The made-up catalogue: which entries a source has, their ids, and where two known words stand in them.

One source is large, the others have fifty entries each. Everything follows from a row's number.
"""

from datetime import UTC, datetime
from uuid import UUID

LARGE = 5_000  # entries of the first source
ENTRIES = 50  # of every other one
START = datetime(2026, 1, 1, tzinfo=UTC)
# One word that every document has, and one that every hundredth has.
COMMON, RARE, RARE_EVERY = "claude", "quarterly", 100
# A few of the latter have both in a better place than in the text.
PLACES, PLACES_EVERY = ("name", "tags", "description"), 10_000


def source_id(number: int) -> UUID:
    return _identity(1, number)


def entry_id(number: int) -> UUID:
    return _identity(2, number)


def _identity(kind: int, number: int) -> UUID:
    """A UUIDv7, greater for greater numbers."""
    milliseconds = int(START.timestamp() * 1000) + number
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | kind << 48 | number)


def entries_of(source: int) -> range:
    """The numbers of a source's entries."""
    first = LARGE + (source - 1) * ENTRIES
    return range(first, first + ENTRIES) if source else range(LARGE)


def words_in(number: int, place: str) -> str:
    """Which of the two words stand in this place of the entry."""
    is_rare, step = number % RARE_EVERY == 0, number % PLACES_EVERY // RARE_EVERY
    if place != (PLACES[step] if is_rare and step < len(PLACES) else "body"):
        return ""
    return f"{COMMON} {RARE}" if is_rare else COMMON
