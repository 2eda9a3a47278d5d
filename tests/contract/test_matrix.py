"""Who may do what: every operation of the schema, asked by every caller; nothing leaks out of a project.

An operation that the schema has and the table lacks fails the first test. Whatever is answered here has to be
declared by the schema: the status, of a problem its code, and of a document every field.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from collections_app.models import Artifact, Collection
from deployment_sets.models import Deployment, DeploymentSet
from marketplace.models import Source
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.ids import encode, uuid7
from skillmeat_site.jobs.models import Job
from tests.contract.schema import LISTS, OPERATIONS, SCHEMA, ask
from tests.contract.table import (
    ARTIFACT,
    CALLERS,
    COLLECTION,
    HERE,
    MARKET,
    PROJECT,
    PROJECT_ADMINS,
    SET,
    SOURCE,
    TABLE,
    Case,
    cases,
)
from tests.contract.world import World

CASES = [pytest.param(operation, case, id=name) for operation, case, name in cases()]
REQUEST = "asked-by-test"


def test_every_operation_of_the_schema_is_in_the_table() -> None:
    assert OPERATIONS.keys() == TABLE.keys()


# --- Who may do what -------------------------------------------------------------------------------------


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done meanwhile is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def events() -> list[tuple[str, str, str]]:
    """Who did what in which project by the request of the test."""
    found = AuditEvent.objects.filter(request_id=REQUEST).order_by("id")
    return list(found.values_list("verb", "actor", "project"))


def expected(case: Case, status: int, client: APIClient) -> list[tuple[str, str, str]]:
    if status >= 300 or not case.verbs:
        return []
    actor = client.get(f"{HERE}/me").json()["user"]["username"]
    return [(verb, actor, case.of) for verb in case.verbs]


@pytest.mark.usefixtures("multi_user", "theirs")
@pytest.mark.parametrize(("operation", "case"), CASES)
def test_a_role_decides_and_the_audit_trail_tells(
    caller_named: Callable[[str], APIClient],
    ours: World,
    settle: Callable[[], World],
    operation: str,
    case: Case,
) -> None:
    clients = {caller: caller_named(caller) for caller in CALLERS}
    answers = {}
    for caller, status in zip(CALLERS, case.statuses, strict=True):
        with taken_back():
            world = settle() if case.on_disk else ours
            sent = case.sent(world)
            sent["headers"] = sent["headers"] | {"X-Request-ID": REQUEST}
            response = ask(clients[caller], operation, case.names(world), **sent)
            answers[caller] = response.status_code
            assert events() == expected(case, status, clients[caller]), caller
            assert ("WWW-Authenticate" in response) is (response.status_code == 401), caller
            assert response["X-Request-ID"] == REQUEST
    assert answers == dict(zip(CALLERS, case.statuses, strict=True))


@pytest.mark.parametrize(("operation", "case"), CASES)
def test_in_single_user_mode_nobody_has_to_log_in(
    api: APIClient, ours: World, settle: Callable[[], World], operation: str, case: Case
) -> None:
    status, world = case.statuses[CALLERS.index("admin")], settle() if case.on_disk else ours
    response = ask(api, operation, case.names(world), **case.sent(world))
    assert response.status_code == status, response.content


def test_a_wrong_token_is_refused_even_in_single_user_mode(api: APIClient) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer wrong")
    assert ask(api, f"GET {HERE}/me", {}).status_code == 401


# --- Nothing of another project --------------------------------------------------------------------------


PREFIXES = {
    "source": "src",
    "entry": "ent",
    "excluded": "ent",
    "job": "job",
    "token": "tok",
    "bare": "col",
    "collection": "col",
    "set": "set",
    "deployment": "dep",
}


def absent(place: str) -> str:
    """A name like that of the row, of nothing."""
    if place in {"project", "artifact"}:
        return "nothing" if place == "project" else str(uuid7())
    return encode(PREFIXES[place], uuid7())


def said(response: Any, name: str) -> Any:
    """A problem without what differs by request."""
    document = response.json()
    assert document.pop("request_id")
    return {key: str(value).replace(name, "<id>") for key, value in document.items()}


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(
    ("operation", "case"),
    [pytest.param(operation, case, id=name) for operation, case, name in cases() if case.place],
)
def test_what_belongs_to_another_project_is_as_if_it_were_not_there(
    caller_named: Callable[[str], APIClient], theirs: World, operation: str, case: Case
) -> None:
    sent, before = case.sent(theirs), AuditEvent.objects.count()
    names = case.names(theirs)
    missing = names | {"id": absent(case.place)}
    for client in map(caller_named, ("stranger", "admin")):
        there = ask(client, operation, names, **sent)
        nowhere = ask(client, operation, missing, **sent)
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert said(there, names["id"]) == said(nowhere, missing["id"])
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
    f"GET {PROJECT}/members": lambda world: ids_of(User.objects.filter(memberships__project=world.project)),
    f"GET {HERE}/collections": lambda world: ids_of(Collection.objects.filter(project=world.project)),
    f"GET {COLLECTION}/artifacts": lambda world: ids_of(Artifact.objects.filter(collection=world.collection)),
    f"GET {COLLECTION}/groups": lambda world: {world.group.public_id},
    f"GET {COLLECTION}/refreshes": lambda world: {world.run.public_id},
    f"GET {ARTIFACT}/versions": lambda world: ids_of(world.artifact.versions.all()),
    f"GET {HERE}/deployment-sets": lambda world: ids_of(DeploymentSet.objects.filter(project=world.project)),
    f"GET {SET}/members": lambda world: ids_of(world.set.members.all()),
    f"GET {HERE}/deployments": lambda world: ids_of(Deployment.objects.filter(project=world.project)),
}


def test_every_list_of_the_schema_is_known_here() -> None:
    own = f"GET {HERE}/tokens"  # never of a project
    assert set(LISTS) == {*LISTED, own}


def id_in(item: dict[str, Any]) -> str:
    shown = item.get("user", item)
    return str(shown["id"] if "id" in shown else shown["uuid"])


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
    (f"GET {HERE}/collections", "project", "project"),
    (f"GET {COLLECTION}/artifacts", "entry", "entry"),
    (f"GET {HERE}/deployment-sets", "project", "project"),
    (f"GET {HERE}/deployments", "project", "project"),
    (f"GET {HERE}/deployments", "set", "set"),
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
    f"GET {HERE}/collections",
    f"GET {HERE}/deployment-sets",
    f"GET {HERE}/deployments",
    f"GET {HERE}/jobs",
    f"GET {HERE}/projects",
    f"GET {MARKET}/search",
    f"GET {MARKET}/sources",
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
    return set(re.findall(r"/problems/(\w+)", str(SCHEMA)))


@pytest.mark.parametrize("code", sorted(named_problems()))
def test_every_problem_that_the_schema_names_has_a_page(api: APIClient, code: str) -> None:
    response = api.get(f"/problems/{code}")
    assert response.status_code == 200
    assert code in response.content.decode()
