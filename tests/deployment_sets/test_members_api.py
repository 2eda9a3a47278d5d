"""Members of sets: added, moved, removed and listed."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from deployment_sets.models import DeploymentSet, SetMember, Visibility
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    CollectionFactory,
    DeploymentSetFactory,
    GroupFactory,
    ProjectFactory,
    UserFactory,
)
from tests.sets import address, forget, holds, naming

Add = Callable[..., Any]


@pytest.fixture
def add(api: APIClient) -> Add:
    def send(to: DeploymentSet, target: Any, **more: Any) -> Any:
        return api.post(address(to, "/members"), naming(target) | more)

    return send


def member(deployment_set: DeploymentSet, position: int) -> SetMember:
    return deployment_set.members.get(position=position)


def place(of: SetMember) -> str:
    return address(of.parent, f"/members/{of.public_id}")


@pytest.fixture
def five(project: Project) -> DeploymentSet:
    made: DeploymentSet = DeploymentSetFactory(holding=ArtifactFactory.create_batch(5))
    return made


@pytest.mark.parametrize(
    ("make", "kind", "type_"),
    [
        (ArtifactFactory, "artifact", "skill"),
        (GroupFactory, "group", None),
        (DeploymentSetFactory, "set", None),
    ],
)
def test_a_member_is_one_of_three_things(add: Add, api: APIClient, make: Any, kind: str, type_: Any) -> None:
    deployment_set, target = DeploymentSetFactory(), make()
    answer = add(deployment_set, target)
    assert answer.status_code == 201
    shown = answer.json()
    targets = {"artifact_uuid": None, "group_id": None, "member_set_id": None} | naming(target)
    assert {name: shown[name] for name in targets} == targets
    assert (shown["kind"], shown["type"], shown["name"]) == (kind, type_, target.name)
    assert (shown["position"], shown["resolved"]) == (0, True)
    assert answer["Location"] == address(deployment_set, f"/members/{shown['id']}")
    assert api.get(address(deployment_set)).json()["members"] == [shown]
    assert api.get(address(deployment_set)).json()["updated_at"] > "2026-06"
    assert api.get(address(deployment_set, "/members")).json()["items"] == [shown]
    (event,) = AuditEvent.objects.all()
    assert (event.verb, event.object_id) == ("set.member_added", deployment_set.pk)
    assert event.facts == {"member": shown["id"], "target": f"{kind} {target.pk}", "position": 0}


def test_a_new_member_makes_room(add: Add, five: DeploymentSet) -> None:
    before = holds(five)
    first, middle, last = ArtifactFactory.create_batch(3)
    assert add(five, first, position=0).json()["position"] == 0
    assert add(five, middle, position=3).status_code == 201
    assert add(five, last, position=7).status_code == 201
    assert holds(five) == [first.pk, *before[:2], middle.pk, *before[2:], last.pk]


@pytest.mark.parametrize("position", [-1, 6])
def test_a_position_that_is_none_makes_no_sense(add: Add, five: DeploymentSet, position: int) -> None:
    before = holds(five)
    assert add(five, ArtifactFactory(), position=position).status_code == 422
    assert holds(five) == before


@pytest.mark.parametrize("after", range(5))
@pytest.mark.parametrize("before", range(5))
def test_a_moved_member_shifts_those_between(
    api: APIClient, five: DeploymentSet, before: int, after: int
) -> None:
    wanted = holds(five)
    wanted.insert(after, wanted.pop(before))
    answer = api.put(place(member(five, before)), {"position": after})
    assert (answer.status_code, answer.json()["position"]) == (200, after)
    assert holds(five) == wanted


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"position": "1"}, 400), ({"position": None}, 400), ({"position": 1, "x": 1}, 400)]
    + [({"position": position}, 422) for position in (-1, 5)],
)
def test_a_move_that_makes_no_sense(api: APIClient, five: DeploymentSet, body: Any, status: int) -> None:
    before = holds(five)
    assert api.put(place(member(five, 1)), body).status_code == status
    assert holds(five) == before


def test_a_removed_member_leaves_no_gap(api: APIClient, five: DeploymentSet) -> None:
    before = holds(five)
    gone = place(member(five, 1))
    assert api.delete(gone).status_code == 204
    assert holds(five) == [before[0], *before[2:]]
    assert api.delete(gone).status_code == 404
    assert api.put(gone, {"position": 0}).status_code == 404
    assert [event.verb for event in AuditEvent.objects.all()] == ["set.member_removed"]


def test_a_member_belongs_to_its_set(api: APIClient, five: DeploymentSet) -> None:
    other = DeploymentSetFactory()
    assert api.delete(address(other, f"/members/{member(five, 0).public_id}")).status_code == 404
    assert api.delete(address(five, "/members/nothing")).status_code == 404
    assert len(holds(five)) == 5


def test_members_are_listed_in_order_by_offset(api: APIClient, five: DeploymentSet) -> None:
    listed = api.get(address(five, "/members"), {"limit": 2, "offset": 1}).json()
    assert [item["position"] for item in listed["items"]] == [1, 2]
    assert listed["page_info"]["total_count"] == 5
    assert api.get(address(five, "/members"), {"type": "skill"}).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"position": 0}, 400),
        ({"artifact_uuid": None}, 400),
        ({"artifact_uuid": "a", "group_id": "b"}, 400),
        ({"artifact_uuid": "a", "group_id": "b", "member_set_id": "c"}, 400),
        ({"artifact_uuid": 5}, 400),
        ({"artifact_uuid": "a", "position": "0"}, 400),
        ({"artifact_uuid": "a", "place": 0}, 400),
        ({"artifact_uuid": "nothing"}, 404),
        ({"artifact_uuid": str(uuid4())}, 404),
        ({"group_id": "grp_nothing"}, 404),
        ({"member_set_id": "grp_00000000000000000000000000"}, 404),
        ({"artifact_uuid": "x" * 61}, 422),
        ({"artifact_uuid": "a", "position": -1}, 422),
    ],
)
def test_what_cannot_be_a_member_is_refused(api: APIClient, project: Project, body: Any, status: int) -> None:
    deployment_set = DeploymentSetFactory()
    answer = api.post(address(deployment_set, "/members"), body)
    assert answer.status_code == status, answer.json()
    assert holds(deployment_set) == []
    assert AuditEvent.objects.count() == 0


@pytest.mark.parametrize("make", [ArtifactFactory, GroupFactory, DeploymentSetFactory])
def test_a_target_is_a_member_once(add: Add, project: Project, make: Any) -> None:
    target = make()
    deployment_set = DeploymentSetFactory(holding=[target])
    answer = add(deployment_set, target, position=0)
    assert answer.status_code == 409
    assert answer.json()["existing_id"] == member(deployment_set, 0).public_id


def test_nothing_of_another_project_can_be_a_member(add: Add, project: Project) -> None:
    elsewhere = CollectionFactory(project=ProjectFactory())
    others = [
        ArtifactFactory(collection=elsewhere),
        GroupFactory(collection=elsewhere),
        DeploymentSetFactory(project=elsewhere.project),
    ]
    deployment_set = DeploymentSetFactory()
    for target in others:
        answer = add(deployment_set, target)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown_target")


def test_a_superuser_mixes_no_projects_either(client_of: Any, multi_user: None, project: Project) -> None:
    root = UserFactory(is_superuser=True)
    target = DeploymentSetFactory(project=ProjectFactory())
    answer = client_of(root).post(address(DeploymentSetFactory(), "/members"), naming(target))
    assert answer.status_code == 404


# --- Sets in sets ----------------------------------------------------------------------------------


def chain(length: int, name: str = "s") -> list[DeploymentSet]:
    """Sets of which each holds the next; the outermost first."""
    found: list[DeploymentSet] = []
    for number in reversed(range(length)):
        found.insert(0, DeploymentSetFactory(name=f"{name}{number}", holding=found[:1]))
    return found


def test_a_set_cannot_be_its_own_member(add: Add, project: Project) -> None:
    (deployment_set,) = chain(1)
    answer = add(deployment_set, deployment_set)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/set_cycle")
    assert "s0 -> s0" in answer.json()["detail"]


def test_a_cycle_is_refused_with_its_path(add: Add, project: Project) -> None:
    sets = chain(4)
    answer = add(sets[3], sets[1])
    assert answer.status_code == 422
    assert "s3 -> s1 -> s2 -> s3" in answer.json()["detail"]
    assert holds(sets[3]) == []
    assert AuditEvent.objects.count() == 0


def test_twenty_sets_may_lie_in_each_other_and_no_more(add: Add, api: APIClient, project: Project) -> None:
    outer, inner = chain(12, "o"), chain(8, "i")
    assert add(outer[-1], inner[0]).status_code == 201
    assert api.get(address(outer[0])).json()["depth"] == 20
    for to, target in ((inner[-1], chain(1, "x")[0]), (chain(1, "y")[0], outer[0])):
        answer = add(to, target)
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/nested_too_deep")
        assert "o10 -> o11 -> i0 -> i1" in answer.json()["detail"]


def test_a_set_may_lie_in_many_sets(add: Add, api: APIClient, project: Project) -> None:
    shared, left, right, top = DeploymentSetFactory.create_batch(4)
    for to, target in ((left, shared), (right, shared), (top, left), (top, right), (top, shared)):
        assert add(to, target).status_code == 201
    assert api.get(address(top)).json()["depth"] == 3


def test_a_private_set_does_not_go_into_a_project_set(add: Add, project: Project) -> None:
    private = {"visibility": Visibility.PRIVATE, "owner": User.objects.local_operator()}
    inner = DeploymentSetFactory(**private)
    answer = add(DeploymentSetFactory(), inner)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/private_inside")
    assert add(DeploymentSetFactory(**private), inner).status_code == 201
    assert add(DeploymentSetFactory(**private), DeploymentSetFactory()).status_code == 201


def test_anothers_private_set_is_no_set_for_the_caller(add: Add, project: Project) -> None:
    inner = DeploymentSetFactory(visibility=Visibility.PRIVATE, owner=UserFactory())
    assert add(DeploymentSetFactory(), inner).status_code == 404


def test_private_sets_of_others_are_not_named(add: Add, project: Project) -> None:
    sets = chain(19)
    DeploymentSetFactory(name="secret", visibility=Visibility.PRIVATE, owner=UserFactory(), holding=sets[:1])
    answer = add(sets[-1], DeploymentSetFactory())
    assert answer.status_code == 422
    assert "secret" not in answer.content.decode()
    assert "somebody's private set -> s0 -> s1" in answer.json()["detail"]


# --- What is deleted elsewhere ---------------------------------------------------------------------


def test_a_deleted_artifact_or_group_stays_as_an_unresolved_member(api: APIClient, project: Project) -> None:
    artifact, group, kept = ArtifactFactory(), GroupFactory(artifacts=[ArtifactFactory()]), ArtifactFactory()
    deployment_set = DeploymentSetFactory(holding=[artifact, group, kept])
    outer = DeploymentSetFactory(holding=[deployment_set])
    assert api.get(address(outer)).json()["resolved_count"] == 3
    forget(artifact)
    group.delete()
    members = api.get(address(deployment_set)).json()["members"]
    assert [(item["name"], item["resolved"]) for item in members] == [
        (None, False),
        (None, False),
        (kept.name, True),
    ]
    assert api.get(address(outer)).json()["resolved_count"] == 1
    assert api.delete(place(member(deployment_set, 0))).status_code == 204
    assert len(holds(deployment_set)) == 2


def test_numbers_follow_every_change_below(api: APIClient, add: Add, project: Project) -> None:
    first, second = ArtifactFactory.create_batch(2)
    group = GroupFactory(artifacts=[first])
    inner = DeploymentSetFactory(holding=[group])
    outer = DeploymentSetFactory(holding=[inner])

    def numbers() -> tuple[int, int]:
        shown = api.get(address(outer)).json()
        listed = api.get("/api/v1/deployment-sets", {"name": outer.name}).json()["items"][0]
        assert (listed["resolved_count"], listed["depth"]) == (shown["resolved_count"], shown["depth"])
        return shown["resolved_count"], shown["depth"]

    assert numbers() == (1, 2)
    add(inner, second)
    add(inner, DeploymentSetFactory())
    assert numbers() == (2, 3)
    group.memberships.create(artifact=second, position=1)
    assert numbers() == (2, 3)
    group.memberships.create(artifact=ArtifactFactory(), position=2)
    assert numbers() == (3, 3)
    api.delete(address(inner))
    assert numbers() == (0, 1)
    outer.refresh_from_db()
    assert outer.created_at == LONG_AGO
