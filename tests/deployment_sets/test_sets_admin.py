"""Sets in the console: every page opens, and what is changed there goes through the operations."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from deployment_sets.models import DeploymentSet
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, DeploymentSetFactory, GroupFactory
from tests.sets import forget, holds


@pytest.fixture
def console(member: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(member(Role.ADMIN, is_staff=True, is_superuser=True))
    return client


def page(of: DeploymentSet, name: str = "change") -> str:
    return reverse(f"admin:deployment_sets_deploymentset_{name}", args=[of.pk])


def form(
    of: DeploymentSet, positions: list[int], gone: tuple[int, ...] = (), **changed: Any
) -> dict[str, Any]:
    """The page of a set as a browser sends it."""
    rows = list(of.members.order_by("position"))
    data = {"name": of.name, "description": of.description, "visibility": of.visibility} | changed
    data |= {"members-TOTAL_FORMS": len(rows), "members-INITIAL_FORMS": len(rows)}
    for number, (row, position) in enumerate(zip(rows, positions, strict=True)):
        data |= {f"members-{number}-id": str(row.pk), f"members-{number}-parent": str(of.pk)}
        data |= {f"members-{number}-position": position}
        data |= {f"members-{number}-DELETE": "on"} if number in gone else {}
    return data


@pytest.fixture
def deployment_set(db: None) -> DeploymentSet:
    artifact, inner = ArtifactFactory(name="pdf"), DeploymentSetFactory(name="inner")
    lost = ArtifactFactory()
    group = GroupFactory(name="docs", artifacts=[ArtifactFactory(name="csv")])
    made: DeploymentSet = DeploymentSetFactory(name="web", holding=[artifact, inner, lost, group])
    forget(lost)
    return made


def test_the_pages_open_and_show_what_a_set_stands_for(
    console: Client, deployment_set: DeploymentSet
) -> None:
    listed = console.get(reverse("admin:deployment_sets_deploymentset_changelist"), {"q": "web"})
    assert "web" in listed.content.decode()
    shown = console.get(page(deployment_set)).content.decode()
    for text in ("skill csv", "web → docs", "missing artifact", "— inner (set)", "(deleted)"):
        assert text in shown
    assert console.get(page(deployment_set, "delete")).status_code == 200


def test_settings_are_changed_through_the_operation(console: Client, deployment_set: DeploymentSet) -> None:
    data = form(deployment_set, [0, 1, 2, 3], name="shop")
    assert console.post(page(deployment_set), data).status_code == 302
    deployment_set.refresh_from_db()
    assert (deployment_set.name, deployment_set.search_text.split("\n")[0]) == ("shop", "shop")
    assert AuditEvent.objects.get().facts == {"fields": ["name"]}


def test_a_change_that_is_refused_is_told(console: Client, deployment_set: DeploymentSet) -> None:
    inner = DeploymentSet.objects.get(name="inner")
    answer = console.post(page(inner), form(inner, [], visibility="private"))
    inner.refresh_from_db()
    assert inner.visibility == "project"
    assert any("lies in web" in str(message) for message in get_messages(answer.wsgi_request))


def test_members_are_moved_and_removed(console: Client, deployment_set: DeploymentSet) -> None:
    before = holds(deployment_set)
    assert console.post(page(deployment_set), form(deployment_set, [1, 1, 2, 3], (2,))).status_code == 302
    assert holds(deployment_set) == [before[1], before[0], before[3]]
    verbs = [event.verb for event in AuditEvent.objects.order_by("id")]
    assert verbs == ["set.member_removed", "set.member_moved"]


def test_a_position_that_is_none_is_told(console: Client, deployment_set: DeploymentSet) -> None:
    before = holds(deployment_set)
    answer = console.post(page(deployment_set), form(deployment_set, [9, 1, 2, 3]))
    assert any("Not moved" in str(message) for message in get_messages(answer.wsgi_request))
    assert holds(deployment_set) == before


def test_a_deleted_set_leaves_the_others(console: Client, deployment_set: DeploymentSet) -> None:
    inner = DeploymentSet.objects.get(name="inner")
    assert console.post(page(inner, "delete"), {"post": "yes"}).status_code == 302
    assert len(holds(deployment_set)) == 3
    assert AuditEvent.objects.get().verb == "set.deleted"
    chosen = {"action": "delete_selected", "_selected_action": [str(deployment_set.pk)], "post": "yes"}
    assert console.post(reverse("admin:deployment_sets_deploymentset_changelist"), chosen).status_code == 302
    assert not DeploymentSet.objects.exists()
