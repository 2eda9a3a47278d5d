"""Points in time as callers write them, in bodies and in queries."""

from datetime import UTC, datetime


def parse_instant(text: str) -> datetime:
    """The time that this ISO 8601 text says, in UTC; ValueError with a sentence when it says none."""
    try:
        at = datetime.fromisoformat(text)
        known = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        known = None
    if known is None:
        raise ValueError("Use ISO 8601 with an offset, like 2026-01-31T12:00:00Z.")
    return known
