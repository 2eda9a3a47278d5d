"""Identifiers: UUIDv7 inside, a kind prefix and Crockford base32 outside. No Django here.

UUIDv7 is RFC 9562 section 5.7: 48 bits of Unix milliseconds, then version, variant and randomness, so
that ids sort by creation. Within one process ids are strictly increasing (method 3 of section 6.2: the
12 bits behind the version hold the fraction of the millisecond). The outside form is
`<prefix>_<26 characters>` of Crockford's alphabet (https://www.crockford.com/base32.html), lower case.
"""

import secrets
import threading
import time
from functools import lru_cache
from uuid import UUID

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_SHIFTS = range(5 * (LENGTH - 2), -1, -10)
_lock = threading.Lock()
_last = 0


def _ticks() -> int:
    """Unix time in 1/4096 milliseconds, never the same twice in this process."""
    global _last  # noqa: PLW0603  one counter per process is what makes the order strict
    with _lock:
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        return _last


def uuid7() -> UUID:
    """A new UUIDv7, greater than every one this process made before."""
    milliseconds, fraction = divmod(_ticks(), 4096)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64
    return UUID(int=value | 0b10 << 62 | secrets.randbits(62))


def first_at(seconds: float) -> UUID:
    """The least UUIDv7 of that time (Unix seconds): rows made since then have this key or a greater one."""
    return UUID(int=(int(seconds * 1000) & (1 << 48) - 1) << 80 | 0x7 << 76 | 0b10 << 62)


@lru_cache(maxsize=10_000)  # lists show the same rows again and again; three megabytes
def encode(prefix: str, value: UUID | str) -> str:
    """The outside form, for example `src_06a1...`, of a UUID, also as text; `decode` is its inverse."""
    number = int(value.replace("-", ""), 16) if isinstance(value, str) else value.int
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def decode(prefix: str, text: str) -> UUID:
    """The UUID behind an outside form; ValueError when it is no canonical one of this kind."""
    head, _, body = text.partition("_")
    if head != prefix or len(body) != LENGTH or any(character not in _VALUES for character in body):
        raise ValueError(f"no {prefix}_ id: {text[:60]!r}")
    number = 0
    for character in body:
        number = number * 32 + _VALUES[character]
    if number >> 128:
        raise ValueError(f"no {prefix}_ id: {text[:60]!r}")
    return UUID(int=number)
