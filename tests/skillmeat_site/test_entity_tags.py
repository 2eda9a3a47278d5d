"""Documents have entity tags; a client that has a document already does not get it again."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from skillmeat_site.accounts.models import Project
from tests.factories import EntryFactory, JobFactory, SourceFactory

API = "/api/v1"


@pytest.fixture
def addresses(api: APIClient) -> list[str]:
    """Every GET of the API that answers JSON, with rows to show."""
    api.get(f"{API}/me")
    source = SourceFactory()
    entry, job = EntryFactory(source=source), JobFactory(source=source)
    return [
        f"{API}/me",
        f"{API}/projects",
        f"{API}/projects/default",
        f"{API}/projects/default/members",
        f"{API}/tokens",
        f"{API}/audit-events",
        f"{API}/marketplace/sources",
        f"{API}/marketplace/sources/{source.public_id}",
        f"{API}/marketplace/sources/{source.public_id}/artifacts",
        f"{API}/marketplace/sources/{source.public_id}/jobs",
        f"{API}/marketplace/artifacts/{entry.public_id}",
        f"{API}/jobs",
        f"{API}/jobs/{job.public_id}",
        f"{API}/jobs/{job.public_id}/events",
        "/api/schema",
    ]


def test_every_document_has_a_tag_and_is_not_sent_twice(api: APIClient, addresses: list[str]) -> None:
    for address in addresses:
        first = api.get(address)
        assert first.status_code == 200, address
        again = api.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b""), address
        assert again["ETag"] == first["ETag"]
        assert again["Vary"] == first["Vary"]
        assert not {"Content-Type", "Content-Length"} & set(again.headers)
        assert again["X-Request-ID"]


def test_a_document_that_changed_is_sent_with_another_tag(api: APIClient, project: Project) -> None:
    address = f"{API}/projects/default"
    api.get(address)
    old = api.get(address)["ETag"]
    api.patch(address, {"name": "Ours"})
    response = api.get(address, headers={"If-None-Match": old})
    assert (response.status_code, response.json()["name"]) == (200, "Ours")
    assert response["ETag"] != old


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ("*", 304),
        ('"other"', 200),
        ("nonsense", 200),
        ("", 200),
    ],
)
def test_tags_are_compared_as_the_rfc_says(
    api: APIClient, project: Project, written: str, status: int
) -> None:
    address = f"{API}/projects/default"
    tag = api.get(address)["ETag"]
    assert api.get(address, headers={"If-None-Match": written.format(tag=tag)}).status_code == status


def test_head_has_the_tag_of_get(api: APIClient, project: Project) -> None:
    address = f"{API}/projects/default"
    tag = api.get(address)["ETag"]
    assert api.head(address)["ETag"] == tag
    assert api.head(address, headers={"If-None-Match": tag}).status_code == 304


def test_problems_and_what_is_made_have_no_tag(api: APIClient) -> None:
    everything = {"If-None-Match": "*"}
    for response in (
        api.get(f"{API}/projects/nothing", headers=everything),
        api.get(f"{API}/projects?unknown=1", headers=everything),
        api.post(f"{API}/tokens", {"name": "laptop"}, headers=everything),
        api.get("/healthz", headers=everything),
    ):
        assert response.status_code in {200, 201, 400, 404}
        assert "ETag" not in response


@pytest.mark.usefixtures("multi_user")
def test_a_tag_opens_nothing_to_a_stranger(api: APIClient) -> None:
    response = api.get(f"{API}/me", headers={"If-None-Match": "*"})
    assert response.status_code == 401
    assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))


def test_answers_depend_on_who_asks_and_belong_to_no_shared_cache(api: APIClient) -> None:
    response = api.get(f"{API}/me")
    assert {"Authorization", "Cookie"} <= set(response["Vary"].split(", "))
    assert response["Cache-Control"] == "private, no-cache"


def test_the_schema_tells_of_tags_and_limits(api: APIClient) -> None:
    document: dict[str, Any] = api.get("/api/schema", headers={"Accept": "application/json"}).json()
    read = [item["get"] for item in document["paths"].values() if "get" in item]
    tagged = [one for one in read if "application/json" in one["responses"]["200"]["content"]]
    assert len(tagged) >= 12
    for operation in tagged:
        assert "ETag" in operation["responses"]["200"]["headers"]
        assert "content" not in operation["responses"]["304"]
        assert "If-None-Match" in [one["name"] for one in operation["parameters"]]
    for item in document["paths"].values():
        for operation in item.values():
            assert "Retry-After" in operation["responses"]["429"]["headers"]
            assert {name for one in operation["security"] for name in one} == {"token", "session"}
    schemes = document["components"]["securitySchemes"]
    assert (schemes["token"]["scheme"], schemes["session"]["in"]) == ("bearer", "cookie")
