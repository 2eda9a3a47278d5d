"""What staff who are no superusers may do with people, projects and tokens in the console."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from skillmeat_site.accounts.models import Membership, Project, Role, Token, User
from tests.factories import ProjectFactory, UserFactory


@pytest.fixture
def clerk(member: Callable[..., User]) -> User:
    """Admin of the default project, with every permission that Django knows."""
    user = member(Role.ADMIN, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    return user


@pytest.fixture
def console(clerk: User) -> Client:
    client = Client()
    client.force_login(clerk)
    return client


def test_nobody_lets_himself_into_a_project_of_others(console: Client, clerk: User) -> None:
    other = ProjectFactory(slug="laboratory")
    theirs = Membership.objects.create(user=UserFactory(), project=other, role=Role.VIEWER)
    sent = {"user": str(clerk.pk), "project": str(other.pk), "role": "admin"}
    console.post(reverse("admin:accounts_membership_add"), sent)
    console.post(reverse("admin:accounts_membership_change", args=[theirs.pk]), {"role": "admin"})
    console.post(reverse("admin:accounts_project_change", args=[other.pk]), {"slug": "mine", "name": "Mine"})
    assert list(other.memberships.values_list("user", "role")) == [(theirs.user_id, "viewer")]
    assert not Project.objects.filter(slug="mine").exists()
    for name in ("membership", "project"):
        assert b"laboratory" not in console.get(reverse(f"admin:accounts_{name}_changelist")).content


def test_an_admin_lets_others_into_his_project(console: Client, project: Project) -> None:
    guest = UserFactory()
    sent = {"user": str(guest.pk), "project": str(project.pk), "role": "editor"}
    console.post(reverse("admin:accounts_membership_add"), sent)
    assert project.memberships.get(user=guest).role == Role.EDITOR


def test_staff_make_tokens_for_themselves_alone(console: Client, clerk: User) -> None:
    root = UserFactory(is_superuser=True)
    for user in (root, clerk):
        sent = {"user": str(user.pk), "name": "ci", "scope": "write", "expires_at_0": "", "expires_at_1": ""}
        console.post(reverse("admin:accounts_token_add"), sent)
    assert [token.user for token in Token.objects.all()] == [clerk]


def test_staff_make_nobody_a_superuser(console: Client, clerk: User) -> None:
    assert console.post(reverse("admin:accounts_user_change", args=[clerk.pk]), {}).status_code == 403
    assert console.get(reverse("admin:accounts_user_add")).status_code == 403


def test_the_last_admin_of_a_project_is_not_locked_out(member: Callable[..., User], project: Project) -> None:
    root = UserFactory(is_staff=True, is_superuser=True)
    only, guest = member(Role.ADMIN), member(Role.EDITOR)
    browser = Client()
    browser.force_login(root)

    def lock(user: User) -> str:
        shown = browser.get(reverse("admin:accounts_user_change", args=[user.pk])).context["adminform"].form
        given = shown.initial.items()
        sent = {name: value for name, value in given if value is True or isinstance(value, str)}
        del sent["is_active"]
        joined = user.date_joined
        times = {"date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}"}
        answer = browser.post(
            reverse("admin:accounts_user_change", args=[user.pk]), sent | times, follow=True
        )
        user.refresh_from_db()
        return answer.content.decode()

    assert "is the only admin of default" in lock(only)
    lock(guest)
    assert (only.is_active, guest.is_active) == (True, False)
    member(Role.ADMIN)
    lock(only)
    assert not only.is_active
