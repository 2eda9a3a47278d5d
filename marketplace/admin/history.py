"""How the scans of a source went: the one that runs, and the last that ended."""

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString

from marketplace.models import Source
from marketplace.models.source import SCAN
from skillmeat_site.admin_pages import ago, badge, chips, link, table
from skillmeat_site.jobs.models import Job

AT_MOST = 20
HEADINGS = ("Scan", "State", "Started by", "Took", "Requests", "What it changed")


def of(source: Source) -> dict[str, Any]:
    """The page's history and, in the same query, what `live` has of the newest."""
    jobs = list(_jobs(source)[:AT_MOST])
    return _live(source, jobs[0] if jobs else None) | {
        "history": table(HEADINGS, map(_row, jobs), empty="It has not been scanned yet.")
    }


def live(source: Source) -> dict[str, Any]:
    return _live(source, _jobs(source).first())


def _jobs(source: Source) -> Any:
    return Job.objects.filter(kind=SCAN, subject_id=source.pk).select_related("started_by").order_by("-id")


def _live(source: Source, newest: Job | None) -> dict[str, Any]:
    return {
        "job": newest if newest and newest.is_live else None,
        "progress_address": reverse("admin:marketplace_source_progress", args=[source.pk]),
    }


def _row(job: Job) -> tuple[Any, ...]:
    return (
        link(job, ago(job.created_at)),
        badge(job.status),
        job.started_by or job.trigger,
        took(job),
        f"{job.github_requests:,}",
        difference(job),
    )


def took(job: Job) -> str:
    """From its last start to its end, in words."""
    if job.started_at is None or job.finished_at is None:
        return "—"
    seconds = (job.finished_at - job.started_at) / timedelta(seconds=1)
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"  # noqa: PLR2004


def difference(job: Job) -> SafeString | str:
    """What a scan did to the catalogue, or why it did not."""
    if job.error:
        return str(job.error.get("detail", ""))
    if not job.result:
        return "—"
    if job.result.get("not_modified"):
        return "the commit was known"
    counts = {name: job.result.get(name, 0) for name in ("new", "updated", "removed", "unchanged")}
    return chips(counts) or "nothing was found"
