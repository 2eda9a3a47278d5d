"""`/collections/{id}/groups`: ordered artifacts under a name."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from collections_app.models import Artifact, Collection, Group
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, CollectionFactory, GroupFactory

Client = Callable[..., APIClient]
Member = Callable[..., User]


def url(collection: Collection, what: str = "") -> str:
    return f"/api/v1/collections/{collection.public_id}/groups{what}"


def of(group: Group, what: str = "") -> str:
    return url(group.collection, f"/{group.public_id}{what}")


@pytest.fixture
def three(project: Any) -> list[Artifact]:
    return ArtifactFactory.create_batch(3, collection=CollectionFactory())


def uuids(artifacts: list[Artifact]) -> list[str]:
    return [str(artifact.pk) for artifact in artifacts]


def test_a_group_is_created_shown_changed_and_deleted(project: Any, api: APIClient) -> None:
    collection = CollectionFactory()
    answer = api.post(url(collection), {"name": "Docs", "description": "For writing"})
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["name"], shown["description"], shown["members"]) == ("Docs", "For writing", [])
    assert shown["collection_id"] == collection.public_id
    assert api.get(answer["Location"]).json() == shown
    assert [each["id"] for each in api.get(url(collection)).json()["items"]] == [shown["id"]]
    assert api.patch(answer["Location"], {"description": None}).json()["description"] is None
    assert api.delete(answer["Location"]).status_code == 204
    assert api.delete(answer["Location"]).status_code == 404
    verbs = ["group.deleted", "group.changed", "group.created"]
    assert list(AuditEvent.objects.values_list("verb", flat=True)) == verbs


def test_a_name_is_there_once_in_a_collection(project: Any, api: APIClient) -> None:
    group = GroupFactory(name="Docs")
    answer = api.post(url(group.collection), {"name": "Docs"})
    assert (answer.status_code, answer.json()["existing_id"]) == (409, group.public_id)
    other = GroupFactory(collection=group.collection)
    assert api.patch(of(other), {"name": "Docs"}).status_code == 409
    assert api.post(url(CollectionFactory()), {"name": "Docs"}).status_code == 201


def test_members_are_what_was_put_in_that_order(three: list[Artifact], api: APIClient) -> None:
    group = GroupFactory(collection=three[0].collection)
    for order in (three, three[::-1], three[1:], []):
        answer = api.put(of(group, "/members"), {"members": uuids(order)})
        assert (answer.status_code, answer.json()["members"]) == (200, uuids(order))
        assert [member.position for member in group.memberships.all()] == list(range(len(order)))


def test_a_deleted_artifact_leaves_no_gap(three: list[Artifact], api: APIClient) -> None:
    group = GroupFactory(collection=three[0].collection)
    api.put(of(group, "/members"), {"members": uuids(three)})
    assert api.delete(f"/api/v1/artifacts/{three[1].pk}").status_code == 204
    assert [member.position for member in group.memberships.all()] == [0, 1]
    assert api.get(of(group)).json()["members"] == uuids([three[0], three[2]])


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/members"),
        ({"members": None}, 400, "/members"),
        ({"members": "x"}, 400, "/members"),
        ({"members": [5]}, 400, "/members/0"),
        ({"members": ["x"]}, 422, "/members/0"),
        ({"members": ["01a1fd5b-e23a-7ed4-8a9d-32794f2c93b1"]}, 422, "/members/0"),
        ([], 400, ""),
    ],
)
def test_members_that_cannot_be_read_or_make_no_sense(
    project: Any, api: APIClient, body: Any, status: int, pointer: str
) -> None:
    answer = api.put(of(GroupFactory(), "/members"), body)
    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_members_are_of_the_collection_and_there_once(three: list[Artifact], api: APIClient) -> None:
    group = GroupFactory(collection=three[0].collection)
    api.put(of(group, "/members"), {"members": uuids(three)})
    foreign = ArtifactFactory()
    for bad in ([three[0], three[0]], [three[0], foreign]):
        assert api.put(of(group, "/members"), {"members": uuids(bad)}).status_code == 422
    assert api.get(of(group)).json()["members"] == uuids(three)


def test_a_group_is_only_found_below_its_collection(project: Any, api: APIClient) -> None:
    group = GroupFactory()
    assert api.get(url(CollectionFactory(), f"/{group.public_id}")).status_code == 404
    assert api.get("/api/v1/collections/col_none/groups").status_code == 404


def test_who_may(member: Member, client_of: Client, multi_user: None) -> None:
    group = GroupFactory()
    clients = {role: client_of(member(role)) for role in (None, Role.VIEWER, Role.EDITOR)}

    def statuses(ask: Callable[[APIClient], Any]) -> list[int]:
        return [ask(client).status_code for client in clients.values()]

    assert statuses(lambda client: client.get(of(group))) == [404, 200, 200]
    assert statuses(lambda client: client.get(url(group.collection))) == [404, 200, 200]
    assert statuses(lambda client: client.post(url(group.collection), {"name": "x"})) == [404, 403, 201]
    assert statuses(lambda client: client.patch(of(group), {"name": "y"})) == [404, 403, 200]
    assert statuses(lambda client: client.put(of(group, "/members"), {"members": []})) == [404, 403, 200]
    assert statuses(lambda client: client.delete(of(group))) == [404, 403, 204]
