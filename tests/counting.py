"""What something costs in numbers that are the same on every machine: queries, and calls of functions."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

MANY = 30


def queries(api: APIClient, address: str, *, rows: int) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = api.get(address)
    assert len(response.json()["items"]) == rows
    return len(captured)


def cost(api: APIClient, address: str, add: Callable[[int], object]) -> tuple[int, int]:
    """The queries for one row and for many."""
    api.get(address)  # makes the local operator
    add(1)
    one = queries(api, address, rows=1)
    add(MANY - 1)
    return one, queries(api, address, rows=MANY)


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
