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


class Line:
    """One line that is written over on a terminal, and elsewhere written again whenever it changes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.moves = self.stream.isatty()
        self._last = ""

    def show(self, text: str) -> None:
        if text == self._last:
            return
        self._last = text
        if self.moves:
            width = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\x1b[K{text[:width]}")
        else:
            self.stream.write(f"{text}\n")
        self.stream.flush()

    def progress(self, phase: str, done: int = 0, total: int = 0) -> None:
        """A bar where one can move, else the phase alone."""
        if not self.moves or not total:
            self.show(phase)
            return
        filled = BAR_WIDTH * min(done, total) // total
        self.show(f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {phase} {done}/{total}")

    def finish(self) -> None:
        if self.moves and self._last:
            self.stream.write("\n")
        self._last = ""


class Follower:
    """Shows how jobs come along until they have ended."""

    def __init__(self, stream: TextIO | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.line = Line(stream)
        self.sleep = sleep

    def follow(self, job: Job, label: str) -> Job:
        """Wait for the job's end and return it as it ended.

        While it is only queued and no worker is alive, that is said, with what to do; it goes on waiting.
        """
        waited = 0.0
        while job.is_live:
            self._show(job, label, waited)
            self.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            job.refresh_from_db()
        self.line.show(f"{label}: {ending(job)}")
        self.line.finish()
        return job

    def _show(self, job: Job, label: str, waited: float) -> None:
        if job.status == JobStatus.QUEUED:
            missing = worker_missing() if waited > ASK_FOR_WORKER_AFTER else ""
            reason = missing or (job.error or {}).get("detail", "")
            self.line.show(f"{label}: queued{f' ({reason})' if reason else ''}")
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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
