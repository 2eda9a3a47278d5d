"""How much of GitHub's answers is read and how long they are waited for."""

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds; the `_seconds` of a request cover all its tries and redirects."""

    json_bytes: int = 64 * MIB
    file_bytes: int = 10 * MIB
    archive_bytes: int = 1024 * MIB
    unpacked_bytes: int = 4096 * MIB
    connect_seconds: float = 5
    read_seconds: float = 30
    json_seconds: float = 120
    archive_seconds: float = 600
