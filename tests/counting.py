"""How many queries a list costs, for one row and for many."""

from collections.abc import Callable

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
