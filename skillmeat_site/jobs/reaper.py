"""Mending what dead workers and lost messages leave behind; safe to run anywhere, any number of times."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from skillmeat_site.jobs import operations, queue
from skillmeat_site.jobs.errors import JobTimedOut, LeaseLost
from skillmeat_site.jobs.models import Job, JobStatus

logger = logging.getLogger(__name__)
MAX_SILENCE = timedelta(seconds=120)
MAX_DURATION = timedelta(minutes=15)
RESEND_AFTER = timedelta(seconds=15)  # sooner than the watchdog suspects the cluster
RESEND_AT_MOST = 50


def reap(*, at: datetime) -> int:
    """Requeue or fail what lost its worker, fail what is stuck, send lost messages again.

    Returns how many jobs were touched. Each is fenced by its attempt and by what was wrong with it, so that
    two reapers cannot both decide, and a worker that comes back meanwhile keeps its job.
    """
    running = Job.objects.filter(status=JobStatus.RUNNING).select_related("project")
    # Without a worker a job is silent too, and deserves another one; so those come first.
    lost = Q(lease_until__lt=at)
    touched = _each(running.filter(lost), lambda job: operations.lose(job, at=at, still=lost))
    stuck = Q(progress_at__lt=at - MAX_SILENCE) | Q(started_at__lt=at - MAX_DURATION)
    touched += _each(running.filter(stuck), lambda job: _time_out(job, at=at, still=stuck))
    return touched + _resend(at)


def _each(jobs: Iterable[Job], act: Callable[[Job], None]) -> int:
    touched = 0
    for job in jobs:
        with suppress(LeaseLost), transaction.atomic():
            if _is_free(job):
                act(job)
                touched += 1
    return touched


def _is_free(job: Job) -> bool:
    """Nobody has the row locked, as a worker does while it saves: then the next round looks again."""
    free = Job.objects.select_for_update(skip_locked=True).filter(pk=job.pk)
    return free.values_list("pk").first() is not None


def _time_out(job: Job, *, at: datetime, still: Q) -> None:
    silent = bool(job.progress_at and job.progress_at < at - MAX_SILENCE)
    detail = "It made no progress for two minutes" if silent else "It took more than a quarter of an hour"
    error = JobTimedOut(f"{detail}, while {job.phase or 'starting'}.")
    operations.end(job, JobStatus.FAILED, at=at, error=error, still=still)


def _resend(at: datetime) -> int:
    """Wake workers again for due jobs whose message is gone: the queue is empty, and they still wait."""
    lost = list(Job.objects.due(at).filter(sent_at__lt=at - RESEND_AFTER)[:RESEND_AT_MOST])
    if not lost or not queue.is_empty():
        return 0
    sent = 0
    for job in lost:
        if Job.objects.filter(pk=job.pk, status=JobStatus.QUEUED, sent_at=job.sent_at).update(sent_at=at):
            queue.wake(job.pk)
            sent += 1
    return sent
