"""What is remembered for a while only; each app registers its own, so this room knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`old`: dotted name of `old(before)`, the rows that ended before then and that nothing needs any more."""

    name: str
    old: str

    def load(self) -> "Callable[[datetime], QuerySet[Model]]":
        return cast("Callable[[datetime], QuerySet[Model]]", import_string(self.old))


_histories: dict[str, History] = {}


def register(history: History) -> None:
    _histories[history.name] = history


def registered() -> tuple[History, ...]:
    return tuple(_histories.values())
