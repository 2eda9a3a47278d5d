"""Forgetting what has ended long ago and is not needed any more."""

from collections.abc import Callable
from datetime import datetime

from skillmeat_site.jobs import history


def prune(
    *, before: datetime, dry_run: bool = False, progress: Callable[[str], object] = lambda _: None
) -> dict[str, int]:
    """Forget what ended before then and nothing needs any more; how much of each history.

    Short transactions, safe to interrupt and to run twice at once.
    """
    counts = {}
    for each in history.registered():
        progress(each.name)
        counts[each.name] = each.load()(before=before, dry_run=dry_run)
    return counts
