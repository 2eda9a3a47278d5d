"""Counting requests within windows of time, for all processes together and without losing one.

Redis counts where it is the queue anyway. Elsewhere files do: a hit appends one byte, which the kernel does
atomically for local files (open(2), O_APPEND), and a file's size is the count. Django's own file cache would
read, add and write, and so lose hits exactly when many come at once.
"""

import math
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.cache import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The present stretch of time of `seconds`; windows of one length follow each other without a gap."""

    seconds: int
    number: int

    @classmethod
    def now(cls, seconds: int) -> "Window":
        return cls(seconds=seconds, number=int(time.time() // seconds))

    @property
    def left(self) -> int:
        """Whole seconds, at least one, after which the next window has begun."""
        return max(1, math.ceil((self.number + 1) * self.seconds - time.time()))


class Counters(Protocol):
    """Counts by window and key; a key is made of letters, digits, hyphens, dots and colons."""

    def hit(self, window: Window, key: str) -> int:
        """How many hits there are, this one included. Never fewer than there were."""

    def count(self, window: Window, key: str) -> int:
        """How many hits there are."""


class RedisCounters:
    def hit(self, window: Window, key: str) -> int:
        name = self._name(window, key)
        try:
            return cache.incr(name)
        except ValueError:
            first = cache.add(name, 1, timeout=2 * window.seconds)
        return 1 if first else cache.incr(name)

    def count(self, window: Window, key: str) -> int:
        return int(cache.get(self._name(window, key), 0))

    @staticmethod
    def _name(window: Window, key: str) -> str:
        return f"throttle:{window.seconds}:{window.number}:{key}"


@dataclass(frozen=True, slots=True)
class FileCounters:
    """A directory per window, a file per key. Whoever opens a window removes those that are over."""

    root: Path

    def hit(self, window: Window, key: str) -> int:
        file = self._file(window, key)
        try:
            return self._append(file)
        except FileNotFoundError:
            self._open_window(window)
            return self._append(file)

    def count(self, window: Window, key: str) -> int:
        try:
            return self._file(window, key).stat().st_size
        except FileNotFoundError:
            return 0

    def _directory(self, window: Window) -> Path:
        return self.root / str(window.seconds) / str(window.number)

    def _file(self, window: Window, key: str) -> Path:
        return self._directory(window) / key

    @staticmethod
    def _append(file: Path) -> int:
        with file.open("ab", buffering=0) as opened:
            opened.write(b".")
            return os.fstat(opened.fileno()).st_size

    def _open_window(self, window: Window) -> None:
        directory = self._directory(window)
        directory.mkdir(parents=True, exist_ok=True)
        for other in directory.parent.iterdir():
            if other.name.isdigit() and int(other.name) < window.number:
                shutil.rmtree(other, ignore_errors=True)


def shared_counters() -> Counters:
    """Those that all processes of this server count with."""
    if settings.SKILLMEAT_QUEUE_URL:
        return RedisCounters()
    return FileCounters(settings.SKILLMEAT_DATA_DIR / "cache" / "throttle")
