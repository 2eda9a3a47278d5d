"""What people see of long work in a terminal: a bar that moves, or plain lines where nothing can move."""

import shutil
import sys
from collections.abc import Sequence
from typing import TextIO

BAR_WIDTH = 24


class Line:
    """One line that is written over on a terminal, and elsewhere written again whenever it changes.

    `only_moving`: progress is not told where it cannot move.
    """

    def __init__(self, stream: TextIO | None = None, *, only_moving: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.moves = self.stream.isatty()
        self.tells_progress = self.moves or not only_moving
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
        if not self.tells_progress:
            return
        if not self.moves or not total:
            self.show(phase)
            return
        filled = BAR_WIDTH * min(done, total) // total
        self.show(f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {phase} {done}/{total}")

    def finish(self) -> None:
        """Make place for what is written next: it takes this line on a terminal, and the next one elsewhere."""
        if self.moves and self._last:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
        self._last = ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
