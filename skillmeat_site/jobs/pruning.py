"""Forgetting what has ended long ago and is not needed any more."""

from collections.abc import Callable
from datetime import datetime

from skillmeat_site.jobs import history
from skillmeat_site.jobs.models import Job
from skillmeat_site.rows import remove


def prune(
    *, before: datetime, dry_run: bool = False, progress: Callable[[str], object] = lambda _: None
) -> dict[str, int]:
    """Forget what ended before then and nothing needs any more; how many of each history.

    Safe to interrupt and to run twice at once.
    """
    counts = {}
    for each in history.registered():
        progress(each.name)
        counts[each.name] = each.load()(before=before, dry_run=dry_run)
    return counts


def prune_jobs(*, before: datetime, dry_run: bool = False) -> int:
    return remove(Job.objects.outlived(before), dry_run=dry_run)
