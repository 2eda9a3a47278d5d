"""Tasks of a job kind that only tests register; what a task does is said by the `behaviours` it is given."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from skillmeat_site.jobs.models import Job
from skillmeat_site.jobs.runner import JobRun

NAME = "errand"
behaviours: dict[UUID, Callable[[JobRun], None]] = {}
ended_jobs: list[tuple[str, str]] = []


def task(run: JobRun) -> None:
    """Do what the test planned for this subject."""
    behaviours[run.job.subject_id](run)


def ended(job: Job, *, at: datetime) -> None:
    """Note the end, as a test wants to see that it was told."""
    assert at
    ended_jobs.append((job.public_id, job.status))
