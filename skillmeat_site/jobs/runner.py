"""Running one attempt at a job in a worker: claim, context, lease, and how each way of ending is written down."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connections
from django.utils import timezone

from skillmeat_site import logs
from skillmeat_site.errors import DomainError
from skillmeat_site.jobs import kinds, operations
from skillmeat_site.jobs.errors import JobCancelled, JobTimedOut, LeaseLost, NotYet
from skillmeat_site.jobs.models import Job, JobStatus

logger = logging.getLogger(__name__)
RENEW_EVERY_SECONDS = 5.0
WRITE_EVERY = timedelta(seconds=1)


class Meter(Protocol):
    """What an attempt has cost at the other side so far."""

    requests: int
    bytes: int
    remaining: int | None
    resets_at: datetime | None


class JobRun:
    """One attempt at a job, as its task sees it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.meter: Meter | None = None
        self._written_at: datetime | None = None

    def progress(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Report how far the attempt is: every new phase at once, steps within one once a second at most.

        Raises JobCancelled when somebody asked for that, LeaseLost when the job was taken away.
        """
        at = timezone.now()
        new_phase = phase != self.job.phase
        self.job.phase, self.job.done, self.job.total = phase, done, total
        if not new_phase and self._written_at and at - self._written_at < WRITE_EVERY:
            return
        self._written_at = at
        self._write(at)
        operations.tell(self.job, phase, at=at, done=done, total=total)

    def lock(self) -> None:
        """Hold the job until the transaction ends, before any row of what it is for: all lock in this order."""
        Job.objects.held(self.job).select_for_update(of=("self",)).first()

    def succeed(self, result: dict[str, Any]) -> None:
        """End well; belongs into the transaction that saves what the job was for.

        Raises JobCancelled when somebody asked for that, LeaseLost when the job was taken away.
        """
        Job.objects.held(self.job).update(**self._costs())
        operations.succeed(self.job, result=result, at=timezone.now())

    def write_costs(self) -> None:
        Job.objects.held(self.job).update(**self._costs())

    def _write(self, at: datetime) -> None:
        values = {"phase": self.job.phase, "done": self.job.done, "total": self.job.total, "progress_at": at}
        held = Job.objects.held(self.job)
        if not held.update(**values, **self._costs()):
            raise LeaseLost
        if held.exclude(cancel_requested_at=None).exists():
            raise JobCancelled

    def _costs(self) -> dict[str, Any]:
        meter = self.meter
        if meter is None:
            return {"github_requests": self.job.github_requests}
        return {
            "github_requests": meter.requests,
            "github_bytes": meter.bytes,
            "github_remaining": meter.remaining,
            "github_resets_at": meter.resets_at,
        }


def run(job_id: str) -> None:
    """What a worker does with a message from the queue. A job that is not due, or taken, is left alone."""
    job = operations.claim(UUID(job_id), at=timezone.now())
    if job is None:
        return
    subject = {f"{job.kind}_of": job.subject_public_id}
    with logs.bound(job_id=job.public_id, request_id=job.request_id, **subject), _leased(job):
        attempt = JobRun(job)
        try:
            _attempt(attempt)
        except LeaseLost:
            logger.warning("Another attempt has taken this job; this one stops")


def _attempt(attempt: JobRun) -> None:
    try:
        _do_or_park(attempt)
    except LeaseLost:
        raise
    except JobCancelled:
        attempt.write_costs()
        operations.end(attempt.job, JobStatus.CANCELLED, at=timezone.now())
    except DomainError as error:
        _fail(attempt, error)
    except SystemExit:  # this is how django-q2 ends a task that has used up its time
        _fail(attempt, JobTimedOut("The job took more time than any job may."))
        raise
    except (OperationalError, InterfaceError):
        logger.warning("The database went away during the job", exc_info=True)
        connections.close_all()
        operations.lose(attempt.job, at=timezone.now())
    except Exception as error:
        logger.exception("The job failed unexpectedly")
        _fail(
            attempt, DomainError(f"An unexpected {type(error).__name__} ended it; the worker's log has more.")
        )


def _do_or_park(attempt: JobRun) -> None:
    try:
        kinds.named(attempt.job.kind).load_task()(attempt)
    except NotYet as wait:
        attempt.write_costs()
        operations.park(attempt.job, until=wait.until, reason=wait.reason, at=timezone.now())


def _fail(attempt: JobRun, error: DomainError) -> None:
    attempt.write_costs()
    operations.end(attempt.job, JobStatus.FAILED, at=timezone.now(), error=error)


@contextmanager
def _leased(job: Job) -> Iterator[None]:
    """Keep the job's lease fresh from a thread, so that silence means a dead process and nothing else."""
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(RENEW_EVERY_SECONDS):
            try:
                if not operations.renew_lease(job, at=timezone.now()):
                    break
            except Error:
                logger.warning("The lease could not be renewed", exc_info=True)
                connections.close_all()  # the next try gets a fresh one
        connections.close_all()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
