"""Documents have entity tags, and addresses answer HEAD, OPTIONS and wrong methods as HTTP says."""

import pytest
from rest_framework.test import APIClient

from tests.contract.schema import JSON, OPERATIONS, READ, address_of
from tests.contract.table import TABLE
from tests.contract.world import World

DOCUMENTS = [name for name in READ if JSON in OPERATIONS[name]["responses"]["200"]["content"]]
FILES = [name for name in READ if "text/plain" in OPERATIONS[name]["responses"]["200"]["content"]]


def address(operation: str, world: World) -> str:
    (case,) = TABLE[operation]
    return address_of(operation, case.names(world)) + case.query


@pytest.mark.parametrize("operation", [*DOCUMENTS, *FILES])
def test_what_a_client_has_is_not_sent_again(api: APIClient, ours: World, operation: str) -> None:
    api.get("/api/v1/me")
    asked = address(operation, ours)
    first = api.get(asked)
    assert first.status_code == 200, first.content
    again = api.get(asked, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Vary"] == first["Vary"]
    assert not {"Content-Type", "Content-Length"} & set(again.headers)
    assert api.get(asked, headers={"If-None-Match": '"other"'}).status_code == 200


def test_every_document_says_that_it_has_a_tag() -> None:
    for name in DOCUMENTS:
        operation = OPERATIONS[name]
        assert "ETag" in operation["responses"]["200"]["headers"], name
        assert "content" not in operation["responses"]["304"], name
        assert "If-None-Match" in [one["name"] for one in operation["parameters"]], name


def test_every_limit_says_when_to_come_back() -> None:
    for name, operation in OPERATIONS.items():
        assert "Retry-After" in operation["responses"]["429"]["headers"], name
