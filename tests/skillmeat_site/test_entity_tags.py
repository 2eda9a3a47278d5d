"""Documents have entity tags; a client that has a document already does not get it again."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from skillmeat_site.accounts.models import Project

API = "/api/v1"


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


def test_the_schema_names_the_ways_to_say_who_one_is(api: APIClient) -> None:
    document: dict[str, Any] = api.get("/api/schema").json()
    schemes = document["components"]["securitySchemes"]
    assert (schemes["token"]["scheme"], schemes["session"]["in"]) == ("bearer", "cookie")
    for item in document["paths"].values():
        for operation in item.values():
            assert {name for one in operation["security"] for name in one} == {"token", "session"}


def test_the_schema_has_a_tag_that_stays(api: APIClient) -> None:
    tag = api.get("/api/schema")["ETag"]
    assert api.get("/api/schema", headers={"If-None-Match": tag}).status_code == 304
