"""Forgetting what has ended long ago and is not needed any more."""

from collections.abc import Callable
from datetime import datetime

from skillmeat_site.jobs import history
from skillmeat_site.rows import remove


def prune(
    *, before: datetime, dry_run: bool = False, progress: Callable[[str], object] = lambda _: None
) -> dict[str, int]:
    """Forget what ended before then and nothing needs any more; how many rows of each history.

    Short transactions, safe to interrupt and to run twice at once.
    """
    counts = {}
    for each in history.registered():
        progress(each.name)
        rows = each.load()(before)
        counts[each.name] = rows.count() if dry_run else remove(rows)
    return counts
