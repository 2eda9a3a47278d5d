"""Failures as RFC 9457 problem details: the one place where a kind of failure becomes an HTTP status."""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.http import Http404
from django.utils.encoding import escape_uri_path
from rest_framework import exceptions
from rest_framework.response import Response

from skillmeat_site import logs
from skillmeat_site.api import errors
from skillmeat_site.errors import DomainError, Kind

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
STATUS = {
    Kind.UNREADABLE: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.MEDIA: 415,
    Kind.INVALID: 422,
    Kind.UPSTREAM: 422,  # what the caller named cannot be read there; never 5xx for the other side's fault
    Kind.THROTTLED: 429,
    Kind.INTERNAL: 500,
}
# Field errors that mean "cannot be read" (400); all others mean "makes no sense" (422).
UNREADABLE_CODES = {"required", "null", "invalid_type", "unknown", "not_a_list", "not_a_dict", "invalid"}


def status_of(error: DomainError | type[DomainError]) -> int:
    return STATUS[error.kind]


def problem(error: DomainError, *, path: str) -> dict[str, Any]:
    """The members of the problem document."""
    return {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status_of(error),
        "detail": error.detail,
        "hint": error.hint,
        "instance": escape_uri_path(path),
        "request_id": logs.current("request_id"),
        **error.extra,
    }


def headers(error: DomainError) -> dict[str, str]:
    """What the answer's headers say of the failure."""
    return {"Retry-After": str(error.extra["retry_after"])} if "retry_after" in error.extra else {}


def exception_handler(exception: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: any exception out of a view is a problem; unexpected ones are logged and say nothing."""
    view: APIView = context["view"]
    error = translate(exception)
    if error.kind is Kind.INTERNAL:
        logger.error("Unhandled error in a view", exc_info=exception)
        error = DomainError("Something went wrong on our side.")
    response = Response(
        problem(error, path=context["request"].path), status=status_of(error), content_type=MEDIA_TYPE
    )
    for name, value in headers(error).items():
        response[name] = value
    if error.kind is Kind.UNAUTHENTICATED:
        response["WWW-Authenticate"] = view.get_authenticate_header(context["request"]) or "Bearer"
    return response


def translate(exception: Exception) -> DomainError:
    """The domain's word for any exception that a view can raise."""
    if isinstance(exception, DomainError):
        return exception
    for known, make in TRANSLATIONS:
        if isinstance(exception, known):
            return make(exception)
    return DomainError()


def invalid(found: list[dict[str, str]]) -> errors.InvalidRequest:
    """400 when anything cannot be read, else 422."""
    unreadable = any(error["code"] in UNREADABLE_CODES for error in found)
    return errors.InvalidRequest(errors=found) if unreadable else errors.InvalidValue(errors=found)


def flatten(details: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested error details as a flat list with JSON pointers (RFC 6901)."""
    if isinstance(details, list):
        for index, item in enumerate(details):
            leaf = isinstance(item, dict) and {"message", "code"} == set(item)
            yield from flatten(item, pointer if leaf else f"{pointer}/{index}")
    elif set(details) == {"message", "code"} and isinstance(details["code"], str):
        yield {"pointer": pointer, "code": details["code"], "detail": str(details["message"])}
    else:
        for name, item in details.items():
            own = name == "non_field_errors"
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from flatten(item, pointer if own else f"{pointer}/{step}")


TRANSLATIONS: tuple[
    tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], DomainError]], ...
] = (
    (exceptions.ValidationError, lambda error: invalid(list(flatten(error.get_full_details())))),
    (exceptions.ParseError, lambda error: errors.InvalidRequest(f"The body is no JSON: {error.detail}")),
    (
        (exceptions.NotAuthenticated, exceptions.AuthenticationFailed),
        lambda error: errors.NotAuthenticated(str(error.detail)),
    ),
    (exceptions.PermissionDenied, lambda error: errors.PermissionDenied(str(error.detail))),
    (DjangoPermissionDenied, lambda _: errors.PermissionDenied()),
    ((Http404, exceptions.NotFound), lambda _: errors.NotFound()),
    (exceptions.MethodNotAllowed, lambda error: errors.MethodNotAllowed(str(error.detail))),
    (exceptions.UnsupportedMediaType, lambda error: errors.UnsupportedMediaType(str(error.detail))),
    (
        exceptions.Throttled,
        lambda error: errors.Throttled(str(error.detail), retry_after=int(error.wait or 1)),
    ),
)
