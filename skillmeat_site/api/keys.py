"""The keys of a list's rows, by SQL that is compiled once for whatever is asked."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from threading import Lock
from typing import Any, Self

from django.db import connection
from django.db.models import Model, QuerySet

from skillmeat_site.prepared import AsStored, Key, Statement, compiled

KEPT = 300
_kept: dict[Hashable, Statement] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Keys:
    """As much of a queryset as paginators ask for; it gives the keys of its rows, as they are stored.

    `name` stands for everything that `rows` puts into its queryset, which is made and compiled once for each name.
    Keys that differ from one request to the next are given to `filter`.
    """

    model: type[Model]
    name: Hashable
    rows: Callable[[], QuerySet[Any]]
    lookups: tuple[tuple[str, int], ...] = ()
    values: tuple[Key, ...] = ()
    ordering: tuple[str, ...] | None = None  # None: as the rows are

    def filter(self, **keys: Any) -> Self:
        """By a key each, or for `__in` by any number of them."""
        narrowed = self
        for lookup, given in keys.items():
            values = tuple(given) if lookup.endswith("__in") else (given,)
            narrowed = replace(
                narrowed,
                lookups=(*narrowed.lookups, (lookup, len(values))),
                values=(*narrowed.values, *values),
            )
        return narrowed

    def order_by(self, *ordering: str) -> Self:
        return replace(self, ordering=ordering)

    def count(self) -> int:
        return self._statement((), slice(None)).count(self.values)

    def exists(self) -> bool:
        return bool(self[:1])

    def __getitem__(self, part: slice) -> list[Key]:
        return [key for (key,) in self._statement(self.ordering, part).rows(self.values)]

    def _statement(self, ordering: tuple[str, ...] | None, part: slice) -> Statement:
        place = connection.vendor, self.name, self.lookups, ordering, part.start, part.stop
        statement = _kept.get(place)
        if statement is None:
            rows = self.rows() if ordering is None else self.rows().order_by(*ordering)
            statement = compiled(partial(_build, rows, self.lookups, part), self.values)
            with _lock:
                if len(_kept) >= KEPT:
                    del _kept[next(iter(_kept))]  # the oldest
                _kept[place] = statement
        return statement


def _build(
    rows: QuerySet[Any], lookups: Iterable[tuple[str, int]], part: slice, *values: Key
) -> QuerySet[Any, Any]:
    given = iter(values)
    for lookup, number in lookups:
        keys = list(islice(given, number))
        rows = rows.filter(**{lookup: keys if lookup.endswith("__in") else keys[0]})
    return rows.values_list(AsStored("pk"))[part]
