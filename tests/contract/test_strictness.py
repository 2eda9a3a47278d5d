"""Input is taken at its word: each field and query parameter of the schema with all that it may not be.

400 is for what cannot be read, 422 for what makes no sense, 400 for both at once; the answer names the field.
What is refused leaves no audit event, and nothing is answered with a fault of the server.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from skillmeat_site.audit.models import AuditEvent
from tests.contract.schema import OPERATIONS, READ, SCHEMA, Schema, address_of, ask
from tests.contract.table import (
    ARTIFACT,
    COLLECTION,
    DEPLOYMENT,
    ENTRY,
    GROUP,
    HERE,
    MARKET,
    MEMBER,
    SET,
    SET_MEMBER,
    SETTINGS,
    SOURCE,
    TABLE,
)
from tests.contract.world import World

LENGTHY = 10 * 1024 * 1024


ON_DISK = re.compile(r"/(deploy|undo|verify)\b")


@pytest.fixture
def world(request: pytest.FixtureRequest, ours: World, settle: Callable[[], World]) -> World:
    return settle() if ON_DISK.search(request.node.name) else ours


def names_of(operation: str, world: World) -> dict[str, str]:
    return TABLE[operation][0].names(world)


def body_of(operation: str, world: World) -> Any:
    """A body that the operation accepts; None when it takes none."""
    return world.fill(ACCEPTED.get(operation))


def pointers(response: Any) -> list[str]:
    return [error["pointer"] for error in response.json()["errors"]]


# --- What the schema says --------------------------------------------------------------------------------


def resolved(schema: Schema) -> Schema:
    """The schema without references, its alternatives as one set of types."""
    if "$ref" in schema:
        return resolved(SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    parts = [resolved(part) for part in schema.get("allOf", schema.get("oneOf", ()))]
    whole = {name: value for part in reversed(parts) for name, value in part.items()} | schema
    return whole | {"types": types_of(schema, parts), "oneOf": None}


def types_of(schema: Schema, parts: list[Schema]) -> set[str]:
    own = schema.get("type", [])
    found = {own} if isinstance(own, str) else set(own)
    for part in parts:
        found |= part["types"]
    return found | ({"null"} if None in schema.get("enum", ()) else set())


def body_schema(operation: str) -> Schema:
    body = OPERATIONS[operation].get("requestBody")
    return resolved(body["content"]["application/json"]["schema"]) if body else {"properties": {}}


def fields_of(operation: str) -> dict[str, Schema]:
    return {name: resolved(field) for name, field in body_schema(operation)["properties"].items()}


NEW, CHANGE, LINK = f"POST {MARKET}/sources", f"PATCH {SOURCE}", f"POST {MARKET}/infer-url"
TOKENS, PROJECTS = f"POST {HERE}/tokens", f"POST {HERE}/projects"
IMPORT, ADD, REFRESH = f"POST {SOURCE}/import", f"POST {SET}/members", f"POST {COLLECTION}/refresh"
DEPLOY = f"POST {SET}/deploy"
# What may be sent with an empty object only.
EMPTY = {
    f"POST {HERE}/jobs/{{id}}/cancel",
    f"POST {SET}/clone",
    f"POST {DEPLOYMENT}/undo",
    f"POST {DEPLOYMENT}/verify",
}
# A body that each accepts, with no field that is not required; ids of rows in angle brackets.
ACCEPTED: dict[str, Schema] = {
    **{operation: {} for operation in sorted(EMPTY)},
    f"POST {ENTRY}/exclude": {},
    LINK: {"url": "https://github.com/acme/new"},
    NEW: {"repo_url": "https://github.com/acme/new"},
    CHANGE: {},
    f"POST {SOURCE}/rescan": {},
    IMPORT: {"entry_id": "<entry>"},
    f"PATCH {ARTIFACT}": {},
    f"POST {ARTIFACT}/copy": {"collection": "<bare>"},
    f"POST {ARTIFACT}/rollback": {"version": 1},
    f"POST {HERE}/collections": {"name": "New"},
    f"PATCH {COLLECTION}": {},
    f"POST {COLLECTION}/groups": {"name": "New"},
    f"PATCH {GROUP}": {},
    f"PUT {GROUP}/members": {"members": []},
    REFRESH: {},
    f"POST {HERE}/deployment-sets": {"name": "New"},
    f"PUT {SET}": SETTINGS,
    ADD: {"artifact_uuid": "<unused>"},
    f"PUT {SET_MEMBER}": {"position": 0},
    DEPLOY: {"project_path": "<directory>"},
    PROJECTS: {"slug": "new", "name": "New"},
    f"PATCH {HERE}/projects/{{id}}": {},
    f"PUT {MEMBER}": {"role": "viewer"},
    TOKENS: {"name": "laptop"},
}
# Bodies of which one of several fields has to be there, and only one; the first is the one that is missed.
ONE_OF: dict[str, tuple[str, ...]] = {
    LINK: ("url", "repo_url"),
    IMPORT: ("entry_ids", "entry_id"),
    ADD: ("artifact_uuid", "group_id", "member_set_id"),
}


def test_every_operation_with_a_body_is_known_here() -> None:
    takes_a_body = {name for name, found in OPERATIONS.items() if "requestBody" in found}
    assert takes_a_body | EMPTY == ACCEPTED.keys()
    assert {name for name in OPERATIONS if not name.startswith(("GET ", "DELETE "))} == ACCEPTED.keys()


# --- Fields ----------------------------------------------------------------------------------------------

SAMPLES: dict[str, list[Any]] = {
    "null": [None],
    "string": ["5", "true"],
    "integer": [5],
    "number": [5.0, 5.5],
    "boolean": [True],
    "array": [[]],
    "object": [{}],
}


def wrong_types(field: Schema) -> Iterator[Any]:
    for kind, values in SAMPLES.items():
        if kind not in field["types"]:
            yield from values


def senseless(field: Schema) -> Iterator[Any]:
    """What the schema itself rules out, of the right type."""
    if "maxLength" in field:
        yield "a" * (field["maxLength"] + 1)
        yield "a" * 100_000
    if field.get("minLength"):
        yield from ("", "  ")
    if "minimum" in field:
        yield from (field["minimum"] - 1, -1, 10**15)
    if "maximum" in field:
        yield field["maximum"] + 1
    if "enum" in field:
        yield from ("nonsense", "", str(field["enum"][0]).upper())
    if field.get("format") == "date-time":
        yield from ("tomorrow", "", "2999-01-01")
    if "string" in field["types"] and "enum" not in field:
        yield "a\0b"


def bad_elements(name: str, field: Schema) -> Iterator[tuple[Any, int, str]]:
    """Arrays with an element that is wrong."""
    if "array" in field["types"]:
        element = resolved(field["items"])
        yield from (([value], 400, f"/{name}/0") for value in wrong_types(element))
        yield from ((["a", value], 422, f"/{name}/1") for value in senseless(element))
        yield ["a" * 51, 5], 400, f"/{name}/1"


def cases_of(operation: str) -> Iterator[tuple[Any, int, str]]:
    """A bad body of the operation, the status, and the pointer that has to be among those named."""
    accepted, required = ACCEPTED[operation], body_schema(operation).get("required", [])
    for name, field in fields_of(operation).items():
        instead = ONE_OF.get(operation, ())
        gone = {name, *(instead if name in instead else ())}
        others = {key: value for key, value in accepted.items() if key not in gone}
        if name in {*required, *instead[:1]}:
            yield others, 400, f"/{name}"
        yield from (({**others, name: value}, 400, f"/{name}") for value in wrong_types(field))
        refused = 400 if name in {"url", "repo_url", "mode"} else 422
        for value in senseless(field):
            is_long = len(str(value)) > field.get("maxLength", 10**9)
            status = 422 if is_long or "\0" in str(value) else refused
            yield {**others, name: value}, status, f"/{name}"
            yield {**others, name: value, "nonsense": 1}, 400, f"/{name}"
        for value, status, pointer in bad_elements(name, field):
            yield {**others, name: value}, status, pointer
    yield accepted | {"nonsense": 1}, 400, "/nonsense"
    yield accepted | {"a/b~c": 1}, 400, "/a~1b~0c"
    yield accepted | {"": 1}, 400, "/"


def source_cases(operation: str) -> Iterator[tuple[Any, int, str]]:
    """Bad values that the schema has no words for."""
    accepted = ACCEPTED[operation]
    bad: list[tuple[str, Any, int, str]] = [
        ("ref", "a..b", 422, "/ref"),
        ("ref", "-a", 422, "/ref"),
        ("ref", "a b", 422, "/ref"),
        ("root_hint", "../a", 422, "/root_hint"),
        ("root_hint", "/a", 422, "/root_hint"),
        ("root_hint", "a\\b", 422, "/root_hint"),
        ("tags", [str(number) for number in range(21)], 422, "/tags"),
        ("tags", [*map(str, range(20)), 5], 400, "/tags/20"),
        ("tags", [["a"]], 400, "/tags/0"),
        ("rescan_interval", 899, 422, "/rescan_interval"),
        ("rescan_interval", 2**70, 400, "/rescan_interval"),
        ("manual_map", {"..": "skill"}, 422, "/manual_map"),
        ("manual_map", {"/a": "skill"}, 422, "/manual_map"),
        ("manual_map", {"a\0": "skill"}, 422, "/manual_map"),
        ("manual_map", {"a": "nonsense"}, 422, "/manual_map"),
        ("manual_map", {"a": ["nonsense"]}, 422, "/manual_map"),
        ("manual_map", {"a": "skill", "a/": "hook"}, 422, "/manual_map"),
        ("manual_map", {str(number): None for number in range(201)}, 422, "/manual_map"),
        ("manual_map", {"a": 5}, 400, "/manual_map"),
        ("manual_map", {"a": True}, 400, "/manual_map"),
        ("manual_map", {"a": {}}, 400, "/manual_map"),
        ("manual_map", {"a": [5]}, 400, "/manual_map"),
        ("manual_map", {"a": [None, 5]}, 400, "/manual_map"),
        ("manual_map", {"a": "nonsense", "b": 5}, 400, "/manual_map"),
        ("manual_map", {"..": 5}, 400, "/manual_map"),
        ("manual_map", {"a": []}, 422, "/manual_map"),
        ("manual_map", {"a": ["skill", "hook"]}, 422, "/manual_map"),
    ]
    for name, value, status, pointer in bad:
        yield accepted | {name: value}, status, pointer
        if status == 422:
            yield accepted | {name: value, "notes": 5}, 400, "/notes"
            yield accepted | {name: value, "notes": 5}, 400, pointer


def refresh_cases() -> Iterator[tuple[Any, int, str]]:
    yield {"artifact_filter": {"nonsense": 1}}, 400, "/artifact_filter/nonsense"
    yield {"artifact_filter": {"type": 5}}, 400, "/artifact_filter/type"
    yield {"artifact_filter": {"type": "nonsense"}}, 422, "/artifact_filter/type"
    yield {"artifact_filter": {"name_pattern": 5}}, 400, "/artifact_filter/name_pattern"
    yield {"artifact_filter": {"name_pattern": "a" * 201}}, 422, "/artifact_filter/name_pattern"
    yield {"artifact_filter": {"type": "nonsense"}, "dry_run": 5}, 400, "/dry_run"
    yield {"fields": []}, 422, "/fields"


def import_cases() -> Iterator[tuple[Any, int, str]]:
    def solved(value: Any) -> Schema:
        return {"entry_ids": ["<entry>"], "conflict_resolution": value}

    yield {"entry_id": "<entry>", "entry_ids": ["<entry>"]}, 400, "/entry_ids"
    yield {"entry_ids": []}, 422, "/entry_ids"
    yield {"entry_ids": ["<entry>"] * 1001}, 422, "/entry_ids"
    yield solved("nonsense"), 422, "/conflict_resolution"
    yield solved({"<entry>": 5}), 400, "/conflict_resolution"
    yield solved({"<entry>": None}), 400, "/conflict_resolution"
    yield solved({"<entry>": "nonsense"}), 422, "/conflict_resolution"
    yield solved({"<entry>": {}}), 400, "/conflict_resolution"
    yield solved({"<entry>": {"rename": 5}}), 400, "/conflict_resolution"
    yield solved({"<entry>": {"rename": "a", "nonsense": 1}}), 400, "/conflict_resolution"
    yield solved({"<entry>": {"rename": " "}}), 422, "/conflict_resolution"
    yield solved({"<entry>": {"rename": "../a"}}), 422, "/conflict_resolution"
    yield solved({"ent_other": "skip"}), 422, "/conflict_resolution"


def other_cases() -> Iterator[tuple[str, Any, int, str]]:
    for operation in (NEW, CHANGE):
        yield from ((operation, *case) for case in source_cases(operation))
    addresses = [(NEW, "repo_url"), (LINK, "url"), (LINK, "repo_url")]
    for operation, name in addresses:
        for value in (
            "",
            " ",
            "nonsense",
            "https://github.com/acme",
            "https://example.com/a/b",
            "ftp://a/b/c",
        ):
            yield operation, {name: value}, 400, f"/{name}"
        yield operation, {name: "file:///etc"}, 422, f"/{name}"
        yield operation, {name: "file:///etc", "nonsense": 1}, 400, f"/{name}"
    yield LINK, dict.fromkeys(("url", "repo_url"), "https://github.com/a/b"), 422, "/url"
    yield from ((REFRESH, *case) for case in refresh_cases())
    yield from ((IMPORT, *case) for case in import_cases())
    yield ADD, {"artifact_uuid": "<unused>", "group_id": "<group>"}, 400, "/group_id"
    for path in ("shop", "/srv/../etc", "/srv/./shop"):
        yield DEPLOY, {"project_path": path}, 422, "/project_path"
    yield f"PUT {GROUP}/members", {"members": ["<artifact>", "<artifact>"]}, 422, "/members"
    yield NEW, ACCEPTED[NEW] | {"access_token": "a b"}, 422, "/access_token"
    yield NEW, ACCEPTED[NEW] | {"access_token": "ä"}, 422, "/access_token"
    yield TOKENS, {"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, 422, "/expires_at"
    for slug in ("A", "a--b", "-a", "a_b", "ä"):
        yield PROJECTS, {"name": "A", "slug": slug}, 422, "/slug"


def grouped(cases: Iterable[tuple[str, Any]]) -> list[Any]:
    """One test for all cases of a group; each case is its group and what the test takes."""
    groups: dict[str, list[Any]] = {}
    for group, case in cases:
        groups.setdefault(group, []).append(case)
    return [pytest.param(found, id=group) for group, found in groups.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A request that has to be refused with this status, naming `pointer` or what is below it (None: any)."""

    operation: str
    status: int
    pointer: str | None = None
    query: str = ""
    body: Any = None
    raw: bytes | None = None
    content_type: str = ""
    names: tuple[tuple[str, str], ...] = ()

    def answer(self, api: APIClient, world: World) -> Any:
        raw = {"raw": self.raw, "content_type": self.content_type}
        body = {"data": world.fill(self.body)} if self.raw is None else raw
        return ask(
            api, self.operation, names_of(self.operation, world) | dict(self.names), query=self.query, **body
        )

    def complaint(self, api: APIClient, world: World) -> str:
        """What is wrong with the answer; empty when it is as it has to be."""
        before = AuditEvent.objects.count()
        response = self.answer(api, world)
        document = response.json() if response.content else {}
        told = [error["pointer"] for error in document.get("errors", ())]
        events = AuditEvent.objects.count() - before
        right = response.status_code == self.status and self._is_named(told) and not events
        return "" if right else f"{str(self)[:500]}: {response.status_code} naming {told}, {events} events"

    def _is_named(self, told: list[str]) -> bool:
        if self.pointer is None:
            return True
        below = f"{self.pointer}/" if self.pointer else "none"
        return any(pointer == self.pointer or pointer.startswith(below) for pointer in told)


def field_cases() -> Iterator[tuple[str, Bad]]:
    found = [(operation, *case) for operation in ACCEPTED for case in cases_of(operation)]
    for operation, body, status, pointer in (*found, *other_cases()):
        field = pointer.partition("/")[2].partition("/")[0]
        bad = Bad(operation=operation, body=body, status=status, pointer=pointer)
        yield f"{operation} {field}", bad


def wrongs(api: APIClient, world: World, cases: list[Bad]) -> list[str]:
    complaints = (case.complaint(api, world) for case in cases)
    return [complaint for complaint in complaints if complaint]


@pytest.mark.parametrize("cases", grouped(field_cases()))
def test_a_bad_field_is_refused_and_named(api: APIClient, world: World, cases: list[Bad]) -> None:
    assert wrongs(api, world, cases) == []


def nulls() -> Iterator[Any]:
    for operation in ACCEPTED:
        for name, field in fields_of(operation).items():
            if "null" in field["types"] and name not in ONE_OF.get(operation, ()):
                yield pytest.param(operation, name, id=f"{operation} {name}")


@pytest.mark.parametrize(("operation", "name"), list(nulls()))
def test_a_null_is_taken_where_the_schema_says_so(
    api: APIClient, world: World, operation: str, name: str
) -> None:
    response = ask(api, operation, names_of(operation, world), data=body_of(operation, world) | {name: None})
    assert response.status_code < 300, response.content


@pytest.mark.parametrize("operation", ACCEPTED)
def test_what_is_not_required_may_be_absent(api: APIClient, world: World, operation: str) -> None:
    response = ask(api, operation, names_of(operation, world), data=body_of(operation, world))
    assert response.status_code < 300, response.content


# --- Bodies ----------------------------------------------------------------------------------------------

JSON_TYPE = "application/json"
UNREADABLE: dict[str, bytes] = {
    "an array": b"[]",
    "an array of objects": b"[{}]",
    "a string": b'"name"',
    "a number": b"5",
    "a boolean": b"true",
    "broken": b'{"name": ',
    "two documents": b"{} {}",
    "single quotes": b"{'name': 1}",
    "a comma too many": b'{"name": "a",}',
    "NaN": b'{"name": NaN}',
    "no UTF-8": b'{"name": "\xff"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "white space": b"  ",
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "10 MiB": json.dumps({"name": "a" * LENGTHY}).encode(),
    "null": b"null",
}


NO_OBJECTS = {"an array", "an array of objects", "a string", "a number", "a boolean"}


def body_cases() -> Iterator[tuple[str, Bad]]:
    for operation in ACCEPTED:
        for name, raw in UNREADABLE.items():
            pointer = "" if name in NO_OBJECTS else None
            bad = Bad(operation=operation, status=400, pointer=pointer, raw=raw, content_type=JSON_TYPE)
            yield operation, bad


@pytest.mark.parametrize("cases", grouped(body_cases()))
def test_a_body_that_is_no_json_object_cannot_be_read(api: APIClient, world: World, cases: list[Bad]) -> None:
    assert wrongs(api, world, cases) == []


OTHER_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=a",
    "text/json",
    "nonsense",
    "",
)


def type_cases() -> Iterator[tuple[str, Bad]]:
    for operation, accepted in ACCEPTED.items():
        for content_type in OTHER_TYPES:
            raw = json.dumps(accepted).encode()
            bad = Bad(operation=operation, status=415, raw=raw, content_type=content_type)
            yield operation, bad


@pytest.mark.parametrize("cases", grouped(type_cases()))
def test_a_body_that_is_not_called_json_is_415(api: APIClient, world: World, cases: list[Bad]) -> None:
    assert wrongs(api, world, cases) == []


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
@pytest.mark.parametrize("operation", ACCEPTED)
def test_json_may_be_called_so_in_other_ways(
    api: APIClient, world: World, operation: str, content_type: str
) -> None:
    raw = json.dumps(body_of(operation, world)).encode()
    response = ask(api, operation, names_of(operation, world), raw=raw, content_type=content_type)
    assert response.status_code < 300


@pytest.mark.parametrize("operation", ACCEPTED)
def test_no_body_is_an_object_without_fields(api: APIClient, world: World, operation: str) -> None:
    answers = [
        ask(api, operation, names_of(operation, world), raw=raw, content_type=JSON_TYPE)
        for raw in (b"", b"{}")
    ]
    required = bool(body_schema(operation).get("required")) or operation in ONE_OF
    assert (answers[0].status_code == 400) is required
    if required:
        assert pointers(answers[0]) == pointers(answers[1])


@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name.startswith("DELETE ")])
@pytest.mark.parametrize("raw", [b"", b"{", b"[]"])
def test_a_delete_does_not_care_for_a_body(api: APIClient, world: World, operation: str, raw: bytes) -> None:
    response = ask(api, operation, names_of(operation, world), raw=raw, content_type=JSON_TYPE)
    assert response.status_code in {200, 204, 404}


# --- Query parameters ------------------------------------------------------------------------------------


def parameters_of(operation: str) -> dict[str, Schema]:
    listed = OPERATIONS[operation].get("parameters", ())
    return {one["name"]: one for one in listed if one["in"] == "query"}


def is_text(schema: Schema) -> bool:
    return schema.get("type") == "string" and not schema.keys() & {"enum", "format"}


BAD_BY_TYPE = {
    "boolean": ["yes", "1", "TRUE", "null"],
    "integer": ["five", "1.0", "1e1", "+1", " 1", "\u0661", "0x1", "-1", "9" * 30],
    "array": ["\0"],
}
BAD_BY_NAME = {
    "cursor": ["nonsense", "src_1", "src_" + "u" * 26, "xxx_" + "0" * 26],
    "source": ["nonsense", "ent_" + "0" * 26],
    "object": ["nonsense", "src_1", "xxx_" + "0" * 26],
    "q": [" "],
}


def bad_values(name: str, schema: Schema) -> Iterator[str]:
    yield from BAD_BY_TYPE.get(schema["type"], ())
    yield from BAD_BY_NAME.get(name, ())
    if "enum" in schema:
        yield from ("nonsense", schema["enum"][0].upper(), f" {schema['enum'][0]}")
    if "minimum" in schema:
        yield from (str(schema["minimum"] - 1), str(schema["maximum"] + 1))
    if schema.get("format") == "date-time":
        yield from ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "5")
    if "maxLength" in schema:
        yield "a" * (schema["maxLength"] + 1)
    if schema["type"] == "string":
        yield "a\0b"
    if not is_text(schema) or name == "q":
        yield ""


def query(operation: str, parameters: list[tuple[str, str]]) -> str:
    given = {name for name, _ in parameters}
    always = [("q", "pdf")] if operation.endswith("/search") and "q" not in given else []
    return f"?{urlencode([*always, *parameters])}"


def bad_queries(operation: str) -> Iterator[list[tuple[str, str]]]:
    """Lists of parameters of which the first is to be named."""
    yield from ([(name, "1")] for name in ("nonsense", "format", "LIMIT", ""))
    for name, parameter in parameters_of(operation).items():
        schema = parameter["schema"]
        yield from ([(name, value)] for value in dict.fromkeys(bad_values(name, schema)))
        if schema["type"] != "array":
            yield [(name, "5"), (name, "5")]


def query_cases() -> Iterator[tuple[str, Bad]]:
    for operation in OPERATIONS:
        for parameters in bad_queries(operation):
            name, asked = parameters[0][0], query(operation, parameters)
            body = ACCEPTED.get(operation)
            bad = Bad(operation=operation, status=400, pointer=f"?{name}", query=asked, body=body)
            yield operation, bad


@pytest.mark.parametrize("cases", grouped(query_cases()))
def test_a_bad_query_is_400_and_names_the_parameter(api: APIClient, world: World, cases: list[Bad]) -> None:
    assert wrongs(api, world, cases) == []


def texts() -> Iterator[tuple[str, str]]:
    for operation in OPERATIONS:
        for name, parameter in parameters_of(operation).items():
            if is_text(parameter["schema"]) and name != "q":
                yield operation, name


@pytest.mark.parametrize(("operation", "name"), list(texts()))
def test_an_empty_text_is_no_filter(api: APIClient, world: World, operation: str, name: str) -> None:
    names = names_of(operation, world)
    empty = ask(api, operation, names, query=query(operation, [(name, "")])).json()
    assert empty == ask(api, operation, names, query=query(operation, [])).json()


WITH_TAGS = [name for name in OPERATIONS if "tags" in parameters_of(name)]


@pytest.mark.parametrize("operation", WITH_TAGS)
def test_tags_may_be_repeated_twenty_times(api: APIClient, world: World, operation: str) -> None:
    def statuses(count: int) -> int:
        tags = [("tags", f"t{number}") for number in range(count)]
        response = ask(api, operation, names_of(operation, world), query=query(operation, tags))
        return int(response.status_code)

    assert [statuses(count) for count in (2, 20, 21)] == [200, 200, 400]


def optional_parameters() -> Iterator[tuple[str, tuple[str, str]]]:
    for operation in OPERATIONS:
        for name, parameter in parameters_of(operation).items():
            if not parameter.get("required"):
                yield operation, (operation, name)


@pytest.mark.parametrize("cases", grouped(optional_parameters()))
def test_a_parameter_that_is_not_required_may_be_absent(
    api: APIClient, world: World, cases: list[tuple[str, str]]
) -> None:
    for operation, name in cases:
        required = [("q", "pdf")] if "q" in parameters_of(operation) and name != "q" else []
        response = ask(api, operation, names_of(operation, world), query=f"?{urlencode(required)}")
        assert response.status_code == 200


# --- Addresses -------------------------------------------------------------------------------------------

BESIDE = ["/api/schema", "/api/docs", "/problems", "/problems/not_found", "/healthz", "/readyz"]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_address_with_a_trailing_slash_is_not_there(api: APIClient, world: World, operation: str) -> None:
    address = address_of(operation, names_of(operation, world)) + "/"
    before = AuditEvent.objects.count()
    response = getattr(api, operation.partition(" ")[0].lower())(address, body_of(operation, world))
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/not_found"
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize("address", BESIDE)
def test_pages_have_no_trailing_slash_either(api: APIClient, db: None, address: str) -> None:
    assert api.get(address).status_code in {200, 503}
    assert api.get(f"{address}/").status_code == 404


METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def wrong_methods() -> Iterator[tuple[str, str]]:
    for path in sorted(SCHEMA["paths"]):
        for method in sorted(METHODS - {name.upper() for name in SCHEMA["paths"][path]}):
            yield method, path


@pytest.mark.parametrize(("method", "path"), list(wrong_methods()))
def test_a_method_that_an_address_lacks_is_405_and_those_it_has_are_named(
    api: APIClient, world: World, method: str, path: str
) -> None:
    has = {name.upper() for name in SCHEMA["paths"][path]}
    address = address_of(f"{method} {path}", names_of(f"{min(has)} {path}", world))
    response = getattr(api, method.lower())(address, {})
    assert response.status_code == 405
    assert response.json()["type"] == "/problems/method_not_allowed"
    assert {name.strip() for name in response["Allow"].split(",")} - {"HEAD", "OPTIONS"} == has


BAD_IDS = [
    "nothing",
    "src_1",
    *(f"{prefix}_{'0' * 26}" for prefix in ("src", "ent", "job", "tok", "prj", "SRC", "xxx")),
    "src_" + "z" * 26,
    "%00",
    "ä",
    "*",
    "a" * 3000,
]
OTHER_IDS = ["nothing", "grp_1", *(f"{prefix}_{'0' * 26}" for prefix in ("grp", "ref", "mem", "xxx")), "%00"]
NUMBERS = ["nothing", "0", "-1", "1.0", "99", "1" * 30, "%00"]
BAD_PARTS = [
    "nothing",
    "../SKILL.md",
    "..%2f..%2fetc/passwd",
    "%00",
    "ä",
    "a" * 3000,
    "SKILL.md%0a",
    "/SKILL.md",
]


def address_cases() -> Iterator[tuple[str, Bad]]:
    others = dict.fromkeys(("group_id", "refresh_id", "member_id"), OTHER_IDS)
    bad_parts = {"id": BAD_IDS, "path": BAD_PARTS, "username": BAD_PARTS, "number": NUMBERS, **others}
    for operation in OPERATIONS:
        for part in re.findall(r"{(\w+)}", operation):
            for bad in bad_parts[part]:
                names = ((part, bad),)
                case = Bad(operation=operation, status=404, names=names, body=ACCEPTED.get(operation))
                yield f"{operation} with another {part}", case


@pytest.mark.parametrize("cases", grouped(address_cases()))
def test_an_address_that_names_nothing_is_not_found(api: APIClient, world: World, cases: list[Bad]) -> None:
    assert wrongs(api, world, cases) == []


@pytest.mark.parametrize("operation", READ)
def test_head_is_get_without_a_body_and_options_is_harmless(
    api: APIClient, world: World, operation: str
) -> None:
    address = address_of(operation, names_of(operation, world)) + query(operation, [])
    before, response = AuditEvent.objects.count(), api.head(address)
    assert (response.status_code, b"".join(response)) == (200, b"")
    options = api.options(address)
    assert (options.status_code, options.json()["schema"]) == (200, "/api/schema")
    read = api.get(address)
    assert options["Allow"] == read["Allow"]
    read.getvalue()  # what is streamed is closed when it was read
    assert AuditEvent.objects.count() == before
