"""The reference explains everything: parameters, examples of all bodies, every problem, who may ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from skillmeat_site.api.problems import status_of
from skillmeat_site.api.reference import of_all_apps
from skillmeat_site.errors import catalogue
from tests.contract.schema import JSON, OPERATIONS, PROBLEM, SCHEMA, Schema, ask, mistakes
from tests.contract.table import TABLE
from tests.contract.world import World

ALWAYS = {"400", "401", "403", "429"}


def contents(operation: Schema, media_type: str) -> Iterator[Schema]:
    """What is said of bodies of this type, those of the request and of all answers."""
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        if media_type in body.get("content", {}):
            yield body["content"][media_type]


def examples(operation: Schema, media_type: str) -> Iterator[tuple[Schema, Any]]:
    for content in contents(operation, media_type):
        for example in content["examples"].values():
            yield content["schema"], example["value"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_explained_in_full(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert [one["name"] for one in operation.get("parameters", ()) if not one.get("description")] == []
    assert all(content["examples"] for content in (*contents(operation, JSON), *contents(operation, PROBLEM)))
    assert operation["responses"].keys() >= ALWAYS
    assert ("404" in operation["responses"]) >= ("{" in name)
    assert ("415" in operation["responses"]) is name.startswith(("POST ", "PUT ", "PATCH "))
    assert ("422" in operation["responses"]) >= ("requestBody" in operation)


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_are_what_the_schema_says(name: str) -> None:
    for media_type in (JSON, PROBLEM):
        for schema, value in examples(OPERATIONS[name], media_type):
            assert mistakes(schema, value) == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_example_of_a_problem_is_that_problem(name: str) -> None:
    for status, response in OPERATIONS[name]["responses"].items():
        for code, example in response.get("content", {}).get(PROBLEM, {}).get("examples", {}).items():
            value, error = example["value"], catalogue()[code]
            assert (value["type"], value["status"]) == (f"/problems/{code}", int(status))
            assert (value["title"], value["hint"]) == (error.title, error.hint)
            assert status_of(error) == int(status)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "requestBody" in OPERATIONS[name]])
def test_an_example_of_a_request_can_be_read(api: APIClient, ours: World, name: str) -> None:
    body = OPERATIONS[name]["requestBody"]["content"][JSON]["examples"]["example"]["value"]
    response = ask(api, name, TABLE[name][0].names(ours), data=body)
    assert response.status_code != 400, response.content
    told = [error["code"] for error in response.json().get("errors", ()) if "pointer" in error]
    assert all(code.startswith(("unknown_", "no_such_")) for code in told)


def test_every_problem_says_what_it_means_and_what_to_do() -> None:
    unclear = [code for code, error in catalogue().items() if not (error.hint and error.__doc__)]
    assert unclear == []


def test_nothing_is_explained_that_is_not_there() -> None:
    known, whole = of_all_apps(), str(SCHEMA)
    assert [name for name in known.bodies if name not in SCHEMA["components"]["schemas"]] == []
    assert [code for code in known.problems if f"'/problems/{code}'" not in whole] == []
    sentences = [sentence for sentence in known.parameters.values() if sentence not in whole]
    assert sentences == []


@pytest.mark.parametrize(("mode", "ways"), [("single-user", 3), ("multi-user", 2)])
def test_who_may_ask_without_credentials_depends_on_the_mode(settings: Any, mode: str, ways: int) -> None:
    settings.SKILLMEAT_AUTH = mode
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    found = [operation["security"] for item in paths.values() for operation in item.values()]
    assert {len(security) for security in found} == {ways}
    assert all(({} in security) is (mode == "single-user") for security in found)
