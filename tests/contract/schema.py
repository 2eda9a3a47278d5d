"""The OpenAPI document as tests ask it: every operation, and whether an answer is what it says."""

import copy
import json
from functools import cache
from typing import Any

import jsonschema_rs
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

Schema = dict[str, Any]
PROBLEM = "application/problem+json"
JSON = "application/json"
SCHEMA: Schema = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS: dict[str, Schema] = {
    f"{method.upper()} {path}": operation
    for path, item in sorted(SCHEMA["paths"].items())
    for method, operation in item.items()
}


def closed(schema: Any) -> Any:
    """The schema with nothing but what it names, so that a field which it does not know is seen."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(part) for name, part in schema.items()}
    if schema.get("type") == "object" and schema.get("properties"):
        found.setdefault("additionalProperties", False)
    return found


COMPONENTS: Schema = {"schemas": closed(SCHEMA["components"]["schemas"])}
COMPONENTS["schemas"]["Problem"] = copy.deepcopy(SCHEMA["components"]["schemas"]["Problem"])


@cache
def validator(schema: str) -> Any:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": COMPONENTS})


def mistakes(schema: Schema, document: Any) -> list[str]:
    """How the document differs from its schema; a field that the schema does not name is a difference."""
    checked = validator(json.dumps(schema, sort_keys=True))
    return [f"{error.instance_path}: {error.message}"[:300] for error in checked.iter_errors(document)]


def is_list(operation: Schema) -> bool:
    """Whether it answers a page of items."""
    content = operation["responses"].get("200", {}).get("content", {})
    return "Paginated" in str(content.get(JSON, ""))


LISTS = [name for name, operation in OPERATIONS.items() if is_list(operation)]
READ = [name for name in OPERATIONS if name.startswith("GET ")]


def address_of(operation: str, names: dict[str, str]) -> str:
    return operation.partition(" ")[2].format(**names)


def ask(
    client: APIClient,
    operation: str,
    names: dict[str, str],
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
    **body: Any,
) -> Any:
    """What the operation answers. `body` is `data` as JSON, or `raw` bytes with their `content_type`."""
    address, method = address_of(operation, names) + query, operation.partition(" ")[0]
    if "raw" in body:
        response = client.generic(
            method, address, body["raw"], content_type=body["content_type"], headers=headers
        )
    else:
        response = getattr(client, method.lower())(address, body.get("data"), headers=headers)
    assert response.status_code < 500, response.content
    assert undeclared(operation, response) == []
    response.getvalue()  # what is streamed is closed when it was read
    return response


def undeclared(operation: str, response: Any) -> list[str]:
    """What the schema does not say of this answer; empty when it says all."""
    declared = OPERATIONS[operation]["responses"].get(str(response.status_code))
    if declared is None:
        return [f"{operation} answers {response.status_code}, which the schema does not declare"]
    media_type = response.get("Content-Type", "").partition(";")[0]
    content = declared.get("content", {})
    if media_type not in content and (content or response.content):
        return [f"{operation} answers {response.status_code} with {media_type or 'nothing'}"]
    if media_type == PROBLEM:
        code = response.json()["type"].removeprefix("/problems/")
        if code not in content[PROBLEM]["examples"]:
            return [f"{operation} answers {response.status_code} with {code}, which it does not declare"]
    if media_type not in {JSON, PROBLEM}:
        return []
    return [f"{operation}: {mistake}" for mistake in mistakes(content[media_type]["schema"], response.json())]
