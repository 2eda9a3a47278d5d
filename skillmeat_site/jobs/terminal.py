"""Jobs as somebody who waits for them in a terminal sees them."""

import time
from collections.abc import Callable

from skillmeat_site.jobs.health import worker_missing
from skillmeat_site.jobs.models import Job, JobStatus
from skillmeat_site.terminal import Line

POLL_SECONDS = 0.3
ASK_FOR_WORKER_AFTER = 5.0


class Follower:
    """Shows how jobs come along until they have ended, and then makes place for what is said of it."""

    def __init__(self, line: Line, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.line = line
        self.sleep = sleep

    def follow(self, job: Job, label: str) -> Job:
        """Wait for the job's end, however often it is put back, and return it as it ended.

        While it is only queued and no worker is alive, that is said, with what to do; it goes on waiting.
        """
        waited = 0.0
        while job.is_live:
            self._show(job, label, waited)
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            job.refresh_from_db()
        self.line.finish()
        return job

    def _show(self, job: Job, label: str, waited: float) -> None:
        if job.status == JobStatus.QUEUED:
            missing = worker_missing() if waited > ASK_FOR_WORKER_AFTER else ""
            reason = missing or (job.error or {}).get("detail", "")
            if reason:
                self.line.show(f"{label}: queued ({reason})")
            else:
                self.line.progress(f"{label}: queued")
        else:
            self.line.progress(f"{label}: {job.phase}", job.done, job.total)


def ending(job: Job) -> str:
    """How a job ended, in a line."""
    if job.status == JobStatus.SUCCEEDED:
        facts = job.result or {}
        if facts.get("not_modified"):
            return "nothing changed"
        return ", ".join(f"{value} {name}" for name, value in facts.items() if name != "not_modified")
    error = job.error or {}
    return " ".join(filter(None, [f"{job.status}.", error.get("detail", ""), error.get("hint", "")]))
