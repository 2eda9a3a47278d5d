"""The cluster of worker processes, watched from outside.

django-q2 hangs for good when an idle worker process is killed, because that process held the lock of the
queue; from inside nobody notices. So the cluster runs as a process group of its own, and is replaced when
jobs are due, processes are free, and nothing is taken up. The other way round, it watches a pipe that closes
when its worker ends, so that not even a killed worker leaves it behind.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta

from django.conf import settings

from skillmeat_site.jobs.models import Job, JobStatus, Worker

logger = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=20)
STOP_SECONDS = 15.0


def is_stalled(*, at: datetime, since: datetime) -> bool:
    """Whether a cluster that is up `since` then ought to have taken up a job by now and has not."""
    if at - since < PATIENCE or not Job.objects.due(at - PATIENCE).exists():
        return False
    recently = Job.objects.filter(started_at__gt=at - PATIENCE).exists()
    running = Job.objects.filter(status=JobStatus.RUNNING).count()
    capacity = settings.SKILLMEAT_WORKERS * max(1, Worker.objects.alive(at).count())
    return not recently and running < capacity


class Cluster:
    """`manage.py cluster` as a child in its own process group."""

    def __init__(self) -> None:
        self.restarts = -1
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.restarts += 1
        self._process = subprocess.Popen(  # noqa: S603  our own interpreter and command
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "cluster"],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Let running tasks finish for so long, then end what is left; an unfinished job is taken up again."""
        if self._process is None:
            return
        if seconds > 0:
            self._process.terminate()
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                logger.warning("Some tasks did not finish in time; they will be taken up again")
        self._kill_group(self._process)
        self._process = None

    @staticmethod
    def _kill_group(process: "subprocess.Popen[bytes]") -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
