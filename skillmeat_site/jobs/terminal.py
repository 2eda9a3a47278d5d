"""Long work on a terminal: a bar that moves, or one line per phase where nothing can move."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

from skillmeat_site.jobs.health import worker_missing
from skillmeat_site.jobs.models import Job, JobStatus

POLL_SECONDS = 0.3
BAR_WIDTH = 24
ASK_FOR_WORKER_AFTER = 5.0


class Follower:
    """Shows how jobs come along until they have ended."""

    def __init__(self, stream: TextIO | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.stream = stream or sys.stderr
        self.moves = self.stream.isatty()
        self.sleep = sleep
        self._last = ""

    def follow(self, job: Job, label: str) -> Job:
        """Wait for the job's end and return it as it ended.

        While it is only queued and no worker is alive, that is said, with what to do; it goes on waiting.
        """
        waited = 0.0
        while job.is_live:
            self._show(self._line(job, label, waited))
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            job.refresh_from_db()
        self._show(f"{label}: {ending(job)}")
        self._finish_line()
        return job

    def _line(self, job: Job, label: str, waited: float) -> str:
        if job.status == JobStatus.QUEUED:
            missing = worker_missing() if waited > ASK_FOR_WORKER_AFTER else ""
            reason = missing or (job.error or {}).get("detail", "")
            return f"{label}: queued{f' ({reason})' if reason else ''}"
        if not self.moves or job.percent is None:
            return f"{label}: {job.phase}"
        filled = BAR_WIDTH * job.percent // 100
        return f"{label}: [{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {job.phase} {job.done}/{job.total}"

    def _show(self, line: str) -> None:
        if line == self._last:
            return
        self._last = line
        if self.moves:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\x1b[K{line[:width]}")
        else:
            self.stream.write(f"{line}\n")
        self.stream.flush()

    def _finish_line(self) -> None:
        if self.moves:
            self.stream.write("\n")
        self._last = ""


def ending(job: Job) -> str:
    """How a job ended, in a line."""
    if job.status == JobStatus.SUCCEEDED:
        facts = job.result or {}
        if facts.get("not_modified"):
            return "nothing changed"
        return ", ".join(f"{value} {name}" for name, value in facts.items() if name != "not_modified")
    error = job.error or {}
    return " ".join(filter(None, [f"{job.status}.", error.get("detail", ""), error.get("hint", "")]))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
