"""What pure code costs, in a number that is the same on every machine."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def calls(act: Callable[[], object], *, at_most: int) -> int:
    """How many functions `act` calls, Python's own among them; it ends with an AssertionError beyond `at_most`."""
    called = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal called
        called += event in ("call", "c_call")
        assert called <= at_most, f"more than {at_most:,} calls"

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return called
