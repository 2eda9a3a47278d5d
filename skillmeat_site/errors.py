"""What can go wrong, in words of the domain; this room knows no HTTP and no Django.

Every failure that a user can cause or cure is a subclass of `DomainError`: a stable code, a kind, a
sentence, and a hint at what to do next. Its docstring is the
explanation that `/problems/<code>` serves, so it is written for people who use the product.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    """Which sort of failure it is; each entry point maps it to its own idiom (status, exit code)."""

    UNREADABLE = "unreadable"
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    METHOD = "method"
    MEDIA = "media"
    THROTTLED = "throttled"
    UPSTREAM = "upstream"
    INTERNAL = "internal"


class DomainError(Exception):
    """Something went wrong on the server's side that nobody foresaw.

    The server's log has more under the request_id of the answer.
    """

    code: ClassVar[str] = "internal_error"
    kind: ClassVar[Kind] = Kind.INTERNAL
    title: ClassVar[str] = "Internal error"
    hint: str = "Look for the request_id in the server's log."

    def __init__(self, detail: str = "", *, hint: str | None = None, **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.hint = self.hint if hint is None else hint
        self.extra = extra

    def as_problem(self) -> dict[str, Any]:
        """The members that a stored problem keeps: what to show of a failed job later on. `extra` has to be JSON."""
        return {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "detail": self.detail,
            "hint": self.hint,
            **self.extra,
        }


def catalogue() -> Mapping[str, type[DomainError]]:
    """Every known problem by its code, from the classes themselves, so that no list can lag behind."""
    found: dict[str, type[DomainError]] = {}
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        error = waiting.pop()
        found.setdefault(error.code, error)
        waiting.extend(error.__subclasses__())
    return dict(sorted(found.items()))
