"""`/deployment-sets`: make, list, show, replace, clone and delete."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from rest_framework.test import APIClient

from deployment_sets.models import DeploymentSet, SetMember, Visibility
from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import LONG_AGO, ArtifactFactory, DeploymentSetFactory, GroupFactory, ProjectFactory
from tests.sets import BASE, address, holds

Answer = Any
Client = Callable[..., APIClient]
Member = Callable[..., User]
WHOLE = {"name": "web", "description": "For the web", "tags": ["A", "b", "a"], "visibility": "project"}


def pointers(answer: Answer) -> set[str]:
    return {error["pointer"] for error in answer.json()["errors"]}


def test_a_set_is_made_with_its_name_alone(api: APIClient) -> None:
    answer = api.post(BASE, {"name": "web"})
    assert answer.status_code == 201
    made = answer.json()
    assert answer["Location"] == address(made["id"])
    assert api.get(address(made["id"])).json() == made
    assert made | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "name": "web",
        "description": None,
        "tags": [],
        "owner": "local",
        "visibility": "private",
        "resolved_count": 0,
        "depth": 1,
        "created_at": "",
        "updated_at": "",
        "project": "default",
        "members": [],
    }
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.object_label, event.actor) == ("set.created", "web", "local")


def test_a_set_is_made_with_all_that_can_be_said(api: APIClient) -> None:
    made = api.post(BASE, WHOLE | {"project": "default"}).json()
    assert {name: made[name] for name in WHOLE} == WHOLE | {"tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/name"),
        ([], 400, ""),
        ({"name": None}, 400, "/name"),
        ({"name": 5}, 400, "/name"),
        ({"name": "  "}, 422, "/name"),
        ({"name": "x" * 201}, 422, "/name"),
        ({"name": "x", "description": "x" * 501}, 422, "/description"),
        ({"name": "x", "tags": "x"}, 400, "/tags"),
        ({"name": "x", "tags": [5]}, 400, "/tags/0"),
        ({"name": "x", "tags": [f"{n}" for n in range(21)]}, 422, "/tags"),
        ({"name": "x", "tags": ["x" * 51]}, 422, "/tags/0"),
        ({"name": "x", "visibility": "public"}, 422, "/visibility"),
        ({"name": "x", "visibility": None}, 400, "/visibility"),
        ({"name": "x", "owner": "ada"}, 400, "/owner"),
        ({"name": "x", "visibility": "public", "tags": "x"}, 400, "/tags"),
    ],
)
def test_what_cannot_be_a_set_is_refused(api: APIClient, body: Any, status: int, pointer: str) -> None:
    answer = api.post(BASE, body)
    assert answer.status_code == status
    assert pointer in pointers(answer)
    assert DeploymentSet.objects.count() == AuditEvent.objects.count() == 0


def test_a_name_is_there_once_in_a_project(api: APIClient) -> None:
    first = DeploymentSetFactory(name="web")
    DeploymentSetFactory(name="other", project=ProjectFactory())
    answer = api.post(BASE, {"name": " web "})
    assert (answer.status_code, answer.json()["existing_id"]) == (409, first.public_id)
    assert answer.json()["type"] == "/problems/set_exists"
    assert api.post(BASE, {"name": "other"}).status_code == 201


def test_the_list_is_newest_first_and_pages(api: APIClient, project: Project) -> None:
    api.get(BASE)
    names = [each.name for each in DeploymentSetFactory.create_batch(5)][::-1]
    first = api.get(BASE, {"limit": 3}).json()
    assert [item["name"] for item in first["items"]] == names[:3]
    assert first["page_info"]["total_count"] is None
    rest = api.get(BASE, {"limit": 3, "cursor": first["page_info"]["end_cursor"]}).json()
    assert [item["name"] for item in rest["items"]] == names[3:]
    assert rest["page_info"]["has_next_page"] is False


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=Web", ["Web"]),
        ("name=web", []),
        ("search=EB", ["Web"]),
        ("search=über", ["docs"]),
        ("tags=a", ["docs", "Web"]),
        ("tags=a&tags=b", ["Web"]),
        ("visibility=private", ["docs"]),
        ("project=default", ["docs", "Web"]),
        ("project=other", []),
    ],
)
def test_filters(api: APIClient, query: str, found: list[str]) -> None:
    operator = User.objects.local_operator()
    DeploymentSetFactory(name="Web", tags=["a", "b"])
    private = {"visibility": Visibility.PRIVATE, "owner": operator}
    DeploymentSetFactory(name="docs", tags=["a"], description="ÜBER", **private)
    listed = api.get(f"{BASE}?{query}").json()
    assert [item["name"] for item in listed["items"]] == found
    assert listed["page_info"]["total_count"] == len(found)


@pytest.mark.parametrize("query", ["owner=x", "visibility=public", "tags=", "name=a&name=b", "cursor=x"])
def test_a_filter_that_is_none_cannot_be_read(api: APIClient, query: str) -> None:
    answer = api.get(f"{BASE}?{query}")
    assert (answer.status_code, pointers(answer)) == (400, {f"?{query.partition('=')[0]}"})


def test_a_set_is_replaced_whole(api: APIClient) -> None:
    artifact = ArtifactFactory()
    deployment_set = DeploymentSetFactory(tags=["old"], holding=[artifact])
    answer = api.put(address(deployment_set), WHOLE)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in WHOLE} == WHOLE | {"tags": ["a", "b"]}
    assert answer.json()["updated_at"] > answer.json()["created_at"]
    assert answer.json() == api.get(address(deployment_set)).json()
    assert holds(deployment_set) == [artifact.pk]
    assert api.get(BASE, {"tags": "old"}).json()["items"] == []
    assert AuditEvent.objects.get().facts == {"fields": ["description", "name", "tags"]}


@pytest.mark.parametrize("missing", WHOLE)
def test_a_replacement_has_all_fields(api: APIClient, missing: str) -> None:
    deployment_set = DeploymentSetFactory()
    body = {name: value for name, value in WHOLE.items() if name != missing}
    answer = api.put(address(deployment_set), body)
    assert (answer.status_code, pointers(answer)) == (400, {f"/{missing}"})


def test_a_replacement_keeps_names_apart(api: APIClient) -> None:
    twin = DeploymentSetFactory(name="web")
    other = DeploymentSetFactory()
    answer = api.put(address(other), WHOLE)
    assert (answer.status_code, answer.json()["existing_id"]) == (409, twin.public_id)
    assert api.put(address(twin), WHOLE).status_code == 200


def test_patch_is_no_method_of_sets(api: APIClient) -> None:
    assert api.patch(address(DeploymentSetFactory()), {"name": "x"}).status_code == 405


def test_a_clone_has_the_same_members_and_belongs_to_the_caller(api: APIClient) -> None:
    artifact, group, inner = ArtifactFactory(), GroupFactory(), DeploymentSetFactory()
    original = DeploymentSetFactory(name="web", tags=["a"], holding=[artifact, group, inner])
    answer = api.post(address(original, "/clone"))
    assert answer.status_code == 201
    made = answer.json()
    assert answer["Location"] == address(made["id"])
    assert (made["name"], made["owner"], made["tags"]) == ("web (copy)", "local", ["a"])
    copy = DeploymentSet.objects.get(name="web (copy)")
    assert holds(copy) == [artifact.pk, group.pk, inner.pk]
    names = [api.post(address(original, "/clone"), {}).json()["name"] for _ in range(2)]
    assert names == ["web (copy 2)", "web (copy 3)"]
    assert AuditEvent.objects.filter(verb="set.cloned").first().facts == {"original": original.public_id}  # type: ignore[union-attr]
    assert api.post(address(original, "/clone"), {"name": "x"}).status_code == 400


def test_a_clone_of_a_long_name_is_cut_to_fit(api: APIClient) -> None:
    original = DeploymentSetFactory(name="x" * 200)
    for ending in (" (copy)", " (copy 2)"):
        name = api.post(address(original, "/clone")).json()["name"]
        assert (len(name), name.endswith(f"x{ending}")) == (200, True)


def test_a_deleted_set_leaves_the_sets_that_contain_it(api: APIClient) -> None:
    artifact, inner = ArtifactFactory(), DeploymentSetFactory(name="inner")
    outer = DeploymentSetFactory(holding=[inner, artifact])
    other = DeploymentSetFactory(holding=[artifact, inner])
    assert api.delete(address(inner)).status_code == 204
    assert holds(outer) == holds(other) == [artifact.pk]
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.object_label) == ("set.deleted", "inner")
    assert set(event.facts["removed_from"]) == {outer.public_id, other.public_id}
    assert api.delete(address(inner)).status_code == 404
    outer.refresh_from_db()
    assert outer.updated_at > LONG_AGO


def test_the_database_keeps_a_nested_set(project: Project) -> None:
    inner = DeploymentSetFactory()
    DeploymentSetFactory(holding=[inner])
    with pytest.raises(RestrictedError):
        inner.delete()


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"artifact": True, "group": True},
        {"artifact": True, "inner": True},
        {"group": True, "inner": True},
        {"itself": True},
    ],
    ids=lambda values: "-".join(values) or "nothing",
)
def test_the_database_takes_exactly_one_target(project: Project, values: dict[str, bool]) -> None:
    parent, inner = DeploymentSetFactory.create_batch(2)
    found = {
        "artifact_uuid": ArtifactFactory().pk if "artifact" in values else None,
        "group_id": GroupFactory().pk if "group" in values else None,
        "member_set": inner if "inner" in values else parent if "itself" in values else None,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        SetMember.objects.create(parent=parent, position=0, created_at=LONG_AGO, **found)


@pytest.mark.parametrize("make", [ArtifactFactory, GroupFactory, DeploymentSetFactory])
def test_the_database_takes_a_target_once(project: Project, make: Any) -> None:
    target = make()
    with pytest.raises(IntegrityError), transaction.atomic():
        DeploymentSetFactory(holding=[target, target])


# --- Who may do what -------------------------------------------------------------------------------


@pytest.fixture
def people(member: Member, client_of: Client, multi_user: None) -> dict[str, APIClient]:
    roles: dict[str, Role | None] = {
        "owner": Role.EDITOR,
        "editor": Role.EDITOR,
        "viewer": Role.VIEWER,
        "admin": Role.ADMIN,
        "stranger": None,
    }
    users = {name: member(role) for name, role in roles.items()} | {"root": member(None, is_superuser=True)}
    User.objects.filter(pk=users["owner"].pk).update(username="owner")
    return {name: client_of(user) for name, user in users.items()}


def made_by_the_owner(visibility: Visibility) -> DeploymentSet:
    return DeploymentSetFactory(name="web", visibility=visibility, owner=User.objects.get(username="owner"))


REQUESTS: dict[str, Callable[[APIClient, DeploymentSet], Answer]] = {
    "show": lambda api, it: api.get(address(it)),
    "members": lambda api, it: api.get(address(it, "/members")),
    "resolve": lambda api, it: api.get(address(it, "/resolve")),
    "clone": lambda api, it: api.post(address(it, "/clone")),
    "add": lambda api, it: api.post(address(it, "/members"), {"artifact_uuid": str(ArtifactFactory().pk)}),
    "replace": lambda api, it: api.put(address(it), WHOLE | {"visibility": it.visibility}),
    "delete": lambda api, it: api.delete(address(it)),
}
EVERYBODY = ("stranger", "viewer", "editor", "owner", "admin", "root")
MATRIX = {
    "show": (404, 200, 200, 200, 200, 200),
    "members": (404, 200, 200, 200, 200, 200),
    "resolve": (404, 200, 200, 200, 200, 200),
    "clone": (404, 403, 201, 201, 201, 201),
    "add": (404, 403, 403, 201, 201, 201),
    "replace": (404, 403, 403, 200, 200, 200),
    "delete": (404, 403, 403, 204, 204, 204),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_who_may_do_what_with_a_project_set(people: dict[str, APIClient], name: str) -> None:
    for who, status in zip(EVERYBODY, MATRIX[name], strict=True):
        it = made_by_the_owner(Visibility.PROJECT)
        answer = REQUESTS[name](people[who], it)
        assert answer.status_code == status, (who, answer.content)
        SetMember.objects.all().delete()
        DeploymentSet.objects.all().delete()


@pytest.mark.parametrize("name", REQUESTS)
def test_a_private_set_is_its_owners_alone(people: dict[str, APIClient], name: str) -> None:
    for who in EVERYBODY:
        it = made_by_the_owner(Visibility.PRIVATE)
        answer = REQUESTS[name](people[who], it)
        seen = who in {"owner", "root"}
        assert answer.status_code == (MATRIX[name][EVERYBODY.index(who)] if seen else 404), who
        listed = people[who].get(BASE).json()["items"]
        assert bool(listed) == (seen and name != "delete")
        SetMember.objects.all().delete()
        DeploymentSet.objects.all().delete()


def test_an_admin_who_makes_anothers_set_private_sees_that_once(people: dict[str, APIClient]) -> None:
    it = made_by_the_owner(Visibility.PROJECT)
    answer = people["admin"].put(address(it), WHOLE | {"visibility": "private"})
    assert (answer.status_code, answer.json()["visibility"]) == (200, "private")
    assert people["admin"].get(address(it)).status_code == 404


def test_an_owner_who_became_a_viewer_only_reads(people: dict[str, APIClient]) -> None:
    it = made_by_the_owner(Visibility.PRIVATE)
    Membership.objects.filter(user=it.owner).update(role=Role.VIEWER)
    assert people["owner"].get(address(it)).status_code == 200
    assert people["owner"].delete(address(it)).status_code == 403


def test_the_name_of_anothers_private_set_is_taken_without_telling_its_id(
    people: dict[str, APIClient],
) -> None:
    it = made_by_the_owner(Visibility.PRIVATE)
    answer = people["editor"].post(BASE, {"name": "web"})
    assert (answer.status_code, "existing_id" in answer.json()) == (409, False)
    assert people["owner"].post(BASE, {"name": "web"}).json()["existing_id"] == it.public_id


def test_a_viewer_makes_no_set(people: dict[str, APIClient]) -> None:
    assert people["viewer"].post(BASE, {"name": "x"}).status_code == 400
    assert people["viewer"].post(BASE, {"name": "x", "project": "default"}).status_code == 403
    assert people["stranger"].post(BASE, {"name": "x", "project": "default"}).status_code == 404


def test_nobody_who_is_unknown_sees_sets(api: APIClient, multi_user: None) -> None:
    for answer in (api.get(BASE), api.get(address(DeploymentSetFactory()))):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"]


# --- Private sets in other sets ---------------------------------------------------------------------


def test_a_set_that_lies_in_a_project_set_cannot_become_private(api: APIClient) -> None:
    operator = User.objects.local_operator()
    inner = DeploymentSetFactory(owner=operator)
    outer = DeploymentSetFactory(name="outer", holding=[inner])
    answer = api.put(address(inner), WHOLE | {"visibility": "private"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/private_inside")
    assert "outer" in answer.json()["detail"]
    SetMember.objects.filter(parent=outer).delete()
    assert api.put(address(inner), WHOLE | {"visibility": "private"}).status_code == 200


def test_a_set_with_a_private_one_in_it_cannot_become_the_projects(api: APIClient) -> None:
    private = {"visibility": Visibility.PRIVATE, "owner": User.objects.local_operator()}
    outer = DeploymentSetFactory(holding=[DeploymentSetFactory(name="inner", **private)], **private)
    answer = api.put(address(outer), WHOLE)
    assert answer.status_code == 422
    assert "inner" in answer.json()["detail"]
    outer.refresh_from_db()
    assert outer.visibility == Visibility.PRIVATE


def test_a_set_in_anothers_private_set_cannot_become_private(people: dict[str, APIClient]) -> None:
    inner = made_by_the_owner(Visibility.PROJECT)
    other = User.objects.get(username__startswith="admin")
    DeploymentSetFactory(name="secret", visibility=Visibility.PRIVATE, owner=other, holding=[inner])
    answer = people["owner"].put(address(inner), WHOLE | {"visibility": "private"})
    assert answer.status_code == 422
    assert "secret" not in answer.content.decode()
