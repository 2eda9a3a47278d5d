"""`/me`, `/projects`, their members, and `/tokens`: who may do what, what is written, and what is told of it."""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode
from rest_framework.test import APIClient

from skillmeat_site.access.operations import members, projects, tokens
from skillmeat_site.access.operations.members import LastAdmin
from skillmeat_site.access.operations.projects import ProjectExists
from skillmeat_site.access.operations.tokens import TokenExists, TokenOutlivesItsMaker
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ProjectFactory, UserFactory

API = "/api/v1"
DEFAULT = f"{API}/projects/default"
TOKENS = f"{API}/tokens"
CALLERS = (
    "anonymous",
    "stranger",
    "viewer",
    "editor",
    "admin",
    "superuser",
    "read-only token",
    "expired token",
)
SECOND = timedelta(seconds=1)

Member = Callable[..., User]
ClientOf = Callable[..., APIClient]

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time: nobody can race"
)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def bob(project: Project) -> User:
    """An editor of the default project, to whom things are done."""
    bob = UserFactory(username="bob")
    Membership.objects.create(project=project, user=bob, role=Role.EDITOR)
    return bob


def events() -> list[tuple[str, str, str]]:
    """Verb, actor and project of what was told, oldest first."""
    return list(AuditEvent.objects.order_by("id").values_list("verb", "actor", "project"))


def roles(project: Project) -> dict[str, str]:
    return dict(project.memberships.values_list("user__username", "role"))


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    document: dict[str, Any] = response.json()
    assert document["type"] == f"/problems/{code}"
    return document


# --- Who may do what -------------------------------------------------------------------------------


EVERYBODY_KNOWN = (401, 200, 200, 200, 200, 200, 200, 401)
MEMBERS_READ = (401, 404, 200, 200, 200, 200, 200, 401)
PERMITTED: dict[tuple[str, str], tuple[int, ...]] = {
    ("get", "/me"): EVERYBODY_KNOWN,
    ("get", "/projects"): EVERYBODY_KNOWN,
    ("post", "/projects"): (401, 403, 403, 403, 201, 201, 403, 401),
    ("get", "/projects/default"): MEMBERS_READ,
    ("patch", "/projects/default"): (401, 404, 403, 403, 200, 200, 403, 401),
    ("get", "/projects/default/members"): MEMBERS_READ,
    ("put", "/projects/default/members/bob"): (401, 404, 403, 403, 200, 200, 403, 401),
    ("put", "/projects/default/members/new"): (401, 404, 403, 403, 201, 201, 403, 401),
    ("put", "/projects/default/members/nobody"): (401, 404, 403, 403, 404, 404, 403, 401),
    ("delete", "/projects/default/members/bob"): (401, 404, 403, 403, 204, 204, 403, 401),
    ("get", "/tokens"): EVERYBODY_KNOWN,
    ("post", "/tokens"): (401, 201, 201, 201, 201, 201, 403, 401),
    ("delete", "/tokens/{of bob}"): (401, 404, 404, 404, 404, 404, 403, 401),
    ("get", "/audit-events"): (401, 403, 403, 403, 200, 200, 200, 401),
}
BODIES: dict[tuple[str, str], dict[str, str]] = {
    ("post", "/projects"): {"slug": "new", "name": "New"},
    ("patch", "/projects/default"): {"name": "Renamed"},
    ("post", "/tokens"): {"name": "laptop"},
}


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(
    ("operation", "caller", "status"),
    [
        pytest.param(operation, caller, status, id=f"{' '.join(operation)} by {caller}")
        for operation, statuses in PERMITTED.items()
        for caller, status in zip(CALLERS, statuses, strict=True)
    ],
)
def test_a_role_decides_who_may_do_what(
    caller_named: Callable[[str], APIClient], bob: User, operation: tuple[str, str], caller: str, status: int
) -> None:
    UserFactory(username="new")
    token, _ = Token.objects.issue(user=bob, name="his", scope=TokenScope.WRITE)
    method, path = operation
    body = {"role": "viewer"} if method == "put" else BODIES.get(operation)
    client = caller_named(caller)
    response = getattr(client, method)(API + path.replace("{of bob}", token.public_id), body)
    assert response.status_code == status, response.content
    assert bool(events()) is (status < 300 and method != "get")
    if status == 401:
        assert response["WWW-Authenticate"] == 'Bearer realm="SkillMeat"'


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.ADMIN])
def test_a_member_may_go_by_himself(member: Member, client_of: ClientOf, bob: User, role: Role) -> None:
    Membership.objects.create(project=Project.objects.default(), user=UserFactory(), role=Role.ADMIN)
    user = member(role)
    assert client_of(user).delete(f"{DEFAULT}/members/{user.username}").status_code == 204
    assert user.username not in roles(Project.objects.default())
    assert events() == [("membership.deleted", user.username, "default")]


def test_the_local_operator_may_do_everything_in_his_project(api: APIClient, bob: User) -> None:
    assert api.get(f"{API}/me").json()["user"]["username"] == "local"
    assert api.post(f"{API}/projects", {"slug": "tools", "name": "Tools"}).status_code == 201
    assert api.patch(DEFAULT, {"name": "Ours"}).status_code == 200
    assert api.put(f"{DEFAULT}/members/bob", {"role": "admin"}).status_code == 200
    assert api.post(TOKENS, {"name": "script"}).status_code == 201
    assert api.get(f"{API}/audit-events").json()["items"][0]["actor"] == "local"


def test_the_local_operator_makes_projects_even_when_he_is_admin_of_none(api: APIClient) -> None:
    api.get(f"{API}/me")
    Membership.objects.all().delete()
    assert api.post(f"{API}/projects", {"slug": "tools", "name": "Tools"}).status_code == 201


@pytest.mark.usefixtures("multi_user")
def test_who_is_called_local_is_nobody_special_in_multi_user_mode(client_of: ClientOf, db: None) -> None:
    client = client_of(UserFactory(username="local"))
    problem(client.post(f"{API}/projects", {"slug": "tools", "name": "T"}), 403, "role_required")


@pytest.mark.usefixtures("multi_user")
def test_a_session_changes_something_only_with_a_csrf_token(member: Member) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(member(Role.ADMIN))
    body, json_type = json.dumps({"name": "laptop"}), "application/json"
    assert browser.get(TOKENS).status_code == 200
    problem(browser.post(TOKENS, body, json_type), 403, "permission_denied")
    browser.get("/admin/login/")
    browser.cookies["csrftoken"] = "a" * 32
    assert browser.post(TOKENS, body, json_type, headers={"X-CSRFToken": "a" * 32}).status_code == 201


# --- /me -------------------------------------------------------------------------------------------


def test_me_without_a_login_is_the_local_operator(api: APIClient, project: Project) -> None:
    me = api.get(f"{API}/me").json()
    assert me["user"]["id"].startswith("usr_")
    assert (me["user"]["is_superuser"], me["auth"], me["token"]) == (False, "single-user", None)
    assert me["projects"] == [
        {"id": project.public_id, "slug": "default", "name": "Default", "role": "admin"}
    ]


@pytest.mark.usefixtures("multi_user")
def test_me_shows_projects_with_roles_and_the_token_that_was_sent(
    member: Member, client_of: ClientOf
) -> None:
    user = member(Role.VIEWER)
    other, unseen = ProjectFactory(slug="abc"), ProjectFactory()
    Membership.objects.create(user=user, project=other, role=Role.ADMIN)
    me = client_of(user).get(f"{API}/me").json()
    assert me["user"] == {"id": user.public_id, "username": user.username, "is_superuser": False}
    assert [(one["slug"], one["role"]) for one in me["projects"]] == [("abc", "admin"), ("default", "viewer")]
    assert unseen.slug not in str(me)
    token = Token.objects.get(user=user)
    assert me["auth"] == "multi-user"
    assert me["token"]["id"] == token.public_id
    assert set(me["token"]) == {"id", "name", "scope", "created_at", "expires_at", "last_used_at"}


@pytest.mark.usefixtures("multi_user")
def test_a_superuser_is_an_admin_where_he_is_no_member(member: Member, client_of: ClientOf) -> None:
    user = member(Role.VIEWER, is_superuser=True)
    ProjectFactory(slug="abc")
    me = client_of(user).get(f"{API}/me").json()
    assert me["user"]["is_superuser"] is True
    assert {one["slug"]: one["role"] for one in me["projects"]} == {"abc": "admin", "default": "viewer"}


# --- Projects --------------------------------------------------------------------------------------


def test_whoever_makes_a_project_is_its_admin(api: APIClient) -> None:
    response = api.post(f"{API}/projects", {"slug": "tools-2", "name": " Tools "})
    made = response.json()
    assert response.status_code == 201
    assert (made["slug"], made["name"], made["role"]) == ("tools-2", "Tools", "admin")
    assert api.get(response["Location"]).json() == made
    assert roles(Project.objects.get(slug="tools-2")) == {"local": "admin"}
    assert events() == [("project.created", "local", "tools-2")]


def test_a_project_is_found_by_slug_and_by_id(api: APIClient, project: Project) -> None:
    assert api.get(DEFAULT).json() == api.get(f"{API}/projects/{project.public_id}").json()


@pytest.mark.parametrize("name", ["nothing", "prj_00000000000000000000000000", "src_1", "%00", "ä", "a" * 51])
def test_a_project_that_is_none_is_not_found(api: APIClient, name: str) -> None:
    problem(api.get(f"{API}/projects/{name}"), 404, "not_found")


@pytest.mark.usefixtures("multi_user")
def test_only_projects_that_one_is_in_are_listed(member: Member, client_of: ClientOf) -> None:
    ProjectFactory()
    client = client_of(member(Role.VIEWER))
    items = client.get(f"{API}/projects").json()["items"]
    assert [(one["slug"], one["role"]) for one in items] == [("default", "viewer")]


def test_projects_are_listed_page_by_page_newest_first(api: APIClient) -> None:
    for slug in ("one", "two"):
        api.post(f"{API}/projects", {"slug": slug, "name": slug})
    first = api.get(f"{API}/projects?limit=2").json()
    rest = api.get(f"{API}/projects?limit=2&cursor={first['page_info']['end_cursor']}").json()
    assert [one["slug"] for one in first["items"] + rest["items"]] == ["two", "one", "default"]
    assert (first["page_info"]["has_next_page"], rest["page_info"]["has_next_page"]) == (True, False)


def test_a_slug_that_is_taken_names_the_project_that_has_it(api: APIClient, project: Project) -> None:
    response = api.post(f"{API}/projects", {"slug": "default", "name": "Mine"})
    assert problem(response, 409, "project_exists")["existing_id"] == project.public_id
    assert events() == []


@pytest.mark.usefixtures("multi_user")
def test_a_slug_that_is_taken_elsewhere_says_nothing_of_the_project(
    member: Member, client_of: ClientOf
) -> None:
    ProjectFactory(slug="secret")
    response = client_of(member(Role.ADMIN)).post(f"{API}/projects", {"slug": "secret", "name": "Mine"})
    assert "existing_id" not in problem(response, 409, "project_exists")


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"slug": "Tools"}, 422, "/slug"),
        ({"slug": "to--ols"}, 422, "/slug"),
        ({"slug": "tools\n-"}, 422, "/slug"),
        ({"slug": "prj_1"}, 422, "/slug"),
        ({"slug": "a" * 51}, 422, "/slug"),
        ({"slug": ""}, 422, "/slug"),
        ({"name": " "}, 422, "/name"),
        ({"name": "a" * 201}, 422, "/name"),
        ({"slug": 5}, 400, "/slug"),
        ({"slug": None}, 400, "/slug"),
        ({"name": True}, 400, "/name"),
        ({"role": "admin"}, 400, "/role"),
    ],
    ids=repr,
)
def test_a_project_is_made_of_what_can_be_read_and_makes_sense(
    api: APIClient, change: dict[str, Any], status: int, pointer: str
) -> None:
    code = {400: "invalid_request", 422: "invalid_value"}[status]
    response = api.post(f"{API}/projects", {"slug": "tools", "name": "Tools"} | change)
    assert [error["pointer"] for error in problem(response, status, code)["errors"]] == [pointer]
    assert not Project.objects.filter(name="Tools").exists()


def test_a_rename_tells_both_names(api: APIClient, project: Project) -> None:
    assert api.patch(DEFAULT, {"name": "Ours"}).json()["name"] == "Ours"
    event = AuditEvent.objects.get()
    assert (event.verb, event.facts) == ("project.updated", {"name": "Ours", "was": "Default"})


@pytest.mark.parametrize("body", [{}, {"name": "Default"}])
def test_a_rename_to_the_same_name_changes_and_tells_nothing(api: APIClient, body: dict[str, str]) -> None:
    Project.objects.default()
    assert api.patch(DEFAULT, body).json()["name"] == "Default"
    assert events() == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"slug": "new"}, 400),
        ({"name": None}, 400),
        ({"name": 1}, 400),
        ([], 400),
        ({"name": ""}, 422),
    ],
    ids=repr,
)
def test_a_rename_is_read_strictly(api: APIClient, project: Project, body: Any, status: int) -> None:
    assert api.patch(DEFAULT, body).status_code == status


def test_a_project_cannot_be_deleted(api: APIClient, project: Project) -> None:
    problem(api.delete(DEFAULT), 405, "method_not_allowed")


# --- Members ---------------------------------------------------------------------------------------


def test_members_are_listed_with_their_roles(api: APIClient, bob: User) -> None:
    items = api.get(f"{DEFAULT}/members").json()["items"]
    assert {"user": {"id": bob.public_id, "username": "bob"}, "role": "editor"} in items
    assert {one["user"]["username"]: one["role"] for one in items} == {"local": "admin", "bob": "editor"}


def test_members_are_listed_page_by_page(api: APIClient, bob: User) -> None:
    first = api.get(f"{DEFAULT}/members?limit=1").json()
    rest = api.get(f"{DEFAULT}/members?limit=1&cursor={first['page_info']['end_cursor']}").json()
    assert [one["user"]["username"] for one in first["items"] + rest["items"]] == ["local", "bob"]


def test_a_member_comes_changes_and_goes(api: APIClient, project: Project) -> None:
    UserFactory(username="ada")
    address = f"{DEFAULT}/members/ada"
    answers = [api.put(address, {"role": role}) for role in ("viewer", "editor", "editor")]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert answers[-1].json()["role"] == "editor"
    assert [api.delete(address).status_code for _ in range(2)] == [204, 404]
    facts = list(AuditEvent.objects.order_by("id").values_list("verb", "facts"))
    assert facts == [
        ("membership.created", {"user": "ada", "role": "viewer"}),
        ("membership.updated", {"user": "ada", "role": "editor", "was": "viewer"}),
        ("membership.deleted", {"user": "ada", "role": "editor"}),
    ]


@pytest.mark.parametrize("username", ["a.b", "a@b.org", "a+b", "zoë", "Ünïcode_1", "a-b", "members", "."])
def test_a_member_may_be_called_whatever_django_allows(api: APIClient, username: str) -> None:
    user = UserFactory(username=User.normalize_username(username))
    project = Project.objects.default()
    address = f"{API}/projects/{project.public_id}/members/{username}"
    assert api.put(address, {"role": "viewer"}).status_code == 201
    assert roles(project)[user.username] == "viewer"
    assert api.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"role": 1}, 400), ({"role": None}, 400), ({"role": "owner"}, 422), ({"x": 1}, 400)],
    ids=repr,
)
def test_a_role_is_read_strictly(api: APIClient, bob: User, body: dict[str, Any], status: int) -> None:
    assert api.put(f"{DEFAULT}/members/bob", body).status_code == status
    assert roles(Project.objects.default())["bob"] == "editor"


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_the_last_admin_cannot_be_demoted(api: APIClient, role: str) -> None:
    api.get(f"{API}/me")
    problem(api.put(f"{DEFAULT}/members/local", {"role": role}), 409, "last_admin")
    assert roles(Project.objects.default()) == {"local": "admin"}
    assert events() == []


def test_the_last_admin_cannot_go(api: APIClient, bob: User) -> None:
    api.get(f"{API}/me")
    problem(api.delete(f"{DEFAULT}/members/local"), 409, "last_admin")
    api.put(f"{DEFAULT}/members/bob", {"role": "admin"})
    assert api.delete(f"{DEFAULT}/members/local").status_code == 204


def test_an_admin_who_cannot_log_in_does_not_count(api: APIClient, bob: User) -> None:
    api.put(f"{DEFAULT}/members/bob", {"role": "admin"})
    User.objects.filter(pk=bob.pk).update(is_active=False)
    problem(api.delete(f"{DEFAULT}/members/local"), 409, "last_admin")


def test_a_member_who_went_meanwhile_is_no_failure(project: Project, bob: User, now: datetime) -> None:
    membership = Membership.objects.select_related("project").get(user=bob)
    for _ in range(2):
        members.remove(membership=membership, by=None, at=now)
    assert len(events()) == 1


@on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_two_admins_who_demote_each_other_at_once_leave_one(attempt: int) -> None:
    project = ProjectFactory()
    admins = UserFactory.create_batch(2)
    for admin in admins:
        Membership.objects.create(project=project, user=admin, role=Role.ADMIN)
    start, failures = threading.Barrier(2), list[LastAdmin]()

    def demote(user: User) -> None:
        try:
            start.wait(10)
            members.put(project=project, user=user, role=Role.VIEWER, by=None, at=timezone.now())
        except LastAdmin as failure:
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=demote, args=[admin]) for admin in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(failures) == 1
    assert sorted(roles(project).values()) == ["admin", "viewer"]


@pytest.mark.usefixtures("multi_user")
def test_what_a_superuser_does_where_he_is_no_member_is_told_as_such(
    member: Member, client_of: ClientOf, bob: User
) -> None:
    inside, outside = member(Role.ADMIN, is_superuser=True), member(None, is_superuser=True)
    for user in (inside, outside):
        assert client_of(user).patch(DEFAULT, {"name": user.username}).status_code == 200
    told = list(AuditEvent.objects.order_by("id").values_list("actor", "facts"))
    assert "as_superuser" not in told[0][1]
    assert told[1] == (
        outside.username,
        {"name": outside.username, "was": inside.username, "as_superuser": True},
    )


# --- Tokens ----------------------------------------------------------------------------------------


def test_a_new_token_shows_its_secret_once_and_opens(api: APIClient, settings: Any, now: datetime) -> None:
    response = api.post(TOKENS, {"name": "laptop"})
    made = response.json()
    assert (response.status_code, response["Cache-Control"]) == (201, "no-store")
    assert made["id"].startswith("tok_")
    assert (made["scope"], made["expires_at"], made["last_used_at"]) == ("write", None, None)
    secret = made.pop("secret")
    assert api.get(TOKENS).json()["items"] == [made]
    assert secret not in str(list(AuditEvent.objects.values()))
    settings.SKILLMEAT_AUTH = "multi-user"
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(f"{API}/me").json()["token"]["name"] == "laptop"
    assert events() == [("token.created", "local", "")]


def test_a_revoked_token_is_gone(api: APIClient, now: datetime) -> None:
    made = api.post(TOKENS, {"name": "laptop", "scope": "read"}).json()
    assert [api.delete(f"{TOKENS}/{made['id']}").status_code for _ in range(2)] == [204, 404]
    assert Token.objects.opened_by(made["secret"], at=now) is None
    assert [verb for verb, *_ in events()] == ["token.created", "token.deleted"]


@pytest.mark.usefixtures("multi_user")
def test_a_token_may_revoke_itself(member: Member, client_of: ClientOf) -> None:
    client = client_of(member(None))
    own = client.get(f"{API}/me").json()["token"]["id"]
    assert client.delete(f"{TOKENS}/{own}").status_code == 204
    assert client.get(f"{API}/me").status_code == 401


@pytest.mark.usefixtures("multi_user")
def test_a_name_is_taken_only_among_ones_own_tokens(member: Member, client_of: ClientOf) -> None:
    one, other = client_of(member(None)), client_of(member(None))
    made = one.post(TOKENS, {"name": "laptop"}).json()
    assert problem(one.post(TOKENS, {"name": "laptop"}), 409, "token_exists")["existing_id"] == made["id"]
    assert other.post(TOKENS, {"name": "laptop"}).status_code == 201
    assert made["id"] not in str(other.get(TOKENS).json())


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"name": ""}, 422, "/name"),
        ({"name": "a" * 101}, 422, "/name"),
        ({"scope": "admin"}, 422, "/scope"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "/expires_at"),
        ({"expires_at": "tomorrow"}, 422, "/expires_at"),
        ({"expires_at": "2999-01-01"}, 422, "/expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, 422, "/expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, 422, "/expires_at"),
        ({"expires_at": ""}, 422, "/expires_at"),
        ({"expires_at": 5}, 400, "/expires_at"),
        ({"scope": None}, 400, "/scope"),
        ({"name": 5}, 400, "/name"),
        ({"secret": "mine"}, 400, "/secret"),
    ],
    ids=repr,
)
def test_a_token_is_made_of_what_can_be_read_and_makes_sense(
    api: APIClient, change: dict[str, Any], status: int, pointer: str
) -> None:
    code = {400: "invalid_request", 422: "invalid_value"}[status]
    response = api.post(TOKENS, {"name": "laptop"} | change)
    assert [error["pointer"] for error in problem(response, status, code)["errors"]] == [pointer]
    assert not Token.objects.exists()


def test_an_expiry_may_be_written_with_any_offset(api: APIClient) -> None:
    made = api.post(TOKENS, {"name": "laptop", "expires_at": "2999-01-01T02:00:00+02:00"}).json()
    assert made["expires_at"] == "2999-01-01T00:00:00Z"


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(
    ("expires_at", "status"), [(None, 403), (2 * SECOND, 403), (SECOND, 201), (SECOND / 2, 201)], ids=str
)
def test_a_token_that_expires_makes_none_that_lives_longer(
    member: Member, expires_at: timedelta | None, status: int, now: datetime
) -> None:
    own = now + timedelta(hours=1)
    _, secret = Token.objects.issue(
        user=member(None), name="short", scope=TokenScope.WRITE, expires_at=own + SECOND
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    wanted = (own + expires_at).isoformat() if expires_at else None
    response = client.post(TOKENS, {"name": "new", "expires_at": wanted})
    assert response.status_code == status
    if status == 403:
        problem(response, 403, "token_outlives_its_maker")


def test_errors_of_operations_reach_whoever_calls_them(project: Project, bob: User, now: datetime) -> None:
    """Commands call the same operations, without a request around them."""
    with pytest.raises(ProjectExists):
        projects.create(slug="default", name="Again", by=None, at=now)
    short, _ = tokens.issue(
        user=bob, name="a", scope=TokenScope.WRITE, expires_at=now + SECOND, by=None, at=now
    )
    again = {"user": bob, "scope": TokenScope.WRITE, "expires_at": None, "by": bob, "at": now}
    with pytest.raises(TokenExists):
        tokens.issue(name="a", **again)
    with pytest.raises(TokenOutlivesItsMaker):
        tokens.issue(name="b", through=short, **again)


# --- The command -----------------------------------------------------------------------------------


def test_the_command_tells_of_everything_it_makes(db: None) -> None:
    call_command("create_token", "ada", "--project", "tools", "--role", "admin")
    assert events() == [
        ("user.created", "", ""),
        ("project.created", "", "tools"),
        ("membership.created", "", "tools"),
        ("token.created", "", ""),
    ]


def test_the_command_tells_of_a_changed_role_and_of_nothing_that_stays(project: Project, bob: User) -> None:
    call_command("create_token", "bob", "--project", "default", "--role", "editor")
    call_command("create_token", "bob", "--project", "default", "--role", "viewer", "--name", "2")
    assert [verb for verb, *_ in events()] == ["token.created", "membership.updated", "token.created"]


def test_the_command_does_not_demote_the_last_admin(project: Project, bob: User) -> None:
    Membership.objects.update(role=Role.ADMIN)
    with pytest.raises(CommandError, match="only admin"):
        call_command("create_token", "bob", "--project", "default", "--role", "viewer")
    assert not Token.objects.exists()


@pytest.mark.parametrize("username", ["a b", "a/b", "a" * 151, ""])
def test_the_command_makes_nobody_whom_django_would_not_allow(db: None, username: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", username)
    assert not User.objects.exists()


# --- Costs -----------------------------------------------------------------------------------------


@pytest.fixture
def crowded(api: APIClient) -> Callable[[], None]:
    api.get(f"{API}/me")
    operator = User.objects.local_operator()

    def more() -> None:
        for project in ProjectFactory.create_batch(5):
            Membership.objects.create(project=project, user=operator, role=Role.ADMIN)
        for user in UserFactory.create_batch(5):
            Membership.objects.create(project=Project.objects.default(), user=user, role=Role.VIEWER)
        for number in range(5):
            tokens.issue(
                user=operator,
                name=f"{number} of {Token.objects.count()}",
                scope=TokenScope.READ,
                expires_at=None,
                by=operator,
                at=timezone.now(),
            )

    more()
    return more


@pytest.mark.parametrize(
    "address", ["/me", "/projects", "/projects/default/members", "/tokens", "/audit-events"]
)
@pytest.mark.parametrize("query", [{}, {"limit": 100}], ids=str)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(
    api: APIClient, crowded: Callable[[], None], address: str, query: dict[str, int]
) -> None:
    address = f"{API}{address}?{urlencode(query)}" if address != "/me" else f"{API}/me"
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(address).status_code == 200
        costs.append(len(captured))
        crowded()
    assert costs[0] == costs[1] <= 5
