"""What the API's reference says beside its shapes: what parameters mean, and examples of bodies and problems.

Each app says it of its own in a module `reference`; here all of it is put into the OpenAPI document.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from skillmeat_site.api.problems import MEDIA_TYPE

PREFIX = "/api/v1"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`parameters` are sentences by name, or by address where a name has several meanings: `/jobs/{id}`.

    `bodies` are examples by component of the schema, `problems` by code: the members that a problem has
    beside those of all.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    bodies: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __or__(self, other: "Reference") -> "Reference":
        return Reference(
            parameters={**self.parameters, **other.parameters},
            bodies={**self.bodies, **other.bodies},
            problems={**self.problems, **other.problems},
        )


def of_all_apps() -> Reference:
    whole = GENERAL
    for app in apps.get_app_configs():
        if app.module and module_has_submodule(app.module, "reference"):
            whole |= import_module(f"{app.name}.reference").REFERENCE
    return whole


def add_reference(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The hook of drf-spectacular that is called with the whole document."""
    known = of_all_apps()
    examples = Examples(known.bodies, result["components"]["schemas"])
    for path, item in result["paths"].items():
        for operation in item.values():
            _describe(operation, path.removeprefix(PREFIX), known)
            for content in _contents(operation):
                _show(content, known, examples)
    return result


def _describe(operation: dict[str, Any], path: str, known: Reference) -> None:
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        before, found, _ = path.partition(f"{{{name}}}")
        address = before + found if parameter["in"] == "path" else f"{path}?{name}"
        if sentence := known.parameters.get(address, known.parameters.get(name)):
            parameter["description"] = sentence
        if parameter["in"] == "path":
            parameter["schema"] = {"type": "string"}


def _contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield body.get("content", {})


def _show(content: dict[str, Any], known: Reference, examples: "Examples") -> None:
    """Adds examples to a body: of JSON one, of problems one for each."""
    if JSON in content:
        content[JSON]["examples"] = {"example": {"value": examples.of(content[JSON]["schema"])}}
    for code, example in content.get(MEDIA_TYPE, {}).get("examples", {}).items():
        example["value"] |= known.problems.get(code, {})


@dataclass(frozen=True, slots=True)
class Examples:
    """What the apps show of components, and what follows from that for the components made of them."""

    bodies: Mapping[str, Any]
    components: Mapping[str, Any]

    def of(self, schema: Mapping[str, Any]) -> Any:
        """KeyError, with the name of a component, when nobody has said what it looks like."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in self.bodies or not name.startswith("Paginated"):
                return self.bodies[name]
            return self.of(self.components[name])
        if schema["type"] == "array":
            return [self.of(schema["items"])]
        if schema["type"] == "object":
            return {name: self.of(part) for name, part in schema["properties"].items()}
        return schema["examples"][0]


GENERAL = Reference(
    parameters={
        "limit": "How many items a page has at most.",
        "offset": "How many items to leave out at the beginning.",
        "cursor": "The `end_cursor` of the page before; empty or absent for the first page.",
        "project": "A project's slug or id: only what belongs to it.",
        "search": "Text that names, descriptions or tags contain, in whatever case; empty is no filter.",
        "tags": "Only what has this tag. Repeatable; all have to match.",
        "If-None-Match": "ETags of what the client has; if one of them is still right, the answer is a 304.",
    },
    problems={
        "invalid_request": {
            "errors": [{"pointer": "/name", "code": "required", "detail": "This field is required."}]
        },
        "invalid_value": {
            "errors": [{"pointer": "/tags/0", "code": "max_length", "detail": "At most 50 characters a tag."}]
        },
        "throttled": {"retry_after": 42},
    },
)
