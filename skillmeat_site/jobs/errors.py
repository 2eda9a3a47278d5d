"""How jobs can end badly, and the signals that pass between a task and its runner."""

from datetime import datetime

from skillmeat_site.errors import DomainError, Kind


class JobConflict(DomainError):
    """The same work is already queued or running for the same thing; there is never more than one."""

    code = "already_running"
    kind = Kind.CONFLICT
    title = "Already queued or running"
    hint = "Follow the job named in existing_id, or cancel it first."


class JobFinished(DomainError):
    """A job that has ended cannot be cancelled any more."""

    code = "job_finished"
    kind = Kind.CONFLICT
    title = "The job has ended"
    hint = "Start it again if you need to."


class WorkerLost(DomainError):
    """The worker that ran the job disappeared (killed, out of memory, machine restarted), three times."""

    code = "worker_lost"
    title = "The worker was lost"
    hint = "Look into the worker's log and memory, then start the job again."


class JobTimedOut(DomainError):
    """The job made no progress for two minutes, or took more than a quarter of an hour in all."""

    code = "job_timed_out"
    title = "The job took too long"
    hint = "Nothing was changed. Start it again; for a large repository point root_hint at a part of it."


class NotYet(Exception):
    """Raised by a task that has to wait: the job is parked until then and holds no worker."""

    def __init__(self, until: datetime, reason: DomainError) -> None:
        super().__init__(reason.detail)
        self.until = until
        self.reason = reason


class JobCancelled(Exception):
    """Raised when the job is to be cancelled, by whatever else would have become of it."""


class LeaseLost(Exception):
    """Raised inside a task when another attempt, or the reaper, has taken the job away from it."""
