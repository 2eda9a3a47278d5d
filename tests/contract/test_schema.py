"""The schema is what the server does, and whatever is named by text exists."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from rest_framework.test import APIClient

from deployment_sets.models import DeploymentSet
from skillmeat_site.jobs import history, kinds, queue, schedules
from skillmeat_site.wsgi import application
from tests.factories import (
    ArtifactFactory,
    CollectionFactory,
    DeploymentFactory,
    DeploymentSetFactory,
    EntryFactory,
    JobFactory,
    SourceFactory,
)

METHODS = {"get", "post", "put", "patch", "delete"}
OURS = tuple(name for name in ("skillmeat_site", "marketplace", "collections_app", "deployment_sets"))


@pytest.fixture
def schema(api: APIClient) -> dict[str, Any]:
    response = api.get("/api/schema")
    assert response.status_code == 200
    document: dict[str, Any] = json.loads(response.content)
    return document


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in schema["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def test_the_schema_is_valid_and_complete(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    assert file.read_text().startswith("openapi: 3.1")


def test_the_schema_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1.")


def test_every_operation_says_what_it_is_for(schema: dict[str, Any]) -> None:
    found = dict(operations(schema))
    assert len(found) >= 8
    assert [name for name, said in found.items() if not said.keys() & {"summary", "description"}] == []


def test_every_operation_has_an_id_of_its_own(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(schema)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("status", ["400", "401"])
def test_every_operation_can_be_answered_with_a_problem(schema: dict[str, Any], status: str) -> None:
    for name, operation in operations(schema):
        assert "application/problem+json" in operation["responses"][status]["content"], name


def test_every_operation_below_an_id_can_be_not_found(schema: dict[str, Any]) -> None:
    below = [(name, operation) for name, operation in operations(schema) if "{" in name]
    assert below
    assert [name for name, operation in below if "404" not in operation["responses"]] == []


def test_every_failure_that_is_declared_is_a_problem(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)


def test_no_operation_has_an_address_with_a_trailing_slash(schema: dict[str, Any]) -> None:
    assert [path for path in schema["paths"] if path.endswith("/")] == []


@pytest.mark.parametrize("kind", kinds.registered(), ids=lambda kind: kind.name)
def test_what_a_kind_of_job_names_exists(kind: kinds.JobKind) -> None:
    assert callable(kind.load_task())
    assert callable(import_string(kind.ended))


@pytest.mark.parametrize("periodic", schedules.registered(), ids=lambda periodic: periodic.name)
def test_what_runs_regularly_exists(periodic: schedules.Periodic) -> None:
    assert callable(import_string(periodic.function))
    assert periodic.minutes >= 1


@pytest.mark.parametrize("kept", history.registered(), ids=lambda kept: kept.name)
def test_what_is_pruned_can_be_found(kept: history.History, db: None) -> None:
    assert kept.load()(before=timezone.now(), dry_run=True) == 0


def test_what_the_queue_calls_exists() -> None:
    assert callable(import_string(queue.ENTRY_POINT))


def test_the_settings_name_handlers_that_exist() -> None:
    for dotted in (*django_settings.MIDDLEWARE, *django_settings.REST_FRAMEWORK["DEFAULT_FILTER_BACKENDS"]):
        assert callable(import_string(dotted)), dotted


# --- Driven by the schema --------------------------------------------------------------------------


def from_this_machine(environ: dict[str, Any], start_response: Any) -> Any:
    """The product's WSGI application, as a program on the same machine reaches it, and closed as servers do."""
    answer = application(environ | {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}, start_response)
    with closing(answer):
        return [b"".join(answer)]


driven = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
driven.app = from_this_machine


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """As Django's own test client does: the end of a request leaves the test's connection open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def filled_set() -> DeploymentSet:
    made: DeploymentSet = DeploymentSetFactory(holding=[DeploymentSetFactory()])
    return made


ROWS: dict[str, Callable[[], Any]] = {
    "/marketplace/artifacts/": EntryFactory,
    "/artifacts/": ArtifactFactory,
    "/collections/": CollectionFactory,
    "/jobs/": JobFactory,
    "/deployment-sets/": filled_set,
    "/deployments/": DeploymentFactory,
}


@driven.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
def test_every_operation_does_what_the_schema_says(case: schemathesis.Case, one_connection: None) -> None:
    """Most ids are those of rows that exist, and addresses are those of repositories."""
    if case.path_parameters:
        row = next((make for start, make in ROWS.items() if start in case.path), SourceFactory)()
        exists = len(str(case.path_parameters["id"])) % 3
        case.path_parameters["id"] = row.public_id if exists else "nothing"
        if exists and "member_id" in case.path_parameters:
            case.path_parameters["member_id"] = row.members.get().public_id
    if isinstance(case.body, dict) and isinstance(case.body.get("repo_url"), str):
        case.body["repo_url"] = "https://github.com/acme/tools"
    case.call_and_validate(
        checks=[
            schemathesis.checks.not_a_server_error,
            schemathesis.checks.status_code_conformance,
            schemathesis.checks.content_type_conformance,
            schemathesis.checks.response_schema_conformance,
        ]
    )
