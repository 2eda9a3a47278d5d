"""What is forgotten when it is old, and what stays because something needs it."""

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collections_app.models import RefreshRun
from marketplace.models import Source
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs import tasks
from skillmeat_site.jobs.models import Job, JobEvent, JobStatus
from skillmeat_site.jobs.pruning import prune
from skillmeat_site.rows import BATCH, remove
from tests.factories import LONG_AGO, CollectionFactory, JobFactory, RefreshRunFactory, SourceFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
BEFORE = LONG_AGO + DAY


@pytest.fixture
def source() -> Source:
    made: Source = SourceFactory()
    return made


def ended(source: Source, *statuses: str, at: datetime = LONG_AGO) -> list[Job]:
    """Jobs that ended in this order, each with an event."""
    jobs = [JobFactory(source=source, status=status, finished_at=at) for status in statuses]
    for job in jobs:
        JobEvent.objects.create(job=job, seq=1, at=at, phase=job.status)
    return jobs


def left() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("status", flat=True))


@pytest.mark.parametrize(
    ("statuses", "kept"),
    [
        (["succeeded"], ["succeeded"]),
        (["failed"], ["failed"]),
        (["succeeded", "succeeded"], ["succeeded"]),
        (["failed", "succeeded"], ["succeeded"]),
        (["succeeded", "failed", "failed"], ["succeeded", "failed"]),
        (["failed", "cancelled"], ["failed"]),
        (["cancelled"], []),
    ],
)
def test_the_last_end_and_the_last_success_of_a_subject_stay(
    source: Source, statuses: list[str], kept: list[str]
) -> None:
    ended(source, *statuses)
    ended(SourceFactory(), "succeeded")
    gone = prune(before=BEFORE)["jobs"]
    assert left() == [*kept, "succeeded"]
    assert gone == len(statuses) - len(kept)
    assert JobEvent.objects.count() == len(kept) + 1


def test_what_lives_or_ended_lately_stays(source: Source) -> None:
    ended(source, "succeeded", at=BEFORE)
    JobFactory(source=source, status=JobStatus.RUNNING)
    ended(SourceFactory(), "cancelled", at=timezone.now())
    assert prune(before=BEFORE)["jobs"] == 0


def test_the_last_refresh_of_a_collection_and_a_running_one_stay() -> None:
    collection = CollectionFactory()
    RefreshRunFactory.create_batch(2, collection=collection)
    running = RefreshRunFactory(collection=collection, status="", finished_at=None)
    RefreshRunFactory()
    assert prune(before=BEFORE)["refreshes"] == 1
    assert RefreshRun.objects.filter(collection=collection).count() == 2
    assert RefreshRun.objects.filter(pk=running.pk).exists()


def test_a_dry_run_counts_what_would_go(source: Source) -> None:
    ended(source, "succeeded", "succeeded")
    assert prune(before=BEFORE, dry_run=True)["jobs"] == 1
    assert len(left()) == 2


def test_many_rows_go_in_short_transactions(source: Source) -> None:
    jobs = JobFactory.build_batch(BATCH + 1, source=source, project=source.project, subject_id=source.pk)
    for job in jobs:
        job.status, job.finished_at = JobStatus.CANCELLED, LONG_AGO
    Job.objects.bulk_create(jobs)
    with CaptureQueriesContext(connection) as captured:
        assert remove(Job.objects.all()) == BATCH + 1
    transactions = [query["sql"] for query in captured if query["sql"].startswith("SAVEPOINT")]
    assert len(transactions) == 2
    assert remove(Job.objects.all()) == 0


def test_audit_events_go_only_when_they_are_named_and_that_is_audited(source: Source) -> None:
    for at in (LONG_AGO, timezone.now()):
        record("source.created", source, project=source.project, by=None, at=at)
    call_command("prune_history", "--older-than", "1", stdout=StringIO())
    assert AuditEvent.objects.count() == 2
    call_command("prune_history", "--audit-events", "1", "--dry-run", stdout=StringIO())
    assert AuditEvent.objects.count() == 2
    call_command("prune_history", "--audit-events", "1", stdout=StringIO())
    told, kept = AuditEvent.objects.order_by("-pk")
    assert (told.verb, told.facts["count"]) == ("audit.pruned", 1)
    assert kept.at > LONG_AGO


@pytest.mark.parametrize(("days", "kept"), [(0, 2), (36_500, 2), (1, 1)])
def test_a_worker_forgets_daily_by_the_setting(source: Source, settings: Any, days: int, kept: int) -> None:
    ended(source, "succeeded", "succeeded")
    settings.SKILLMEAT_HISTORY_DAYS = days
    tasks.prune_history()
    assert len(left()) == kept
