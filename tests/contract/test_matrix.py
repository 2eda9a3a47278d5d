"""Who may do what: every operation of the schema, asked by every caller; nothing leaks out of a project.

An operation that the schema has and the table lacks fails the first test. Whatever is answered here has to be
declared by the schema: the status, and of a problem its code.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from marketplace.content.store import ContentStore
from marketplace.models import Entry, Source
from marketplace.search import index
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.ids import encode, uuid7
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from tests.factories import (
    LONG_AGO,
    SHA,
    EntryFactory,
    JobFactory,
    ManifestFactory,
    ProjectFactory,
    SourceFactory,
    UserFactory,
)

# What is taken and what is deployed have folders of tests of their own, which say who may do what there.
ELSEWHERE = re.compile(
    r"/api/v1/(collections|artifacts|deployment-sets|deployments|marketplace/sources/{id}/import)\b"
)
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
SCHEMA["paths"] = {path: item for path, item in SCHEMA["paths"].items() if not ELSEWHERE.match(path)}
OPERATIONS: dict[str, dict[str, Any]] = {
    f"{method.upper()} {path}": operation
    for path, item in sorted(SCHEMA["paths"].items())
    for method, operation in item.items()
}
PROBLEM = "application/problem+json"
SKILL = b"---\nname: pdf\n---\nReads PDF files.\n"
FILE = "SKILL.md"

# --- The rows that are asked for -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One project with a row of each kind; `bob` is an editor in it, `newcomer` is nobody yet."""

    project: Project
    source: Source  # idle, never scanned by hand
    entry: Entry  # with a stored file
    excluded: Entry
    job: Job  # queued, of another source
    bob: User
    newcomer: User
    token: Token  # bob's
    event: AuditEvent

    @property
    def ids(self) -> set[str]:
        """What must never be read by somebody of another project."""
        rows = (self.project, self.source, self.entry, self.excluded, self.job)
        return {row.public_id for row in (*rows, self.bob, self.token, self.event)}

    def name_of(self, place: str) -> str:
        """How an address names the row."""
        return self.project.slug if place == "project" else str(getattr(self, place).public_id)


def settled(project: Project) -> World:
    """A world in this project."""
    (digest,) = ContentStore(at=LONG_AGO).put([SKILL])
    file = {"path": FILE, "kind": "file", "mode": "100644", "size": len(SKILL), "sha": SHA, "digest": digest}
    source = SourceFactory(project=project, tags=["a"])
    entry = EntryFactory(
        source=source, name="pdf", tags=["a"], manifest=ManifestFactory(digest=digest, files=[file])
    )
    excluded = EntryFactory(source=source, excluded_at=LONG_AGO)
    ended = {"status": JobStatus.SUCCEEDED, "finished_at": LONG_AGO, "trigger": Trigger.CREATE}
    JobFactory(source=source, **ended)
    job = JobFactory(source=SourceFactory(project=project))
    job.events.create(seq=1, at=LONG_AGO, phase="resolving")
    bob, newcomer = UserFactory(), UserFactory()
    Membership.objects.create(project=project, user=bob, role=Role.EDITOR)
    token, _ = Token.objects.issue(user=bob, name="his", scope=TokenScope.WRITE)
    index.refresh(source, texts={}, at=LONG_AGO)
    with transaction.atomic():
        event = record("source.created", source, project=project, by=bob, at=LONG_AGO)
    return World(
        project=project,
        source=source,
        entry=entry,
        excluded=excluded,
        job=job,
        bob=bob,
        newcomer=newcomer,
        token=token,
        event=event,
    )


@pytest.fixture
def ours(project: Project) -> World:
    return settled(project)


@pytest.fixture
def theirs(ours: World) -> World:
    """What belongs to somebody else."""
    return settled(ProjectFactory(slug="theirs"))


@pytest.fixture
def shelf(settings: Any, tmp_path: Path) -> Path:
    """A directory of the server that may be scanned."""
    settings.SKILLMEAT_LOCAL_REPOSITORIES = [tmp_path / "shelf"]
    (tmp_path / "shelf/mine").mkdir(parents=True)
    return tmp_path / "shelf/mine"


# --- Asking ----------------------------------------------------------------------------------------------


def address_of(operation: str, names: dict[str, str]) -> str:
    return operation.partition(" ")[2].format(**names)


def ask(client: APIClient, operation: str, names: dict[str, str], *, query: str = "", **body: Any) -> Any:
    """What the operation answers. `body` is `data` as JSON, or `raw` bytes with their `content_type`."""
    address, method = address_of(operation, names) + query, operation.partition(" ")[0]
    if "raw" in body:
        response = client.generic(method, address, body["raw"], content_type=body["content_type"])
    else:
        response = getattr(client, method.lower())(address, body.get("data"))
    assert response.status_code < 500, response.content
    assert undeclared(operation, response) == ""
    return response


def undeclared(operation: str, response: Any) -> str:
    """What the schema does not say of this answer; empty when it says all."""
    declared = OPERATIONS[operation]["responses"].get(str(response.status_code))
    if declared is None:
        return f"{operation} answers {response.status_code}, which the schema does not declare"
    if response.status_code < 400:
        return ""
    code = response.json()["type"].removeprefix("/problems/")
    if response["Content-Type"] != PROBLEM or f"`{code}`" not in declared["description"]:
        return f"{operation} answers {response.status_code} with {code}, which the schema does not declare"
    return ""


# --- The table -------------------------------------------------------------------------------------------

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
Statuses = tuple[int, int, int, int, int, int, int, int]
KNOWN: Statuses = (401, 200, 200, 200, 200, 200, 200, 401)
MEMBERS: Statuses = (401, 404, 200, 200, 200, 200, 200, 401)
PROJECT_ADMINS: Statuses = (401, 403, 403, 403, 200, 200, 200, 401)
FOUNDERS: Statuses = (401, 403, 403, 403, 201, 201, 403, 401)
NOBODYS: Statuses = (401, 404, 404, 404, 404, 404, 403, 401)  # of somebody else, even for superusers


def editors(status: int) -> Statuses:
    return (401, 404, 403, status, status, status, 403, 401)


def admins(status: int) -> Statuses:
    return (401, 404, 403, 403, status, status, 403, 401)


def known(status: int) -> Statuses:
    return (401, status, status, status, status, status, 403, 401)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request and who gets what; `place` is the row that `{id}` names, `events` what success tells.

    `bug` says how the product is known to fail those who are let in.
    """

    statuses: Statuses
    place: str = ""
    user: str = "bob"
    query: str = ""
    body: dict[str, Any] | None = None
    events: int = 1
    bug: str = ""

    def names(self, world: World) -> dict[str, str]:
        user = getattr(world, self.user, None)
        found = {"path": FILE, "username": user.username if user else self.user}
        return found | ({"id": world.name_of(self.place)} if self.place else {})


REPOSITORY = {"repo_url": "https://github.com/acme/new", "project": "default"}
HERE, MARKET = "/api/v1", "/api/v1/marketplace"
SOURCE, ARTIFACT = f"{MARKET}/sources/{{id}}", f"{MARKET}/artifacts/{{id}}"
MEMBER = f"{HERE}/projects/{{id}}/members/{{username}}"
TABLE: dict[str, list[Case]] = {
    f"GET {HERE}/audit-events": [Case(statuses=PROJECT_ADMINS)],
    f"GET {HERE}/jobs": [Case(statuses=KNOWN)],
    f"GET {HERE}/jobs/{{id}}": [Case(statuses=MEMBERS, place="job")],
    f"POST {HERE}/jobs/{{id}}/cancel": [Case(statuses=editors(202), place="job")],
    f"GET {HERE}/jobs/{{id}}/events": [Case(statuses=MEMBERS, place="job")],
    f"GET {ARTIFACT}": [Case(statuses=MEMBERS, place="entry")],
    f"POST {ARTIFACT}/exclude": [
        Case(statuses=editors(200), place="entry"),
        Case(statuses=editors(200), place="excluded", events=0),
    ],
    f"DELETE {ARTIFACT}/exclude": [Case(statuses=editors(200), place="excluded")],
    f"GET {ARTIFACT}/files/{{path}}": [Case(statuses=MEMBERS, place="entry")],
    f"POST {MARKET}/infer-url": [
        Case(statuses=known(200), body={"url": "https://github.com/acme/new"}, events=0)
    ],
    f"GET {MARKET}/search": [Case(statuses=KNOWN, query="?q=pdf")],
    f"GET {MARKET}/sources": [Case(statuses=KNOWN)],
    f"POST {MARKET}/sources": [
        Case(statuses=editors(201), body=REPOSITORY, events=2),  # the source, and the scan that is queued
        Case(statuses=admins(201), body=REPOSITORY | {"trust_level": "verified"}, events=2),
        Case(statuses=admins(201), body=REPOSITORY | {"repo_url": "file://{shelf}"}, events=2),
        Case(  # no project is named: nobody's only one for the first two, one of several for a superuser
            statuses=(401, 400, 400, 201, 201, 400, 403, 401),
            body={"repo_url": "https://github.com/acme/new"},
            events=2,
        ),
    ],
    f"GET {SOURCE}": [Case(statuses=MEMBERS, place="source")],
    f"PATCH {SOURCE}": [
        Case(statuses=editors(200), place="source", body={"notes": "Good."}),
        Case(statuses=editors(200), place="source", body={"trust_level": "untrusted"}),
        Case(statuses=admins(200), place="source", body={"trust_level": "verified"}),
        Case(statuses=editors(200), place="source", body={}, events=0),
        Case(statuses=editors(200), place="source", body={"trust_level": "basic"}, events=0),
    ],
    f"DELETE {SOURCE}": [Case(statuses=admins(204), place="source")],
    f"GET {SOURCE}/artifacts": [Case(statuses=MEMBERS, place="source")],
    f"GET {SOURCE}/jobs": [Case(statuses=MEMBERS, place="source")],
    f"POST {SOURCE}/rescan": [Case(statuses=editors(202), place="source")],
    f"GET {HERE}/me": [Case(statuses=KNOWN)],
    f"GET {HERE}/projects": [Case(statuses=KNOWN)],
    f"POST {HERE}/projects": [Case(statuses=FOUNDERS, body={"slug": "new", "name": "New"})],
    f"GET {HERE}/projects/{{id}}": [Case(statuses=MEMBERS, place="project")],
    f"PATCH {HERE}/projects/{{id}}": [
        Case(statuses=admins(200), place="project", body={"name": "Renamed"}),
        Case(statuses=admins(200), place="project", body={}, events=0),
    ],
    f"GET {HERE}/projects/{{id}}/members": [Case(statuses=MEMBERS, place="project")],
    f"PUT {MEMBER}": [
        Case(statuses=admins(200), place="project", body={"role": "viewer"}),
        Case(statuses=admins(200), place="project", body={"role": "editor"}, events=0),
        Case(statuses=admins(201), place="project", user="newcomer", body={"role": "viewer"}),
        Case(statuses=admins(404), place="project", user="nobody", body={"role": "viewer"}),
    ],
    f"DELETE {MEMBER}": [
        Case(statuses=admins(204), place="project"),
        Case(statuses=admins(404), place="project", user="newcomer"),
    ],
    f"GET {HERE}/tokens": [Case(statuses=KNOWN)],
    f"POST {HERE}/tokens": [Case(statuses=known(201), body={"name": "laptop"})],
    f"DELETE {HERE}/tokens/{{id}}": [Case(statuses=NOBODYS, place="token")],
}


def cases() -> Iterator[Any]:
    for operation, listed in TABLE.items():
        for number, case in enumerate(listed):
            yield operation, case, f"{operation} {number}" if number else operation


def marks(case: Case, status: int) -> list[Any]:
    return [pytest.mark.xfail(reason=case.bug, strict=True)] if case.bug and status < 300 else []


def body_of(case: Case, shelf: Path) -> dict[str, Any]:
    if case.body is None:
        return {}
    return {"data": {name: value.format(shelf=shelf) for name, value in case.body.items()}}


# --- Who may do what -------------------------------------------------------------------------------------


def test_every_operation_of_the_schema_is_in_the_table() -> None:
    assert OPERATIONS.keys() == TABLE.keys()


@pytest.mark.usefixtures("multi_user", "theirs")
@pytest.mark.parametrize(
    ("operation", "case", "caller", "status"),
    [
        pytest.param(operation, case, caller, status, id=f"{name} by {caller}", marks=marks(case, status))
        for operation, case, name in cases()
        for caller, status in zip(CALLERS, case.statuses, strict=True)
    ],
)
def test_a_role_decides(
    caller_named: Callable[[str], APIClient],
    ours: World,
    shelf: Path,
    operation: str,
    case: Case,
    caller: str,
    status: int,
) -> None:
    client, before = caller_named(caller), AuditEvent.objects.count()
    response = ask(client, operation, case.names(ours), query=case.query, **body_of(case, shelf))
    assert response.status_code == status, response.content
    is_change = status < 300 and not operation.startswith("GET ")
    assert AuditEvent.objects.count() - before == (case.events if is_change else 0)
    assert ("WWW-Authenticate" in response) is (status == 401)


@pytest.mark.parametrize(
    ("operation", "case"), [pytest.param(operation, case, id=name) for operation, case, name in cases()]
)
def test_in_single_user_mode_nobody_has_to_log_in(
    api: APIClient, ours: World, theirs: World, shelf: Path, operation: str, case: Case
) -> None:
    status = case.statuses[CALLERS.index("admin")]
    response = ask(api, operation, case.names(ours), query=case.query, **body_of(case, shelf))
    assert response.status_code == status, response.content


def test_a_wrong_token_is_refused_even_in_single_user_mode(api: APIClient) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer wrong")
    assert ask(api, f"GET {HERE}/me", {}).status_code == 401


# --- Nothing of another project --------------------------------------------------------------------------


PREFIXES = {"source": "src", "entry": "ent", "excluded": "ent", "job": "job", "token": "tok"}


def absent(place: str) -> str:
    return "nothing" if place == "project" else encode(PREFIXES[place], uuid7())


def told(response: Any, name: str) -> Any:
    """A problem without what differs by request."""
    document = response.json()
    assert document.pop("request_id")
    return {key: str(value).replace(name, "<id>") for key, value in document.items()}


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(
    ("operation", "case"),
    [pytest.param(operation, case, id=name) for operation, case, name in cases() if case.place],
)
@pytest.mark.parametrize("caller", ["stranger", "admin"])
def test_what_belongs_to_another_project_is_as_if_it_were_not_there(
    caller_named: Callable[[str], APIClient],
    theirs: World,
    shelf: Path,
    operation: str,
    case: Case,
    caller: str,
) -> None:
    client, body, before = caller_named(caller), body_of(case, shelf), AuditEvent.objects.count()
    names = case.names(theirs)
    there = ask(client, operation, names, **body)
    missing = names | {"id": absent(case.place)}
    nowhere = ask(client, operation, missing, **body)
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert told(there, names["id"]) == told(nowhere, missing["id"])
    assert AuditEvent.objects.count() == before


def ids_of(rows: Any) -> set[str]:
    return {row.public_id for row in rows}


# Who is in a list, for a caller who is an admin of the project.
LISTED: dict[str, Callable[[World], set[str]]] = {
    f"GET {HERE}/audit-events": lambda world: {world.event.public_id},
    f"GET {HERE}/jobs": lambda world: ids_of(Job.objects.filter(project=world.project)),
    f"GET {MARKET}/search": lambda world: {world.entry.public_id},
    f"GET {MARKET}/sources": lambda world: ids_of(Source.objects.filter(project=world.project)),
    f"GET {SOURCE}/artifacts": lambda world: {world.entry.public_id},
    f"GET {SOURCE}/jobs": lambda world: ids_of(Job.objects.filter(subject_id=world.source.pk)),
    f"GET {HERE}/projects": lambda world: {world.project.public_id},
    f"GET {HERE}/projects/{{id}}/members": lambda world: ids_of(
        User.objects.filter(memberships__project=world.project)
    ),
}


def is_list(operation: dict[str, Any]) -> bool:
    content = operation["responses"].get("200", {}).get("content", {})
    return "Paginated" in str(content.get("application/json", ""))


def test_every_list_of_the_schema_is_known_here() -> None:
    own = f"GET {HERE}/tokens"  # never of a project
    assert {name for name, found in OPERATIONS.items() if is_list(found)} == {*LISTED, own}


def id_in(item: dict[str, Any]) -> str:
    return str(item.get("user", item)["id"])


@pytest.mark.parametrize("operation", LISTED)
@pytest.mark.parametrize("caller", ["viewer", "editor", "admin", "local operator"])
def test_a_list_has_all_of_the_callers_project_and_nothing_of_another(
    api: APIClient,
    settings: Any,
    caller_named: Callable[[str], APIClient],
    ours: World,
    theirs: World,
    operation: str,
    caller: str,
) -> None:
    settings.SKILLMEAT_AUTH = "single-user" if caller == "local operator" else "multi-user"
    client = api if caller == "local operator" else caller_named(caller)
    (case,) = TABLE[operation]
    response = ask(client, operation, case.names(ours), query=case.query)
    if response.status_code == 403:
        assert case.statuses == PROJECT_ADMINS
        return
    assert {id_in(item) for item in response.json()["items"]} == LISTED[operation](ours)
    assert [name for name in theirs.ids if name in response.content.decode()] == []


FOREIGN_FILTERS = [
    (f"GET {HERE}/audit-events", "project", "project"),
    (f"GET {HERE}/audit-events", "object", "source"),
    (f"GET {HERE}/jobs", "project", "project"),
    (f"GET {MARKET}/search?q=pdf", "source", "source"),
    (f"GET {MARKET}/sources", "project", "project"),
    (f"GET {SOURCE}/jobs", "project", "project"),
]


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(("operation", "parameter", "place"), FOREIGN_FILTERS)
def test_a_filter_that_names_another_project_finds_nothing(
    caller_named: Callable[[str], APIClient],
    ours: World,
    theirs: World,
    operation: str,
    parameter: str,
    place: str,
) -> None:
    operation, _, query = operation.partition("?")
    client, (case,) = caller_named("admin"), TABLE[operation]
    for name in {theirs.name_of(place), getattr(theirs, place).public_id}:
        response = ask(client, operation, case.names(ours), query=f"?{parameter}={name}&{query}")
        assert response.json()["items"] == []


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize("caller", ["stranger", "viewer", "superuser"])
def test_tokens_are_ones_own(caller_named: Callable[[str], APIClient], ours: World, caller: str) -> None:
    client = caller_named(caller)
    own = ask(client, f"GET {HERE}/me", {}).json()["token"]["id"]
    assert [item["id"] for item in ask(client, f"GET {HERE}/tokens", {}).json()["items"]] == [own]


EMPTY_FOR_STRANGERS = [
    f"GET {HERE}/jobs",
    f"GET {MARKET}/search",
    f"GET {MARKET}/sources",
    f"GET {HERE}/projects",
]


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize("operation", EMPTY_FOR_STRANGERS)
def test_a_stranger_finds_every_list_empty(
    caller_named: Callable[[str], APIClient], ours: World, operation: str
) -> None:
    (case,) = TABLE[operation]
    answer = ask(caller_named("stranger"), operation, {}, query=case.query).json()
    assert answer["items"] == []
    assert ours.project.slug not in str(answer)


# --- Pages of problems -----------------------------------------------------------------------------------


def named_problems() -> set[str]:
    """The codes that the schema speaks of."""
    described = [
        response["description"]
        for operation in OPERATIONS.values()
        for status, response in operation["responses"].items()
        if status >= "400"
    ]
    codes = {code for text in described for code in re.findall(r"`(\w+)`: ", text)}
    return codes | set(re.findall(r"/problems/(\w+)", str(SCHEMA)))


@pytest.mark.parametrize("code", sorted(named_problems()))
def test_every_problem_that_the_schema_names_has_a_page(api: APIClient, code: str) -> None:
    response = api.get(f"/problems/{code}")
    assert response.status_code == 200
    assert code in response.content.decode()
