"""Is the server ready for work: database, migrations, queue and workers, each as one short sentence."""

from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from skillmeat_site.api.views import only_to_be_read
from skillmeat_site.jobs import queue
from skillmeat_site.jobs.models import Worker

NO_WORKER = "no worker has reported for 30 seconds; start one with: python manage.py worker"


def worker_missing() -> str:
    """A sentence when no worker is alive, else an empty string."""
    return "" if Worker.objects.alive(timezone.now()).exists() else NO_WORKER


def _database() -> str:
    connection.ensure_connection()
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "migrations are pending; run: python manage.py migrate" if pending else ""


def _queue() -> str:
    if settings.SKILLMEAT_QUEUE_URL:  # otherwise the queue is the database
        queue.ping()
    return ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "queue": _queue,
    "worker": worker_missing,
}


def complaints() -> Iterator[tuple[str, str]]:
    """(check, what is wrong) for each check that fails; the database's failure stands for the others'."""
    for name, check in CHECKS.items():
        try:
            complaint = check()
        except DatabaseError:
            yield "database", "the database does not answer"
            return
        except Exception:  # noqa: BLE001  whatever the broker's client raises, the answer is the same
            complaint = f"the {name} does not answer"
        if complaint:
            yield name, complaint


@only_to_be_read
def healthz(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@only_to_be_read
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when everything that work needs is there, else 503 with what is wrong."""
    wrong = dict(complaints())
    if wrong:
        return JsonResponse({"status": "unavailable", "wrong": wrong}, status=503)
    return JsonResponse({"status": "ok"})
