"""OpenAPI 3.1 of what the server does: every operation with its problems."""

from typing import Any

from drf_spectacular.extensions import OpenApiFilterExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_parameter_type
from rest_framework.permissions import SAFE_METHODS

from skillmeat_site.api import errors
from skillmeat_site.api.filters import filters_of
from skillmeat_site.api.problems import MEDIA_TYPE, problem, status_of
from skillmeat_site.errors import DomainError

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. Further members depend on the problem.",
    "required": ["type", "title", "status", "detail", "hint", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, in a sentence."},
        "hint": {"type": "string", "description": "What to do next."},
        "instance": {"type": "string", "format": "uri-reference"},
        "request_id": {"type": "string"},
        "existing_id": {"type": "string", "description": "What is already there (409)."},
        "retry_after": {"type": "integer", "description": "Seconds (429)."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer, or ?name for a query parameter.",
                    },
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


ETAG = {
    "description": "Changes whenever the document does.",
    "required": True,
    "schema": {"type": "string"},
}
RETRY_AFTER = {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
REQUEST_ID = "01980f5c8a7b7c3e9d2a4b5c6d7e8f90"


class ProblemSchema(AutoSchema):
    """Adds to each operation the problems it can answer with, and to each document its entity tag.

    A view names problems of its own in `problems = {action: (error, ...)}`, a permission those that it raises
    for unsafe methods in `problems = (error, ...)`; what follows from the request
    itself (400, 401, 403, 404, 415, 422, 429) is worked out here. What is said of tags is what
    `middleware.conditional_answers` does. Examples of bodies are added by `reference.add_reference`.
    """

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            for status, listed in sorted(self._problems(operation).items()):
                operation["responses"][str(status)] = self._response(listed)
            operation["responses"]["429"]["headers"] = {"Retry-After": RETRY_AFTER}
            if self.method == "GET":
                self._add_entity_tag(operation)
        return operation

    @staticmethod
    def _add_entity_tag(operation: dict[str, Any]) -> None:
        document = operation["responses"].get("200", {})
        if "application/json" in document.get("content", {}):
            document["headers"] = {"ETag": ETAG}
            not_modified = {"description": "The client has it already.", "headers": {"ETag": ETAG}}
            operation["responses"]["304"] = not_modified
            operation.setdefault("parameters", []).append(IF_NONE_MATCH)

    def _problems(self, operation: dict[str, Any]) -> dict[int, list[type[DomainError]]]:
        found: list[type[DomainError]] = [
            errors.InvalidRequest,
            errors.NotAuthenticated,
            errors.NotLocal,
            errors.Throttled,
        ]
        if self.method not in SAFE_METHODS:  # a session needs its CSRF token for these
            found.append(errors.PermissionDenied)
        if "{" in self.path:
            found.append(errors.NotFound)
        if "requestBody" in operation:
            found.append(errors.InvalidValue)
        if self.method in {"POST", "PUT", "PATCH"}:
            found.append(errors.UnsupportedMediaType)
        if self.method not in SAFE_METHODS and not self._only_reads():
            for permission in self.view.permission_classes:
                found += getattr(permission, "problems", ())
        found += getattr(self.view, "problems", {}).get(getattr(self.view, "action", ""), ())
        by_status: dict[int, list[type[DomainError]]] = {}
        for error in dict.fromkeys(found):
            by_status.setdefault(status_of(error), []).append(error)
        return by_status

    def _response(self, listed: list[type[DomainError]]) -> dict[str, Any]:
        component = ResolvedComponent(
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        titles = dict.fromkeys(f"`{error.code}`: {error.title}." for error in listed)
        examples = {error.code: {"summary": error.title, "value": self._example(error)} for error in listed}
        content = {MEDIA_TYPE: {"schema": component.ref, "examples": examples}}
        return {"description": " ".join(titles), "content": content}

    def _example(self, error: type[DomainError]) -> dict[str, Any]:
        sentence = " ".join((error.__doc__ or "").split()).partition(". ")[0].removesuffix(".") + "."
        return problem(error(sentence), path=self.path) | {"request_id": REQUEST_ID}

    def _only_reads(self) -> bool:
        return getattr(self.view, "action", "") in getattr(self.view, "reading_actions", ())


class StrictFilters(OpenApiFilterExtension):
    """The query parameters of a list, from the filters themselves."""

    target_class = "skillmeat_site.api.filters.StrictFilterBackend"
    priority = 1  # before the extension for django-filter's own backend

    def get_schema_operation_parameters(
        self, auto_schema: AutoSchema, *_: Any, **__: Any
    ) -> list[dict[str, Any]]:
        return [
            build_parameter_type(
                name=name,
                schema=found.schema(),
                location="query",
                required=getattr(found, "needed", False),
            )
            for name, found in filters_of(auto_schema.view).items()
        ]
