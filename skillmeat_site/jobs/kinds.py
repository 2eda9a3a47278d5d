"""Which kinds of jobs there are; each app registers its own, so this room knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from skillmeat_site.jobs.models import Job
    from skillmeat_site.jobs.runner import JobRun


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """A kind of job.

    `task`: dotted name of `task(run: JobRun)`, which does the work and ends with `run.succeed` in the
    transaction that saves it. `ended`: dotted name of `ended(job, at=)`, called in the transaction in which
    a job fails or is cancelled, whoever ends it. `subject_prefix`: the id prefix of what it works on.
    """

    name: str
    subject_prefix: str
    task: str
    ended: str

    def load_task(self) -> "Callable[[JobRun], None]":
        return cast("Callable[[JobRun], None]", import_string(self.task))

    def notify_ended(self, job: "Job", *, at: datetime) -> None:
        import_string(self.ended)(job, at=at)


_kinds: dict[str, JobKind] = {}


def register(kind: JobKind) -> None:
    _kinds[kind.name] = kind


def named(name: str) -> JobKind:
    """KeyError for a kind that no installed app registered."""
    return _kinds[name]


def registered() -> tuple[JobKind, ...]:
    return tuple(_kinds.values())
