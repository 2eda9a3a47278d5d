"""`/collections` and `/collections/{id}/artifacts`: create, list, show, change, delete."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from collections_app.models import Artifact, ArtifactVersion, Collection
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import LONG_AGO, ArtifactFactory, CollectionFactory, EntryFactory, ProjectFactory

Client = Callable[..., APIClient]
Member = Callable[..., User]
URL = "/api/v1/collections"
OTHER = "sha256:" + "1" * 64


def url(collection: Collection, what: str = "") -> str:
    return f"{URL}/{collection.public_id}{what}"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [item["name"] for item in answer.json()["items"]]


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def test_a_collection_is_created_and_shown(project: Any, api: APIClient) -> None:
    body = {"name": "Ours", "description": "What we use", "refresh_interval": 900}
    answer = api.post(URL, body)
    assert answer.status_code == 201
    shown = answer.json()
    assert {name: shown[name] for name in body} == body
    assert (shown["project"], shown["artifact_count"]) == ("default", 0)
    assert shown["next_refresh_at"]
    assert answer["Location"] == f"{URL}/{shown['id']}"
    assert api.get(answer["Location"]).json() == shown
    (event,) = AuditEvent.objects.all()
    assert event.verb == "collection.created"


def test_a_name_is_there_once_in_a_project(project: Any, api: APIClient) -> None:
    first = CollectionFactory(name="Ours")
    CollectionFactory(name="Theirs", project=ProjectFactory())
    answer = api.post(URL, {"name": "Ours"})
    assert (answer.status_code, answer.json()["existing_id"]) == (409, first.public_id)
    assert api.post(URL, {"name": "Theirs"}).status_code == 201
    other = CollectionFactory()
    assert api.patch(url(other), {"name": "Ours"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/name"),
        ({"name": None}, 400, "/name"),
        ({"name": 5}, 400, "/name"),
        ({"name": ""}, 422, "/name"),
        ({"name": "x" * 201}, 422, "/name"),
        ({"name": "x", "description": "x" * 501}, 422, "/description"),
        ({"name": "x", "refresh_interval": 899}, 422, "/refresh_interval"),
        ({"name": "x", "refresh_interval": "900"}, 400, "/refresh_interval"),
        ({"name": "x", "owner": "x"}, 400, "/owner"),
    ],
)
def test_what_cannot_be_read_or_makes_no_sense(
    project: Any, api: APIClient, body: Any, status: int, pointer: str
) -> None:
    answer = api.post(URL, body)
    assert (answer.status_code, pointers(answer)) == (status, [pointer])
    if "name" in body:
        answer = api.patch(url(CollectionFactory()), body)
        assert (answer.status_code, pointers(answer)) == (status, [pointer])


def test_only_what_is_given_is_changed_and_null_clears(project: Any, api: APIClient) -> None:
    collection = CollectionFactory(name="Ours", description="Old", refresh_interval=900)
    assert api.patch(url(collection), {"description": None}).json()["description"] is None
    answer = api.patch(url(collection), {"refresh_interval": None}).json()
    assert (answer["name"], answer["refresh_interval"], answer["next_refresh_at"]) == ("Ours", None, None)
    assert AuditEvent.objects.count() == 2
    assert api.patch(url(collection), {}).status_code == 200
    assert AuditEvent.objects.count() == 2


def test_collections_are_found_by_text_and_project(project: Any, api: APIClient) -> None:
    other = ProjectFactory(slug="other")
    CollectionFactory(name="Über PDF", project=project)
    CollectionFactory(name="two", description="about PDF", project=project)
    CollectionFactory(name="three", project=other)
    assert names(api.get(URL)) == ["two", "Über PDF"]
    assert names(api.get(f"{URL}?search=pdf")) == ["two", "Über PDF"]
    assert names(api.get(f"{URL}?search=ÜBER")) == ["Über PDF"]
    assert names(api.get(f"{URL}?project=default&limit=1")) == ["two"]
    assert names(api.get(f"{URL}?project=other")) == []
    assert pointers(api.get(f"{URL}?name=x")) == ["?name"]


def test_deleting_takes_artifacts_and_versions(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory()
    assert api.delete(url(artifact.collection)).status_code == 204
    assert api.delete(url(artifact.collection)).status_code == 404
    assert not Artifact.objects.exists()
    assert not ArtifactVersion.objects.exists()
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.facts) == ("collection.deleted", {"artifact_count": 1})


def test_who_may(member: Member, client_of: Client, multi_user: None) -> None:
    collection = CollectionFactory()
    clients = {role: client_of(member(role)) for role in (None, Role.VIEWER, Role.EDITOR, Role.ADMIN)}
    got = {role: client.get(url(collection)).status_code for role, client in clients.items()}
    assert got == {None: 404, Role.VIEWER: 200, Role.EDITOR: 200, Role.ADMIN: 200}
    made = {role: client.post(URL, {"name": f"{role}"}).status_code for role, client in clients.items()}
    assert made == {None: 400, Role.VIEWER: 400, Role.EDITOR: 201, Role.ADMIN: 201}
    changed = {
        role: client.patch(url(collection), {"name": "x"}).status_code for role, client in clients.items()
    }
    assert changed == {None: 404, Role.VIEWER: 403, Role.EDITOR: 200, Role.ADMIN: 200}
    deleted = {role: client.delete(url(collection)).status_code for role, client in clients.items()}
    assert deleted == {None: 404, Role.VIEWER: 403, Role.EDITOR: 403, Role.ADMIN: 204}
    assert names(clients[None].get(URL)) == []


# --- What a collection holds ---


def test_artifacts_are_filtered(project: Any, api: APIClient) -> None:
    collection = CollectionFactory()
    pdf = ArtifactFactory(collection=collection, name="pdf")
    ArtifactFactory(collection=collection, name="csv", upstream_digest=OTHER)
    ArtifactFactory(collection=collection, name="pdf", type="agent")
    ArtifactFactory(name="foreign")
    address = url(collection, "/artifacts")
    assert names(api.get(address)) == ["pdf", "csv", "pdf"]
    assert names(api.get(f"{address}?type=skills")) == ["csv", "pdf"]
    assert names(api.get(f"{address}?name=pdf&type=agent")) == ["pdf"]
    assert names(api.get(f"{address}?entry={pdf.entry.public_id}")) == ["pdf"]
    assert names(api.get(f"{address}?update_available=true")) == ["csv"]
    answer = api.get(f"{address}?update_available=false").json()
    assert answer["page_info"]["total_count"] == 2
    page = api.get(f"{address}?limit=1").json()["page_info"]
    assert names(api.get(f"{address}?cursor={page['end_cursor']}")) == ["csv", "pdf"]
    for query in ("entry=x", "update_available=yes", "type=thing", "tags=x", "cursor=x"):
        assert pointers(api.get(f"{address}?{query}")) == [f"?{query.partition('=')[0]}"]


def test_what_a_later_scan_found_is_an_update(project: Any, api: APIClient) -> None:
    later = datetime(2026, 3, 1, tzinfo=UTC)
    seen_by_scan = EntryFactory(content_digest=OTHER, changed_at=later)
    seen_before = EntryFactory(content_digest=OTHER, changed_at=LONG_AGO)
    removed = EntryFactory(content_digest=OTHER, changed_at=later, removed_at=later)
    collection = CollectionFactory()
    for name, entry in {
        "scan": seen_by_scan,
        "before": seen_before,
        "removed": removed,
        "none": None,
    }.items():
        ArtifactFactory(collection=collection, name=name, entry=entry)
    ArtifactFactory(collection=collection, name="gone", upstream_digest="")
    assert names(api.get(url(collection, "/artifacts?update_available=true"))) == ["scan"]
