"""The parent of the cluster: reports itself alive, reaps, and replaces a cluster that died or hangs."""

import logging
import os
import socket
import threading
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from skillmeat_site.jobs import queue, reaper
from skillmeat_site.jobs.models import Worker
from skillmeat_site.jobs.watchdog import Cluster, is_stalled

logger = logging.getLogger(__name__)
PASS_SECONDS = 3.0
FORGET_WORKERS_AFTER = timedelta(days=1)


class Supervisor:
    """One `manage.py worker` process."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._cluster = Cluster()
        self._stalled = False
        self._up_since = timezone.now()
        self._row = Worker(
            host=socket.gethostname()[:255],
            pid=os.getpid(),
            started_at=self._up_since,
            seen_at=self._up_since,
        )

    @property
    def restarts(self) -> int:
        """How often a cluster that died or hung was replaced."""
        return self._cluster.restarts

    def run(self) -> None:
        """Work until `stopping` is set, then stop the cluster and take the worker's row away."""
        queue.install_schedules()
        self._row.save(force_insert=True)
        self._start_cluster()
        logger.info("Worker started", extra={"pid": self._row.pid})
        try:
            while not self.stopping.wait(PASS_SECONDS):
                self._one_pass()
        finally:
            logger.info("Worker stopping")
            self._cluster.stop()
            Worker.objects.filter(pk=self._row.pk).delete()

    def _one_pass(self) -> None:
        """Database trouble is logged and survived: the next pass tries again."""
        close_old_connections()
        at = timezone.now()
        try:
            self._report(at)
            reaper.reap(at=at)
            self._look_after_cluster(at)
        except DatabaseError:
            logger.exception("The database did not answer; the worker goes on trying")

    def _report(self, at: datetime) -> None:
        self._row.seen_at, self._row.restarts = at, self._cluster.restarts
        Worker.objects.update_or_create(
            pk=self._row.pk,
            defaults={"seen_at": at, "restarts": self._row.restarts},
            create_defaults={
                "host": self._row.host,
                "pid": self._row.pid,
                "started_at": self._row.started_at,
                "seen_at": at,
            },
        )
        Worker.objects.filter(seen_at__lt=at - FORGET_WORKERS_AFTER).delete()

    def _look_after_cluster(self, at: datetime) -> None:
        if not self._cluster.is_running():
            logger.error("The task processes ended by themselves; starting them again")
        elif self._stalled_for_two_passes(at):
            logger.error("Jobs are due and nothing takes them up; replacing the task processes")
        else:
            return
        self._cluster.stop(seconds=0)
        self._start_cluster()

    def _stalled_for_two_passes(self, at: datetime) -> bool:
        """One look may fall between the end of a job and the taking up of the next."""
        before, self._stalled = self._stalled, is_stalled(at=at, since=self._up_since)
        return before and self._stalled

    def _start_cluster(self) -> None:
        self._cluster.start()
        self._up_since = timezone.now()
