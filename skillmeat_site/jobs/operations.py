"""What happens to jobs: enqueue, claim, park, finish, cancel, lose. Each is one transaction."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from skillmeat_site import logs
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError
from skillmeat_site.ids import encode
from skillmeat_site.jobs import kinds, queue
from skillmeat_site.jobs.errors import JobCancelled, JobConflict, JobFinished, LeaseLost, WorkerLost
from skillmeat_site.jobs.models import Job, JobEvent, JobStatus, Trigger, next_seq

logger = logging.getLogger(__name__)
LEASE = timedelta(seconds=20)
MAX_LOSSES = 3
EVER = Q()


def enqueue(
    *,
    kind: str,
    subject_id: UUID,
    project: Project,
    trigger: Trigger,
    by: User | None,
    at: datetime,
    force: bool = False,
) -> Job:
    """A new queued job; a worker hears of it when the transaction is saved.

    Raises JobConflict, naming the live job, when there is one for the same subject.
    """
    try:
        with transaction.atomic():
            job = Job.objects.create(
                kind=kind,
                subject_id=subject_id,
                project=project,
                trigger=trigger,
                force=force,
                started_by=by,
                request_id=logs.current("request_id"),
                run_after=at,
                sent_at=at,
                created_at=at,
            )
    except IntegrityError as error:
        live = Job.objects.live().filter(kind=kind, subject_id=subject_id).first()
        if live is None:
            raise
        raise JobConflict(
            f"A {kind} is already {live.status} for this.", existing_id=live.public_id
        ) from error
    tell(job, "queued", at=at)
    queue.wake_on_commit(job.pk)
    return job


def claim(job_id: UUID, *, at: datetime) -> Job | None:
    """Take up a due job: a conditional UPDATE, so that of two workers only one gets it (the other None)."""
    claimed = (
        Job.objects.due(at)
        .filter(pk=job_id)
        .update(
            status=JobStatus.RUNNING,
            attempt=F("attempt") + 1,
            started_at=at,
            progress_at=at,
            lease_until=at + LEASE,
            phase="starting",
            done=0,
            total=0,
            error=None,
        )
    )
    return Job.objects.select_related("project", "started_by").get(pk=job_id) if claimed else None


def renew_lease(job: Job, *, at: datetime) -> bool:
    """False when this attempt does not hold the job any more."""
    return bool(Job.objects.held(job).update(lease_until=at + LEASE))


def succeed(job: Job, *, result: dict[str, Any], at: datetime) -> None:
    """Mark the job done.

    Raises JobCancelled when it is to be cancelled and LeaseLost when it is not ours any more; either undoes
    the caller's transaction.
    """
    _leave_running(job, JobStatus.SUCCEEDED, finished_at=at, result=result)
    tell(job, "succeeded", at=at)


def park(job: Job, *, until: datetime, reason: DomainError, at: datetime) -> None:
    """Put the job back until a time; `reason` is shown meanwhile.

    Raises JobCancelled when it is to be cancelled and LeaseLost when it is not ours any more.
    """
    with transaction.atomic():
        _leave_running(job, JobStatus.QUEUED, run_after=until, error=reason.as_problem(), phase="waiting")
        tell(job, "waiting", message=reason.detail, at=at)


def end(
    job: Job, status: JobStatus, *, at: datetime, error: DomainError | None = None, still: Q = EVER
) -> None:
    """Fail or cancel the attempt that `job` describes, and tell the app that owns this kind of job.

    What is to be cancelled is cancelled, even if it failed. Raises LeaseLost when the job is not ours any
    more, or not `still` as it was.
    """
    problem = error.as_problem() if error else None
    try:
        with transaction.atomic():
            _leave_running(job, status, still=still, finished_at=at, error=problem)
            tell(job, status, message=error.detail if error else "", at=at)
            kinds.named(job.kind).notify_ended(job, at=at)
    except JobCancelled:
        end(job, JobStatus.CANCELLED, at=at)


def lose(job: Job, *, at: datetime, still: Q = EVER) -> None:
    """The job's worker is gone: queue it again, fail it after the third time, or cancel it if that is due."""
    if job.losses + 1 >= MAX_LOSSES:
        error = WorkerLost(f"Its worker disappeared {MAX_LOSSES} times.")
        end(job, JobStatus.FAILED, at=at, error=error, still=still)
        return
    try:
        _requeue(job, at=at, still=still)
    except JobCancelled:
        end(job, JobStatus.CANCELLED, at=at)


def _requeue(job: Job, *, at: datetime, still: Q) -> None:
    with transaction.atomic():
        _leave_running(
            job,
            JobStatus.QUEUED,
            still=still,
            losses=job.losses + 1,
            run_after=at,
            sent_at=at,
            phase="worker lost",
        )
        tell(job, "worker lost", message="The worker disappeared; the job was queued again.", at=at)
        queue.wake_on_commit(job.pk)


def _leave_running(job: Job, status: JobStatus, *, still: Q = EVER, **values: Any) -> None:
    """The only way out of an attempt, whose one UPDATE decides: what is to be cancelled only gets cancelled.

    Raises JobCancelled for any other status then, and LeaseLost when the attempt does not hold the job any
    more or `still` is not true of it any more.
    """
    held = Job.objects.held(job).filter(still)
    allowed = held if status == JobStatus.CANCELLED else held.filter(cancel_requested_at=None)
    values |= {"status": status, "lease_until": None}
    if not allowed.update(**values):
        raise JobCancelled if held.exclude(cancel_requested_at=None).exists() else LeaseLost
    for name, value in values.items():
        setattr(job, name, value)


def cancel(job: Job, *, by: User | None, at: datetime) -> Job:
    """End a queued job at once; ask a running one to stop at its next step. Raises JobFinished."""
    with transaction.atomic():
        record("job.cancelled", job, project=job.project, by=by, at=at)
        return stop(job, at=at)


def stop(job: Job, *, at: datetime) -> Job:
    """A cancel by somebody who tells of it in the same transaction. Raises JobFinished."""
    # A running job may be parked just before it is asked to stop; then it is queued after all.
    if _cancel_queued(job, at=at) or _ask_to_stop(job, at=at) or _cancel_queued(job, at=at):
        return Job.objects.select_related("project").get(pk=job.pk)
    raise JobFinished("The job has already ended.")


def _cancel_queued(job: Job, *, at: datetime) -> bool:
    queued = Job.objects.filter(pk=job.pk, status=JobStatus.QUEUED)
    if not queued.update(status=JobStatus.CANCELLED, finished_at=at):
        return False
    job.refresh_from_db()
    tell(job, "cancelled", at=at)
    kinds.named(job.kind).notify_ended(job, at=at)
    return True


def _ask_to_stop(job: Job, *, at: datetime) -> bool:
    return bool(Job.objects.filter(pk=job.pk, status=JobStatus.RUNNING).update(cancel_requested_at=at))


def tell(job: Job, phase: str, *, at: datetime, message: str = "", done: int = 0, total: int = 0) -> None:
    """Add an event to the job's story, and a line to the log."""
    JobEvent.objects.create(
        job=job, seq=next_seq(job), at=at, phase=phase, message=message[:500], done=done, total=total
    )
    subject = encode(kinds.named(job.kind).subject_prefix, job.subject_id)
    logger.info(
        "%s %s",
        job.kind,
        phase,
        extra={"job_id": job.public_id, "subject_id": subject, "note": message or None},
    )
