"""The only speaker of django-q2: telling workers that a job waits, and what they are to run regularly."""

import logging
from uuid import UUID

from django.db import transaction
from django_q.brokers import get_broker
from django_q.models import Schedule
from django_q.tasks import async_task

from skillmeat_site.jobs import schedules

logger = logging.getLogger(__name__)
ENTRY_POINT = "skillmeat_site.jobs.runner.run"


def wake_on_commit(job_id: UUID) -> None:
    """Tell a worker about this job once the present transaction is saved.

    The message may arrive twice or never: claiming the row makes the first harmless, the reaper sends it
    again for the second. So a queue that is down does not fail the caller.
    """
    transaction.on_commit(lambda: wake(job_id))


def wake(job_id: UUID) -> None:
    try:
        async_task(ENTRY_POINT, str(job_id), task_name=str(job_id))
    except Exception:
        logger.exception(
            "The queue could not be reached; the reaper will try again", extra={"job_id": job_id}
        )


def ping() -> None:
    """Raises whatever the broker's client raises when the queue does not answer."""
    get_broker().ping()


def is_empty() -> bool:
    """Whether no message waits to be taken; False as well when the queue does not answer."""
    try:
        return not get_broker().queue_size()
    except Exception:
        logger.warning("The queue could not be reached", exc_info=True)
        return False


def install_schedules() -> None:
    """Make the queue's schedules equal to what is registered; when each runs next is left alone."""
    for periodic in schedules.registered():
        values = {
            "func": periodic.function,
            "schedule_type": Schedule.MINUTES,
            "minutes": periodic.minutes,
            "repeats": -1,
        }
        same = Schedule.objects.filter(name=periodic.name).order_by("pk")
        if not same.update(**values):
            Schedule.objects.create(name=periodic.name, **values)
        # Names are not unique: two workers that start at once may both have added it.
        same.exclude(pk__in=same.values("pk")[:1]).delete()
    names = [periodic.name for periodic in schedules.registered()]
    Schedule.objects.exclude(name__in=names).delete()
