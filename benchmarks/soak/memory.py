"""Memory of a process and all of its descendants over time, from proc(5).

Of what forked processes share, each has its part; files that are mapped into memory are the cache of all (Pss_Anon).
"""

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EVERY_SECONDS = 2.0
KB = 1024
MB = 1_000_000
Points = list[tuple[float, float]]


@dataclass(slots=True)
class Memory:
    """Samples (seconds, megabytes) of each role until `stop`."""

    pids: Mapping[str, int]
    curves: dict[str, Points] = field(default_factory=lambda: defaultdict(list))
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        start = time.monotonic()
        while not self._ended.wait(EVERY_SECONDS):
            children = _children()
            for role, pid in self.pids.items():
                bytes_ = sum(_resident(one) for one in _family(pid, children))
                self.curves[role].append((time.monotonic() - start, bytes_ / MB))

    def stop(self) -> None:
        self._ended.set()


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Megabytes an hour, by least squares over the second half: the first is warming up."""
    late = points[len(points) // 2 :]
    if len(late) < 2:  # noqa: PLR2004  a line needs two points
        return 0.0
    mean_x = sum(x for x, _ in late) / len(late)
    mean_y = sum(y for _, y in late) / len(late)
    spread = sum((x - mean_x) ** 2 for x, _ in late)
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in late) / spread


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                facts = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended meanwhile
                continue
            found[int(facts[1])].append(int(entry.name))
    return found


def _family(pid: int, children: Mapping[int, list[int]]) -> list[int]:
    return [pid, *(one for child in children.get(pid, ()) for one in _family(child, children))]


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    return next((KB * int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")), 0)
