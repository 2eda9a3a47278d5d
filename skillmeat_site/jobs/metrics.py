"""Numbers about jobs, workers and what GitHub was asked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Sum
from django.utils import timezone
from prometheus_client.core import Metric

from skillmeat_site.jobs import kinds
from skillmeat_site.jobs.models import LIVE, Job, JobStatus, Worker
from skillmeat_site.metrics.registry import gauge

DAY = timedelta(days=1)


def collect() -> Iterator[Metric]:
    at = timezone.now()
    yield from _live(at)
    yield from _last_day(at)
    yield from _workers(at)


def _live(at: datetime) -> Iterator[Metric]:
    names = [kind.name for kind in kinds.registered()]
    counts = {(name, str(status)): 0 for name in names for status in LIVE}
    since = dict.fromkeys(counts, at)
    rows = Job.objects.live().order_by().values("kind", "status")
    for row in rows.annotate(count=Count("pk"), due=Min("run_after"), taken=Min("started_at")):
        key = row["kind"], row["status"]
        counts[key] = row["count"]
        since[key] = row["due"] if row["status"] == JobStatus.QUEUED else row["taken"]
    labels = ("kind", "status")
    yield gauge("jobs", "Jobs that wait or run.", counts.items(), labels=labels)
    ages = {key: max(0.0, (at - start).total_seconds()) for key, start in since.items()}
    yield gauge(
        "job_age_seconds", "How long the oldest has been due, or has run.", ages.items(), labels=labels
    )


def _last_day(at: datetime) -> Iterator[Metric]:
    recent = Job.made_since(at - DAY).order_by()
    rows = list(recent.values("kind", "status").annotate(count=Count("pk"), requests=Sum("github_requests")))
    yield gauge(
        "jobs_last_day",
        "Jobs made in the last 24 hours, by what has become of them.",
        [((row["kind"], row["status"]), row["count"]) for row in rows],
        labels=("kind", "status"),
    )
    requests = sum(row["requests"] for row in rows)
    yield gauge(
        "github_requests_last_day", "Requests to GitHub by jobs of the last 24 hours.", [((), requests)]
    )
    known = recent.exclude(github_remaining=None).order_by("-pk").values_list("github_remaining", flat=True)
    yield gauge(
        "github_quota_remaining",
        "What GitHub last said is left of its hourly limit; missing when no job of the last 24 hours asked.",
        [((), left) for left in known[:1]],
    )


def _workers(at: datetime) -> Iterator[Metric]:
    alive = Worker.objects.alive(at).count()
    yield gauge("workers", "Workers that have reported within 30 seconds.", [((), alive)])
    latest = Worker.objects.aggregate(latest=Max("seen_at"))["latest"]
    yield gauge(
        "worker_heartbeat_age_seconds",
        "Since a worker last reported; missing when none has for a day.",
        [((), (at - latest).total_seconds())] if latest else [],
    )
