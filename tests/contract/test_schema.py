"""The schema is what the server does, and whatever is named by text exists."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command, get_commands, load_command_class
from django.utils.module_loading import import_string
from rest_framework.test import APIClient

from skillmeat_site.jobs import kinds, queue, schedules

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


def our_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if str(app).startswith(OURS))


def test_the_schema_is_valid_and_complete(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    assert file.read_text().startswith("openapi: 3.1")


def test_the_schema_is_openapi_3_1(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1.")


def test_every_operation_says_what_it_is_for(schema: dict[str, Any]) -> None:
    found = dict(operations(schema))
    assert len(found) >= 8
    assert [name for name, operation in found.items() if not operation.get("summary")] == []


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


def test_what_the_queue_calls_exists() -> None:
    assert callable(import_string(queue.ENTRY_POINT))


@pytest.mark.parametrize("name", our_commands())
def test_every_command_explains_itself(name: str) -> None:
    command = load_command_class(str(get_commands()[name]), name)
    text = StringIO()
    command.create_parser("manage.py", name).print_help(text)
    assert command.help.strip()
    assert command.help.split()[0] in text.getvalue()


def test_the_commands_of_the_product_are_there() -> None:
    assert {"add_source", "create_token", "quickstart", "rescan_sources", "worker"} <= set(our_commands())


def test_the_settings_name_handlers_that_exist() -> None:
    for dotted in (*django_settings.MIDDLEWARE, *django_settings.REST_FRAMEWORK["DEFAULT_FILTER_BACKENDS"]):
        assert callable(import_string(dotted)), dotted
