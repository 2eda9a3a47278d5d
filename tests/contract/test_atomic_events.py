"""A change and its event stand and fall together: where the event cannot be written, nothing is changed.

That each change leaves its events and nothing else does is told by the matrix.
"""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from rest_framework.test import APIClient

from marketplace.models import Blob, Manifest
from tests.contract.schema import OPERATIONS, address_of
from tests.contract.table import TABLE, Case, cases
from tests.contract.world import World

REFUSALS = {
    "sqlite": "CREATE TRIGGER full BEFORE INSERT ON audit_auditevent BEGIN SELECT RAISE(ABORT, 'full'); END",
    "postgresql": "ALTER TABLE audit_auditevent ADD CONSTRAINT full_trail CHECK (false) NOT VALID",
}
# Files that an import or a deploy wants are noted before the change and forgotten after a day.
NOT_ROWS_OF_THE_CHANGE = {Blob, Manifest}
MUTATING = [
    pytest.param(operation, case, id=name)
    for operation, case, name in cases()
    if case.verbs and not case.on_disk  # files are no part of a transaction
]


@pytest.fixture(autouse=True)
def local_operator(api: APIClient) -> None:
    """He is made by his first request."""
    api.get("/api/v1/me")
    api.raise_request_exception = False


def everything() -> dict[str, list[Any]]:
    """Every row of every table."""
    models = set(apps.get_models()) - NOT_ROWS_OF_THE_CHANGE
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}


def changed(before: dict[str, list[Any]]) -> list[str]:
    """The tables that are not as they were."""
    now = everything()
    return [label for label, rows in before.items() if now[label] != rows]


def fill_the_trail() -> None:
    with connection.cursor() as cursor:
        cursor.execute(REFUSALS[connection.vendor])


def test_every_operation_that_changes_something_is_tried() -> None:
    tried = {parameter.values[0] for parameter in MUTATING}
    silent = {name for name, listed in TABLE.items() if not any(case.verbs for case in listed)}
    on_disk = {name for name, listed in TABLE.items() if any(case.on_disk for case in listed)}
    of_nobody = {"DELETE /api/v1/tokens/{id}"}  # see below
    assert tried | silent | on_disk == set(OPERATIONS)
    assert {name for name in silent if not name.startswith("GET ")} == of_nobody | {
        "POST /api/v1/deployments/{id}/verify",
        "POST /api/v1/marketplace/infer-url",
    }


@pytest.mark.parametrize(("operation", "case"), MUTATING)
def test_a_change_that_cannot_be_told_is_not_made(
    api: APIClient, ours: World, operation: str, case: Case
) -> None:
    before = everything()
    fill_the_trail()
    sent = case.sent(ours)
    method, address = operation.partition(" ")[0].lower(), address_of(operation, case.names(ours))
    response = getattr(api, method)(address + sent["query"], sent.get("data"), headers=sent["headers"])
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/internal_error"
    assert changed(before) == []


def test_a_token_whose_end_cannot_be_told_still_opens(api: APIClient, ours: World) -> None:
    made = api.post("/api/v1/tokens", {"name": "laptop"}).json()
    before = everything()
    fill_the_trail()
    assert api.delete(f"/api/v1/tokens/{made['id']}").status_code == 500
    assert changed(before) == []
