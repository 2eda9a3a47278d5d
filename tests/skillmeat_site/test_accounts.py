"""Tokens, roles and projects: who is asking, and what they may do."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from skillmeat_site.accounts.errors import ProjectRequired, RoleRequired, UnknownProject
from skillmeat_site.accounts.models import (
    LAST_USE_RESOLUTION,
    Membership,
    Project,
    Role,
    Token,
    TokenScope,
    User,
)
from skillmeat_site.accounts.scoping import project_for_writing, require_role
from skillmeat_site.jobs.models import Job
from tests.factories import ProjectFactory, SourceFactory

SOURCES = "/api/v1/marketplace/sources"
SECOND = timedelta(seconds=1)
NEW_SOURCE = {"repo_url": "https://github.com/acme/tools"}

Member = Callable[..., User]
ClientOf = Callable[..., APIClient]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def user(db: None) -> User:
    return User.objects.create_user("ada")


def issue(user: User, **values: Any) -> tuple[Token, str]:
    return Token.objects.issue(**{"user": user, "name": "test", "scope": TokenScope.WRITE} | values)


# --- Tokens ----------------------------------------------------------------------------------------


def test_only_a_digest_of_the_secret_is_stored(user: User) -> None:
    token, secret = issue(user)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {Token._meta.db_table}")
        stored = str(cursor.fetchall())
    assert secret.startswith("sm_")
    assert secret.removeprefix("sm_") not in stored
    assert token.digest in stored


def test_a_token_opens_with_its_secret_and_no_other(user: User, now: datetime) -> None:
    token, secret = issue(user)
    assert Token.objects.opened_by(secret, at=now) == token
    for wrong in ("", secret[:-1], secret.upper(), token.digest):
        assert Token.objects.opened_by(wrong, at=now) is None


def test_a_token_opens_until_it_expires(user: User, now: datetime) -> None:
    _, secret = issue(user, expires_at=now)
    assert Token.objects.opened_by(secret, at=now - SECOND) is not None
    assert Token.objects.opened_by(secret, at=now) is None


def test_a_revoked_token_and_that_of_an_inactive_user_do_not_open(user: User, now: datetime) -> None:
    token, secret = issue(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert Token.objects.opened_by(secret, at=now) is None
    User.objects.filter(pk=user.pk).update(is_active=True)
    token.delete()
    assert Token.objects.opened_by(secret, at=now) is None


def test_the_last_use_is_noted_to_the_minute(user: User, now: datetime) -> None:
    token, secret = issue(user)
    seen = []
    for at in (now, now + LAST_USE_RESOLUTION, now + LAST_USE_RESOLUTION + SECOND):
        Token.objects.opened_by(secret, at=at)
        token.refresh_from_db()
        seen.append(token.last_used_at)
    assert seen == [now, now, now + LAST_USE_RESOLUTION + SECOND]


# --- The command -----------------------------------------------------------------------------------


def test_the_command_makes_a_token_a_user_and_a_membership(
    db: None, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    call_command("create_token", "ada", "--project", "tools", "--role", "admin", "--days", "1", "--json")
    facts = json.loads(capsys.readouterr().out)
    token = Token.objects.opened_by(facts.pop("token"), at=now)
    assert token is not None
    assert token.expires_at is not None
    expires_at = facts.pop("expires_at")
    assert facts == {"user": "ada", "name": "command line", "scope": "write"}
    assert expires_at == token.expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert timedelta(hours=23) < token.expires_at - now < timedelta(hours=25)
    assert not token.user.has_usable_password()
    membership = Membership.objects.get(user=token.user)
    assert (membership.project.slug, membership.role) == ("tools", "admin")


def test_the_command_prints_nothing_but_the_secret_to_standard_output(
    user: User, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    call_command("create_token", user.username, "--scope", "read")
    said = capsys.readouterr()
    token = Token.objects.opened_by(said.out.strip(), at=now)
    assert token is not None
    assert (token.user, token.scope, token.expires_at) == (user, "read", None)
    assert said.out.strip() not in said.err


def test_the_command_refuses_a_second_token_of_the_same_name(
    user: User, capsys: pytest.CaptureFixture[str]
) -> None:
    issue(user, name="laptop")
    with pytest.raises(CommandError, match=r"already has a token named 'laptop'.*--name"):
        call_command("create_token", user.username, "--name", "laptop", "--project", "tools")
    assert capsys.readouterr().out == ""
    assert not Project.objects.filter(slug="tools").exists()


@pytest.mark.parametrize("days", ["0", "-1"])
def test_the_command_refuses_days_that_have_passed(db: None, days: str) -> None:
    with pytest.raises(CommandError, match="--days"):
        call_command("create_token", "ada", "--days", days)
    assert not User.objects.exists()


def test_the_command_refuses_more_days_than_there_are(db: None) -> None:
    with pytest.raises(CommandError, match="--days"):
        call_command("create_token", "ada", "--days", "99999999")


def test_the_command_refuses_a_project_that_cannot_be_named(db: None) -> None:
    with pytest.raises(CommandError, match="project"):
        call_command("create_token", "ada", "--project", "Not A Slug")


# --- Roles and projects ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (None, []),
        (Role.VIEWER, [Role.VIEWER]),
        (Role.EDITOR, [Role.VIEWER, Role.EDITOR]),
        (Role.ADMIN, [Role.VIEWER, Role.EDITOR, Role.ADMIN]),
    ],
)
def test_a_role_includes_those_below_it(
    member: Member, project: Project, role: Role | None, may: list[Role]
) -> None:
    user = member(role)
    assert [wanted for wanted in Role if project in Project.objects.with_role(user, wanted)] == may


def test_a_superuser_has_every_role_everywhere(member: Member, project: Project) -> None:
    assert project in Project.objects.with_role(member(None, is_superuser=True), Role.ADMIN)


def test_a_missing_role_is_named(member: Member, project: Project) -> None:
    with pytest.raises(RoleRequired, match="needs the role admin in the project default"):
        require_role(member(Role.EDITOR), project, Role.ADMIN)


def test_a_user_has_one_role_in_a_project(member: Member, project: Project) -> None:
    user = member(Role.VIEWER)
    with pytest.raises(IntegrityError):
        Membership.objects.create(user=user, project=project, role=Role.ADMIN)


def test_the_only_project_one_can_write_to_need_not_be_named(member: Member, project: Project) -> None:
    user = member(Role.EDITOR)
    Membership.objects.create(user=user, project=ProjectFactory(), role=Role.VIEWER)
    assert project_for_writing(user, None) == project


def test_of_several_projects_one_has_to_be_named(member: Member, project: Project) -> None:
    user, other = member(Role.EDITOR), ProjectFactory()
    Membership.objects.create(user=user, project=other, role=Role.EDITOR)
    with pytest.raises(ProjectRequired, match="several"):
        project_for_writing(user, None)
    assert project_for_writing(user, other.slug) == other
    assert project_for_writing(user, project.public_id) == project


def test_who_can_write_nowhere_is_told_so(member: Member) -> None:
    with pytest.raises(ProjectRequired, match="no project"):
        project_for_writing(member(Role.VIEWER), None)


def test_a_project_that_one_only_reads_is_not_written_to(member: Member, project: Project) -> None:
    with pytest.raises(RoleRequired):
        project_for_writing(member(Role.VIEWER), project.slug)


@pytest.mark.parametrize("name", ["default", "nowhere", "prj_00000000000000000000000000", ""])
def test_a_project_one_is_not_in_is_unknown(member: Member, project: Project, name: str) -> None:
    assert project.slug == "default"
    with pytest.raises(UnknownProject):
        project_for_writing(member(None), name)


# --- Single-user mode ------------------------------------------------------------------------------


def test_the_local_operator_is_made_once_and_is_no_superuser(api: APIClient) -> None:
    assert api.get(SOURCES).status_code == api.get(SOURCES).status_code == 200
    operator = User.objects.get()
    assert (operator.username, operator.is_superuser, operator.is_staff) == ("local", False, False)
    assert not operator.has_usable_password()
    assert Membership.objects.get(user=operator).role == Role.ADMIN


# --- Multi-user mode -------------------------------------------------------------------------------


@pytest.mark.usefixtures("multi_user")
class TestMultiUser:
    @pytest.mark.parametrize(
        "credentials", [{}, {"HTTP_AUTHORIZATION": "Bearer wrong"}, {"HTTP_AUTHORIZATION": "Bearer"}]
    )
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_without_valid_credentials_nobody_is_known(
        self, api: APIClient, credentials: dict[str, str], method: str
    ) -> None:
        api.credentials(**credentials)
        response = getattr(api, method)(SOURCES)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == 'Bearer realm="SkillMeat"'
        assert response.json()["type"] == "/problems/not_authenticated"

    def test_bytes_that_are_no_token_are_no_fault_of_the_server(self, api: APIClient) -> None:
        api.credentials(HTTP_AUTHORIZATION="Bearer ÿ\x00")
        assert api.get(SOURCES).status_code == 401

    def test_an_expired_token_is_as_good_as_none(self, api: APIClient, user: User, now: datetime) -> None:
        _, secret = issue(user, expires_at=now - SECOND)
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert api.get(SOURCES).status_code == 401

    def test_the_word_bearer_may_be_written_in_any_case(self, api: APIClient, user: User) -> None:
        api.credentials(HTTP_AUTHORIZATION=f"bearer {issue(user)[1]}")
        assert api.get(SOURCES).status_code == 200

    def test_a_read_only_token_reads_and_changes_nothing(self, member: Member, client_of: ClientOf) -> None:
        client = client_of(member(Role.ADMIN), TokenScope.READ)
        source = SourceFactory()
        assert client.get(SOURCES).status_code == 200
        for response in (
            client.post(SOURCES, NEW_SOURCE),
            client.post(f"{SOURCES}/{source.public_id}/rescan"),
            client.delete(f"{SOURCES}/{source.public_id}"),
        ):
            assert response.status_code == 403
            assert response.json()["type"] == "/problems/read_only_token"

    def test_strangers_do_not_see_that_a_source_exists(self, member: Member, client_of: ClientOf) -> None:
        client, address = client_of(member(None)), f"{SOURCES}/{SourceFactory().public_id}"
        assert client.get(SOURCES).json()["items"] == []
        answers = [
            client.get(address),
            client.get(f"{address}/artifacts"),
            client.get(f"{address}/jobs"),
            client.post(f"{address}/rescan"),
            client.delete(address),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5

    @pytest.mark.parametrize(
        ("role", "rescan", "delete"),
        [(Role.VIEWER, 403, 403), (Role.EDITOR, 202, 403), (Role.ADMIN, 202, 204)],
    )
    def test_a_role_decides_who_scans_and_who_deletes(
        self, member: Member, client_of: ClientOf, role: Role, rescan: int, delete: int
    ) -> None:
        client, address = client_of(member(role)), f"{SOURCES}/{SourceFactory().public_id}"
        assert client.get(address).status_code == 200
        assert client.post(f"{address}/rescan").status_code == rescan
        assert Job.objects.exists() is (rescan == 202)
        assert client.delete(address).status_code == delete
        assert client.get(address).status_code == (404 if delete == 204 else 200)

    @pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 201)])
    def test_a_viewer_adds_no_source(
        self, member: Member, client_of: ClientOf, role: Role, status: int
    ) -> None:
        body = NEW_SOURCE | {"project": "default"}
        assert client_of(member(role)).post(SOURCES, body).status_code == status

    @pytest.mark.parametrize(
        ("role", "trust", "status"),
        [
            (Role.EDITOR, "untrusted", 201),
            (Role.EDITOR, "verified", 403),
            (Role.EDITOR, "official", 403),
            (Role.ADMIN, "official", 201),
        ],
    )
    def test_trust_above_basic_is_an_admins_to_give(
        self, member: Member, client_of: ClientOf, role: Role, trust: str, status: int
    ) -> None:
        response = client_of(member(role)).post(SOURCES, NEW_SOURCE | {"trust_level": trust})
        assert response.status_code == status

    def test_a_session_without_a_csrf_token_changes_nothing(self, member: Member) -> None:
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(member(Role.ADMIN))
        assert browser.get(SOURCES).status_code == 200
        response = browser.post(SOURCES, json.dumps(NEW_SOURCE), content_type="application/json")
        assert response.status_code == 403
        assert response["Content-Type"] == "application/problem+json"
