"""Failures of requests as such, whatever they are about."""

from typing import Any

from skillmeat_site.errors import DomainError, Kind


class InvalidRequest(DomainError):
    """The request cannot be read.

    The JSON is broken, or a field or query parameter is missing, unknown, empty where it may not be, or of
    the wrong JSON type. `errors` names each: `pointer` is a JSON pointer into the body, or `?name` for a
    query parameter.
    """

    code = "invalid_request"
    kind = Kind.UNREADABLE
    title = "The request cannot be read"
    hint = "The reference is at /api/docs."

    def __init__(self, detail: str = "", *, errors: list[dict[str, str]] | None = None, **extra: Any) -> None:
        if errors:
            extra["errors"] = errors
        super().__init__(detail or _summary(errors or []), **extra)


class InvalidValue(InvalidRequest):
    """The request can be read but makes no sense.

    Something is too long, too many, or not among the choices; `errors` names each.
    """

    code = "invalid_value"
    kind = Kind.INVALID
    title = "A value makes no sense"


class NotAuthenticated(DomainError):
    """The server does not know who is asking: no credentials were sent, or they are wrong or expired."""

    code = "not_authenticated"
    kind = Kind.UNAUTHENTICATED
    title = "Who is asking?"
    hint = "Send Authorization: Bearer <token>. An operator makes one with manage.py create_token."


class PermissionDenied(DomainError):
    """The server knows who is asking and does not allow it."""

    code = "permission_denied"
    kind = Kind.FORBIDDEN
    title = "Not allowed"
    hint = "With a session of the console, send its CSRF token in X-CSRFToken; or use an API token."


class NotFound(DomainError):
    """There is nothing at this address, or it belongs to a project that you are not in."""

    code = "not_found"
    kind = Kind.NOT_FOUND
    title = "Not found"
    hint = "Check the id, and that the address has no trailing slash."


class MethodNotAllowed(DomainError):
    """The address exists but does not understand this method; `Allow` names those it does."""

    code = "method_not_allowed"
    kind = Kind.METHOD
    title = "Method not allowed"
    hint = "Use one of the methods that Allow names; the reference is at /api/docs."


class UnsupportedMediaType(DomainError):
    """Bodies are JSON only."""

    code = "unsupported_media_type"
    kind = Kind.MEDIA
    title = "Unsupported media type"
    hint = "Send Content-Type: application/json."


class Throttled(DomainError):
    """Too many requests from you in too short a time; `Retry-After` says when to come back."""

    code = "throttled"
    kind = Kind.THROTTLED
    title = "Too many requests"
    hint = "Wait as long as Retry-After says."


class NotLocal(DomainError):
    """In single-user mode the server answers programs on its own machine only, and no foreign web page.

    It has no passwords, so whoever can talk to it owns it: requests from other machines, through proxies
    that are not trusted, or from pages of other sites are refused.
    """

    code = "not_local"
    kind = Kind.FORBIDDEN
    title = "Only local requests are answered"
    hint = "Ask from the same machine, set SKILLMEAT_TRUSTED_PROXIES, or use SKILLMEAT_AUTH=multi-user."


def _summary(errors: list[dict[str, str]]) -> str:
    return " ".join(f"{error['pointer'] or 'body'}: {error['detail']}" for error in errors[:3])
