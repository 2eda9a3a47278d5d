"""People and projects in the console: what is edited there is told, and what is secret stays so."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import DatabaseError, connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.configuration import Rate
from tests.factories import UserFactory

NO_ROWS_BELOW = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def told() -> list[tuple[str, str, str, str]]:
    """Every event: who did what to whom in which project."""
    return list(AuditEvent.objects.order_by("id").values_list("actor", "verb", "object_label", "project"))


def test_a_new_project_is_told(console: Client, operator: User) -> None:
    console.post(address(Project, "add"), {"slug": "tools", "name": "Tools"} | NO_ROWS_BELOW)
    assert Project.objects.filter(slug="tools").exists()
    assert told() == [(operator.username, "project.created", "tools", "tools")]


def test_a_role_that_is_given_is_told(console: Client, operator: User, project: Project) -> None:
    ada = UserFactory(username="ada")
    form = {"project": str(project.pk), "user": str(ada.pk), "role": "editor"}
    console.post(address(Membership, "add"), form)
    assert Membership.objects.get(user=ada).role == Role.EDITOR
    label = "ada is editor of default"
    assert told() == [(operator.username, "membership.created", label, "default")]
    assert label in console.get(address(Project, "change", project.pk)).content.decode()


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


# --- The rules of the API are those of the console --------------------------------------------------


def test_the_last_admin_of_a_project_stays_one_in_the_console(
    console: Client, operator: User, project: Project
) -> None:
    last = Membership.objects.get(user=operator)
    posts: list[tuple[str, dict[str, Any]]] = [
        (address(Membership, "change", last.pk), {"role": "viewer"}),
        (address(Membership, "delete", last.pk), {"post": "yes"}),
        (
            address(Membership, "changelist"),
            {"action": "delete_selected", "post": "yes", "_selected_action": [str(last.pk)]},
        ),
        (address(User, "delete", operator.pk), {"post": "yes"}),
        (
            address(User, "changelist"),
            {"action": "delete_selected", "post": "yes", "_selected_action": [str(operator.pk)]},
        ),
    ]
    for page, form in posts:
        answer = console.post(page, form, follow=True)
        assert "is the only admin of default" in answer.content.decode(), page
    assert Membership.objects.get(user=operator).role == Role.ADMIN
    assert told() == []


def test_a_user_who_is_deleted_leaves_his_projects_first(
    console: Client, operator: User, member: Callable[..., User]
) -> None:
    ada = member(Role.ADMIN)
    console.post(address(User, "delete", ada.pk), {"post": "yes"})
    assert [verb for _, verb, _, _ in told()] == ["user.deleted", "membership.deleted"]


# --- Logging in -------------------------------------------------------------------------------------

LOGIN = "/admin/login/"
MIDDAY = datetime(2026, 5, 1, 12, tzinfo=UTC)


def guesses(count: int, *, names: str, addresses: str) -> list[int]:
    """The statuses of so many attempts to log in; `{}` is the number of each."""
    client, found = Client(), []
    for number in range(count):
        form = {"username": names.format(number), "password": "guess"}
        found.append(client.post(LOGIN, form, REMOTE_ADDR=addresses.format(number)).status_code)
    return found


@time_machine.travel(MIDDAY, tick=False)
@pytest.mark.parametrize(
    ("names", "addresses"), [("ada", "127.0.0.{}"), ("user-{}", "127.0.0.1"), ("{}ADA", "127.0.0.1")]
)
def test_passwords_are_guessed_slowly(db: None, settings: Any, names: str, addresses: str) -> None:
    settings.SKILLMEAT_THROTTLE_LOGIN = Rate(requests=3, seconds=60)
    assert guesses(5, names=names, addresses=addresses) == [200, 200, 200, 429, 429]


@time_machine.travel(MIDDAY, tick=False)
def test_whoever_guesses_too_often_is_told_when_to_come_back(db: None, settings: Any) -> None:
    settings.SKILLMEAT_THROTTLE_LOGIN = Rate(requests=1, seconds=60)
    guesses(1, names="ada", addresses="127.0.0.1")
    answer = Client().post(LOGIN, {"username": "Ada", "password": "guess"})
    assert (answer.status_code, answer["Retry-After"], answer["Content-Type"]) == (
        429,
        "60",
        "text/html; charset=utf-8",
    )
    assert "Too many requests" in answer.content.decode()
    assert Client().get(LOGIN).status_code == 200
