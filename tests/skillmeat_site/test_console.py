"""People and projects in the console: what is edited there is told, and what is secret stays so."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import DatabaseError, connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import UserFactory

NO_ROWS_BELOW = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


@pytest.fixture
def operator(member: Callable[..., User]) -> User:
    return member(Role.ADMIN, is_staff=True, is_superuser=True)


@pytest.fixture
def console(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def told() -> list[tuple[str, str, str, str]]:
    """Every event: who did what to whom in which project."""
    return list(AuditEvent.objects.order_by("id").values_list("actor", "verb", "object_label", "project"))


def change() -> str:
    return str(AuditEvent.objects.get().facts["change"])


def test_a_new_project_is_told(console: Client, operator: User) -> None:
    console.post(address(Project, "add"), {"slug": "tools", "name": "Tools"} | NO_ROWS_BELOW)
    assert Project.objects.filter(slug="tools").exists()
    assert told() == [(operator.username, "project.created", "tools", "tools")]


def test_a_role_given_on_the_page_of_a_project_is_told(
    console: Client, operator: User, project: Project
) -> None:
    ada = UserFactory(username="ada")
    row = {"memberships-0-user": str(ada.pk), "memberships-0-role": "editor", "memberships-TOTAL_FORMS": 1}
    form = {"slug": project.slug, "name": project.name} | NO_ROWS_BELOW | row
    console.post(address(Project, "change", project.pk), form)
    assert Membership.objects.get(user=ada).role == Role.EDITOR
    assert told() == [(operator.username, "project.updated", "default", "default")]
    assert change() == "Added membership “ada is editor of default”."


def test_a_role_that_is_changed_or_taken_is_told(
    console: Client, operator: User, member: Callable[..., User], project: Project
) -> None:
    membership = Membership.objects.get(user=member(Role.VIEWER))
    form = {"project": str(project.pk), "user": str(membership.user_id), "role": "admin"}
    console.post(address(Membership, "change", membership.pk), form)
    console.post(address(Membership, "delete", membership.pk), {"post": "yes"})
    assert not Membership.objects.filter(pk=membership.pk).exists()
    label = f"{membership.user} is admin of default"
    assert told() == [
        (operator.username, "membership.updated", label, "default"),
        (operator.username, "membership.deleted", label, "default"),
    ]


def test_a_new_user_and_a_new_password_are_told_without_the_password(console: Client, operator: User) -> None:
    first = {"password1": "first-secret-7", "password2": "first-secret-7", "usable_password": "true"}
    console.post(address(User, "add"), {"username": "ada"} | first)
    ada = User.objects.get(username="ada")
    second = {"password1": "second-secret-7", "password2": "second-secret-7", "usable_password": "true"}
    console.post(reverse("admin:auth_user_password_change", args=[ada.pk]), second | {"set-password": "1"})
    ada.refresh_from_db()
    assert ada.check_password("second-secret-7")
    assert told() == [
        (operator.username, "user.created", "ada", ""),
        (operator.username, "user.updated", "ada", ""),
    ]
    assert "secret" not in str(list(AuditEvent.objects.values()))


def test_a_new_token_is_told_and_its_secret_is_on_one_page_and_nowhere_else(
    console: Client, operator: User
) -> None:
    form = {"user": str(operator.pk), "name": "ci", "scope": "read", "expires_at_0": "", "expires_at_1": ""}
    answer = console.post(address(Token, "add"), form)
    (secret,) = re.findall(r"sm_[\w-]{43}", answer.content.decode())
    assert Token.objects.opened_by(secret, at=timezone.now()) == Token.objects.get(name="ci")
    assert "no-store" in answer["Cache-Control"]
    assert told() == [(operator.username, "token.created", "ci (read)", "")]
    stored = [list(AuditEvent.objects.values()), list(LogEntry.objects.values()), dict(console.session)]
    assert "sm_" not in str([*stored, answer.cookies])
    assert b"sm_" not in console.get(address(Token, "changelist")).content


@pytest.mark.django_db(transaction=True)
def test_tokens_that_are_revoked_together_are_told_one_by_one(console: Client, operator: User) -> None:
    tokens = [
        Token.objects.issue(user=operator, name=name, scope=TokenScope.READ)[0] for name in ("ci", "laptop")
    ]
    form = {
        "action": "delete_selected",
        "post": "yes",
        "_selected_action": [str(token.pk) for token in tokens],
    }
    console.post(address(Token, "changelist"), form)
    assert not Token.objects.exists()
    assert sorted(told()) == [
        (operator.username, "token.deleted", "ci (read)", ""),
        (operator.username, "token.deleted", "laptop (read)", ""),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["password", "several"])
def test_an_edit_that_cannot_be_told_is_not_made(operator: User, what: str) -> None:
    ada = UserFactory(username="ada", password=UNUSABLE_PASSWORD_PREFIX)
    posts: dict[str, tuple[str, dict[str, Any]]] = {
        "password": (
            reverse("admin:auth_user_password_change", args=[ada.pk]),
            {
                "password1": "first-secret-7",
                "password2": "first-secret-7",
                "usable_password": "true",
                "set-password": "1",
            },
        ),
        "several": (
            address(User, "changelist"),
            {"action": "delete_selected", "post": "yes", "_selected_action": [str(ada.pk)]},
        ),
    }
    console = Client(raise_request_exception=False)
    console.force_login(operator)

    def broken(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith('INSERT INTO "audit_auditevent"'):
            raise DatabaseError("the disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken):
        assert console.post(*posts[what]).status_code == 500
    assert User.objects.get(username="ada").password == UNUSABLE_PASSWORD_PREFIX


def test_a_project_is_not_deleted_in_the_console(console: Client, project: Project) -> None:
    assert console.post(address(Project, "delete", project.pk), {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "post": "yes", "_selected_action": [str(project.pk)]}
    console.post(address(Project, "changelist"), form)
    assert Project.objects.filter(pk=project.pk).exists()
