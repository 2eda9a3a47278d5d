"""`GET /deployment-sets/{id}/resolve`: what a set stands for, and what that costs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from deployment_sets.models import DeploymentSet
from skillmeat_site.accounts.models import Project
from tests.factories import ArtifactFactory, CollectionFactory, DeploymentSetFactory, GroupFactory
from tests.sets import BASE, address, forget

Resolve = Callable[[DeploymentSet], Any]


@pytest.fixture
def resolve(api: APIClient) -> Resolve:
    def send(deployment_set: DeploymentSet) -> Any:
        answer = api.get(address(deployment_set, "/resolve"))
        assert answer.status_code == 200
        return answer.json()

    return send


def test_artifacts_come_in_order_with_the_way_to_them(resolve: Resolve, project: Project) -> None:
    a, b, c, d = ArtifactFactory.create_batch(4)
    group = GroupFactory(artifacts=[c, a])
    inner = DeploymentSetFactory(holding=[group, b])
    outer = DeploymentSetFactory(holding=[a, inner, d, b])
    found = resolve(outer)
    assert [item["uuid"] for item in found["artifacts"]] == [str(each.pk) for each in (a, c, b, d)]
    first, deepest = found["artifacts"][:2]
    steps = [
        {"kind": "set", "id": outer.public_id, "name": outer.name},
        {"kind": "set", "id": inner.public_id, "name": inner.name},
        {"kind": "group", "id": group.public_id, "name": group.name},
    ]
    assert deepest["source_path"] == steps
    assert first == {
        "uuid": str(a.pk),
        "type": "skill",
        "namespace": None,
        "name": a.name,
        "description": None,
        "version": None,
        "source_path": steps[:1],
    }
    assert {
        name: found[name] for name in ("set_id", "resolved_count", "depth", "unresolved", "conflicts")
    } == {
        "set_id": outer.public_id,
        "resolved_count": 4,
        "depth": 2,
        "unresolved": [],
        "conflicts": [],
    }


def test_what_is_gone_is_unresolved(resolve: Resolve, project: Project) -> None:
    artifact, group = ArtifactFactory(), GroupFactory()
    inner = DeploymentSetFactory(holding=[artifact, group])
    outer = DeploymentSetFactory(holding=[inner, artifact])
    uuid, group_id = str(artifact.pk), group.public_id
    forget(artifact)
    group.delete()
    found = resolve(outer)
    assert found["artifacts"] == []
    assert [(each["kind"], each["id"], len(each["source_path"])) for each in found["unresolved"]] == [
        ("artifact", uuid, 2),
        ("group", group_id, 2),
        ("artifact", uuid, 1),
    ]


def test_artifacts_that_would_land_on_one_path_are_conflicts(resolve: Resolve, project: Project) -> None:
    first = ArtifactFactory(name="pdf")
    second = ArtifactFactory(name="pdf")
    other = ArtifactFactory(name="pdf", type="command", contents={"pdf.md": b"x"})
    found = resolve(DeploymentSetFactory(holding=[first, second, other]))
    (conflict,) = found["conflicts"]
    assert conflict["artifacts"] == [str(first.pk), str(second.pk)]
    assert conflict["path"] == ".claude/skills/pdf"
    assert found["resolved_count"] == 3


def lattice(levels: int, width: int) -> DeploymentSet:
    """Each set of a level holds all sets of the next; the last hold three artifacts each."""
    below: list[Any] = ArtifactFactory.create_batch(3, collection=CollectionFactory())
    for _ in range(levels - 1):
        below = DeploymentSetFactory.create_batch(width, holding=below)
    top: DeploymentSet = DeploymentSetFactory(holding=below)
    return top


def cost(api: APIClient, url: str) -> int:
    api.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert api.get(url).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_depend_on_depth_or_size(api: APIClient, project: Project) -> None:
    small = DeploymentSetFactory(holding=[ArtifactFactory()])
    large = lattice(20, 3)
    for rest in ("", "/resolve"):
        assert cost(api, address(small, rest)) == cost(api, address(large, rest)) <= 14


def test_the_list_costs_the_same_for_many_sets(api: APIClient, project: Project) -> None:
    one = DeploymentSetFactory(name="one", holding=[ArtifactFactory()])
    lattice(20, 3)
    assert cost(api, f"{BASE}?name={one.name}") - 1 == cost(api, f"{BASE}?limit=100") <= 10


def test_a_lattice_of_twenty_levels_is_resolved(resolve: Resolve, project: Project) -> None:
    found = resolve(lattice(20, 3))
    assert (found["resolved_count"], found["depth"]) == (3, 20)
