"""What is remembered for a while only; each app registers its own, so this room knows none of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from django.utils.module_loading import import_string


class Forget(Protocol):
    def __call__(self, *, before: datetime, dry_run: bool) -> int:
        """Forget what ended before then and nothing needs any more; how much that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`forget`: dotted name of a `Forget`, whose work is safe to interrupt and to do twice at once."""

    name: str
    forget: str

    def load(self) -> Forget:
        return cast("Forget", import_string(self.forget))


_histories: dict[str, History] = {}


def register(history: History) -> None:
    _histories[history.name] = history


def registered() -> tuple[History, ...]:
    return tuple(_histories.values())
