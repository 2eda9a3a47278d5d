"""The keys of a list's rows, by SQL that is compiled once for whatever is asked."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Self

from django.db.models import Model, QuerySet

from skillmeat_site.prepared import AsStored, Key, Prepared

KEPT = 300
_prepared: dict[Hashable, Prepared] = {}


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
    ordering: tuple[str, ...] | None = None  # their own

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
        return self._prepared((), None, None).count(*self.values)

    def exists(self) -> bool:
        return bool(self[:1])

    def __getitem__(self, part: slice) -> list[Key]:
        prepared = self._prepared(self.ordering, part.start, part.stop)
        return [key for (key,) in prepared.rows(*self.values)]

    def _prepared(self, ordering: tuple[str, ...] | None, start: int | None, stop: int | None) -> Prepared:
        place = self.name, self.lookups, ordering, start, stop
        prepared = _prepared.get(place)
        if prepared is None:
            if len(_prepared) >= KEPT:
                _prepared.clear()
            rows = self.rows() if ordering is None else self.rows().order_by(*ordering)
            prepared = _prepared[place] = Prepared(partial(_build, rows, self.lookups, slice(start, stop)))
        return prepared


def _build(
    rows: QuerySet[Any], lookups: Iterable[tuple[str, int]], part: slice, *values: Key
) -> QuerySet[Any, Any]:
    given = iter(values)
    for lookup, number in lookups:
        keys = list(islice(given, number))
        rows = rows.filter(**{lookup: keys if lookup.endswith("__in") else keys[0]})
    return rows.values_list(AsStored("pk"))[part]
