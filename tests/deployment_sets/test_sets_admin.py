"""Sets in the console: every page opens, and what is changed there goes through the operations."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from rest_framework.test import APIClient

from deployment_sets.models import DeploymentSet
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    DeploymentFactory,
    DeploymentSetFactory,
    GroupFactory,
    ProjectFactory,
)
from tests.sets import BASE, forget, holds

LIST = reverse_lazy("admin:deployment_sets_deploymentset_changelist")


def page(of: DeploymentSet, name: str = "change") -> str:
    return reverse(f"admin:deployment_sets_deploymentset_{name}", args=[of.pk])


def settings_of(deployment_set: DeploymentSet, **changed: str) -> dict[str, str]:
    """The form of a set as a browser sends it."""
    sent = {name: getattr(deployment_set, name) for name in ("name", "description", "visibility")}
    return sent | {"tags": ", ".join(deployment_set.tags)} | changed


@pytest.fixture
def deployment_set(db: None) -> DeploymentSet:
    artifact, inner = ArtifactFactory(name="pdf"), DeploymentSetFactory(name="inner")
    lost = ArtifactFactory()
    group = GroupFactory(name="docs", artifacts=[ArtifactFactory(name="csv")])
    made: DeploymentSet = DeploymentSetFactory(name="web", holding=[artifact, inner, lost, group])
    forget(lost)
    return made


def test_the_list_says_how_much_a_set_stands_for(
    console: Client, deployment_set: DeploymentSet, django_assert_max_num_queries: Any
) -> None:
    listed = console.get(LIST, {"q": "web"}).content.decode()
    for name, value in (("members_count", 4), ("artifacts", 2), ("levels", 2)):
        assert f'class="field-{name}">{value}</td>' in listed
    assert "never" in listed
    DeploymentFactory.create_batch(3, deployment_set=deployment_set)
    DeploymentSetFactory.create_batch(10, holding=[deployment_set])
    with django_assert_max_num_queries(20):
        assert "<time " in console.get(LIST).content.decode()


def test_where_no_set_was_made_yet_the_list_is_empty(
    console: Client, api: APIClient, project: Project
) -> None:
    assert "Nothing is listed here" in console.get(LIST).content.decode()
    assert api.get(BASE).json()["items"] == []


def test_the_page_shows_what_a_set_holds_and_stands_for(
    console: Client, deployment_set: DeploymentSet
) -> None:
    deployment_set.members.create(
        position=4, artifact_uuid=ArtifactFactory(name="pdf").pk, created_at=LONG_AGO
    )
    DeploymentFactory(deployment_set=deployment_set, undone_at=LONG_AGO)
    shown = console.get(page(deployment_set)).content.decode()
    for text in (
        "<summary>docs ",
        "web → docs",
        "Unresolved",
        ".claude/skills/pdf",
        "3 artifacts, 2 sets deep",
        "undone",
    ):
        assert text in shown
    assert console.get(page(deployment_set, "delete")).status_code == 200


def test_a_set_that_is_shared_is_opened_once(console: Client, project: Project) -> None:
    below: list[Any] = [ArtifactFactory(name="pdf")]
    for _ in range(18):
        below = DeploymentSetFactory.create_batch(3, holding=below)
    shown = console.get(page(DeploymentSetFactory(holding=below))).content.decode()
    assert shown.count("shown above") == 17 * 6
    assert shown.partition("<main")[2].count("<details") == 18 * 3


def test_what_a_set_costs_to_show_does_not_depend_on_its_size(console: Client, project: Project) -> None:
    small = DeploymentSetFactory(holding=[ArtifactFactory()])
    inner = DeploymentSetFactory(holding=ArtifactFactory.create_batch(10))
    large = DeploymentSetFactory(holding=[*ArtifactFactory.create_batch(10), inner])
    DeploymentFactory.create_batch(3, deployment_set=large)
    costs = []
    for each in (small, large, small, large):
        with CaptureQueriesContext(connection) as captured:
            console.get(page(each))
        costs.append(len(captured))
    assert costs[2] == costs[3] <= 30


def test_settings_are_changed_through_the_operation(console: Client, deployment_set: DeploymentSet) -> None:
    data = settings_of(deployment_set, name="shop", tags="web, shop")
    for _ in range(2):  # the second changes nothing
        assert console.post(page(deployment_set, "edit"), data).status_code == 302
    deployment_set.refresh_from_db()
    assert (deployment_set.name, deployment_set.search_text.split("\n")[0]) == ("shop", "shop")
    assert deployment_set.tags == ["web", "shop"]
    assert AuditEvent.objects.get().facts == {"fields": ["name", "tags"]}


def test_a_change_that_is_refused_is_told(console: Client, deployment_set: DeploymentSet) -> None:
    inner = DeploymentSet.objects.get(name="inner")
    for changed, field, said in (
        ({"visibility": "private"}, "visibility", "lies in web"),
        ({"name": "web"}, "name", "Choose another name"),
        ({"description": "x" * 501}, "description", "500"),
    ):
        answer = console.post(page(inner, "edit"), settings_of(inner, **changed))
        (sentence,) = answer.context["form"].errors[field]
        assert said in sentence
    inner.refresh_from_db()
    assert (inner.visibility, inner.name, inner.description) == ("project", "inner", "")


def test_a_new_set_is_its_makers_and_waits_for_members(
    console: Client, operator: User, project: Project
) -> None:
    address = reverse("admin:deployment_sets_deploymentset_new")
    assert "Add set" in console.get(LIST).content.decode()
    sent = {
        "project": project.slug,
        "name": "web",
        "description": "",
        "tags": "shop",
        "visibility": "project",
    }
    assert console.post(address, sent | {"name": ""}).context["form"].errors["name"]
    made = console.post(address, sent)
    new = DeploymentSet.objects.get()
    assert (made["Location"], new.owner, new.tags) == (page(new, "members"), operator, ["shop"])
    assert "Choose another name" in console.post(address, sent).content.decode()
    assert [event.verb for event in AuditEvent.objects.all()] == ["set.created"]


def test_members_are_moved_and_removed_with_buttons(console: Client, deployment_set: DeploymentSet) -> None:
    before, address = holds(deployment_set), page(deployment_set, "members")
    rows = list(deployment_set.members.order_by("position"))
    shown = console.get(address).content.decode()
    assert (shown.count("disabled"), shown.count("Move the missing member up")) == (3, 1)
    moved = console.post(address, {"move": f"{rows[0].public_id} 1"})
    assert moved["Location"].endswith(f"?down={rows[0].public_id}")
    assert "autofocus" in console.get(moved["Location"]).content.decode()
    assert console.post(address, {"remove": rows[2].public_id}).status_code == 302
    assert holds(deployment_set) == [before[1], before[0], before[3]]
    verbs = [event.verb for event in AuditEvent.objects.order_by("id")]
    assert verbs == ["set.member_moved", "set.member_removed"]


def test_a_move_that_cannot_be_is_told(console: Client, deployment_set: DeploymentSet) -> None:
    before, address = holds(deployment_set), page(deployment_set, "members")
    first = deployment_set.members.order_by("position")[0].public_id
    assert "Use a position from 0 to 3" in console.post(address, {"move": f"{first} 9"}).content.decode()
    for nonsense in ({"move": f"{first} x"}, {"move": "mem_x 0"}, {"remove": "mem_x"}):
        assert console.post(address, nonsense).status_code == 404
    assert holds(deployment_set) == before


def test_members_are_added_by_what_they_are(console: Client, deployment_set: DeploymentSet) -> None:
    artifact, group, inner = ArtifactFactory(), GroupFactory(), DeploymentSetFactory()
    address = page(deployment_set, "members")
    assert f"{group.name} ({group.collection.name})" in console.get(address).content.decode()
    for name, target in (("artifact", artifact), ("group", group), ("member_set", inner)):
        assert console.post(address, {name: str(target.pk)}).status_code == 302
    assert holds(deployment_set)[4:] == [artifact.pk, group.pk, inner.pk]
    outer = DeploymentSetFactory(holding=[deployment_set])
    for body, said in (
        ({}, "Choose exactly one"),
        ({"artifact": str(artifact.pk), "group": str(group.pk)}, "Choose exactly one"),
        ({"artifact": str(artifact.pk)}, "It stands at position 4"),
        ({"member_set": str(outer.pk)}, "would close the cycle"),
    ):
        assert said in console.post(address, body).content.decode()


def test_a_set_is_cloned_for_whoever_asks(console: Client, deployment_set: DeploymentSet) -> None:
    answer = console.post(page(deployment_set, "clone"))
    copy = DeploymentSet.objects.get(name="web (copy)")
    assert answer["Location"] == page(copy)
    assert (copy.owner, holds(copy)) == (User.objects.get(), holds(deployment_set))
    assert AuditEvent.objects.get().verb == "set.cloned"


def test_a_deleted_set_leaves_the_others(console: Client, deployment_set: DeploymentSet) -> None:
    inner = DeploymentSet.objects.get(name="inner")
    assert console.post(page(inner, "delete"), {"post": "yes"}).status_code == 302
    assert len(holds(deployment_set)) == 3
    assert AuditEvent.objects.get().verb == "set.deleted"
    chosen = {"action": "delete_selected", "_selected_action": [str(deployment_set.pk)], "post": "yes"}
    assert console.post(reverse("admin:deployment_sets_deploymentset_changelist"), chosen).status_code == 302
    assert not DeploymentSet.objects.exists()


@pytest.fixture
def clerk(member: Callable[..., User]) -> Callable[[Role], Client]:
    """Staff with every permission of Django's on sets and deployments, and this role in the default project."""

    def made(role: Role) -> Client:
        user = member(role, is_staff=True)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label__in=["deployment_sets", "collections_app"])
        )
        client = Client()
        client.force_login(user)
        return client

    return made


def test_staff_see_and_change_nothing_of_other_projects(clerk: Callable[..., Client]) -> None:
    elsewhere = DeploymentSetFactory(
        project=ProjectFactory(slug="laboratory"), name="concealed", visibility="project"
    )
    private = DeploymentSetFactory(name="concealed-too", visibility="private")
    made = DeploymentFactory(deployment_set=elsewhere, project=elsewhere.project, set_name="concealed")
    console = clerk(Role.ADMIN)
    offered = {"app_label": "deployment_sets", "model_name": "setmember", "field_name": "member_set"}
    for address in (LIST, reverse("admin:deployment_sets_deployment_changelist")):
        seen = console.get(address).content.decode()
        assert ("concealed" in seen, "laboratory" in seen) == (False, False)
    assert console.get(reverse("admin:autocomplete"), offered).json()["results"] == []
    for each in (elsewhere, private):
        for name in ("edit", "deploy", "members", "clone"):
            assert console.post(page(each, name), settings_of(each, name="mine")).status_code == 404
        each.refresh_from_db()
        assert each.name.startswith("concealed")
    for name in ("verify", "undo"):
        assert (
            console.post(reverse(f"admin:deployment_sets_deployment_{name}", args=[made.pk])).status_code
            == 404
        )


def test_the_last_deployment_of_a_set_is_the_last_that_one_may_see(clerk: Callable[..., Client]) -> None:
    shared = DeploymentSetFactory()
    seen_by_all = DeploymentFactory(deployment_set=shared)
    while_it_was_private = DeploymentFactory(deployment_set=shared, visibility="private")
    console = clerk(Role.ADMIN)
    for address in (LIST, page(shared)):
        shown = console.get(address).content.decode()
        assert str(seen_by_all.pk) in shown
        assert str(while_it_was_private.pk) not in shown


@pytest.mark.parametrize(
    ("role", "used", "changed", "deleted"),
    [(Role.VIEWER, 403, 403, 403), (Role.EDITOR, 200, 403, 403), (Role.ADMIN, 200, 200, 302)],
)
def test_roles_say_who_deploys_changes_and_deletes_a_set(
    clerk: Callable[..., Client], role: Role, used: int, changed: int, deleted: int
) -> None:
    one, other = DeploymentSetFactory.create_batch(2, visibility="project")
    console = clerk(role)
    assert console.get(page(one)).status_code == 200
    assert console.get(page(one, "deploy")).status_code == used
    for name in ("members", "edit"):
        assert console.get(page(one, name)).status_code == changed
    selected = {"action": "delete_selected", "_selected_action": [str(one.pk)], "post": "yes"}
    answers = [console.post(LIST, selected), console.post(page(other, "delete"), {"post": "yes"})]
    assert [answer.status_code for answer in answers] == [deleted, deleted]


def test_the_owner_of_a_set_changes_it_as_an_editor(clerk: Callable[..., Client]) -> None:
    console = clerk(Role.EDITOR)
    own = DeploymentSetFactory(owner=User.objects.get(pk=console.session["_auth_user_id"]))
    assert console.get(page(own, "members")).status_code == 200


@pytest.mark.parametrize(("role", "may"), [(Role.VIEWER, False), (Role.EDITOR, True)])
def test_whoever_may_add_nowhere_is_not_asked_to(clerk: Callable[..., Client], role: Role, may: bool) -> None:
    console = clerk(role)
    assert ("Add set" in console.get(LIST).content.decode()) is may
    assert console.get(reverse("admin:deployment_sets_deploymentset_new")).status_code == (
        200 if may else 403
    )
