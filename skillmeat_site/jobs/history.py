"""What is remembered for a while only; each app registers its own, so this room knows none of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from django.utils.module_loading import import_string


class Prune(Protocol):
    def __call__(self, *, before: datetime, dry_run: bool = False) -> int:
        """Forget what ended before then and that nothing needs any more; how many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`prune`: dotted name of a `Prune`, in short transactions, safe to interrupt and to run twice at once."""

    name: str
    prune: str

    def load(self) -> Prune:
        return cast("Prune", import_string(self.prune))


_histories: dict[str, History] = {}


def register(history: History) -> None:
    _histories[history.name] = history


def registered() -> tuple[History, ...]:
    return tuple(_histories.values())
