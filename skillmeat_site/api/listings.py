"""Lists by SQL that is compiled once for whatever is asked: one statement for a page, one for its count."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from threading import Lock
from typing import Any, Self

from django.db import connection
from django.db.models import Model, QuerySet

from skillmeat_site.api.shapes import Shape
from skillmeat_site.prepared import Key, Statement, compiled

KEPT = 300
_kept: dict[Hashable, Statement] = {}
_lock = Lock()
Select = Callable[[QuerySet[Any]], QuerySet[Any, Any]]


@dataclass(frozen=True, slots=True)
class Listing:
    """As much of a queryset as paginators ask for; its rows are shown by a shape.

    `name` stands for everything that `rows` puts into its queryset, which is made and compiled once for each name.
    Keys that differ from one request to the next are given to `filter`. Its order is one of the model's own columns:
    what `order_by` says, else the order of `rows`, else the model's.
    """

    shape: Shape
    name: Hashable
    rows: Callable[[], QuerySet[Any]]
    lookups: tuple[tuple[str, int], ...] = ()
    values: tuple[Key, ...] = ()
    ordering: tuple[str, ...] = ()

    @property
    def model(self) -> type[Model]:
        return self.shape.rows.model

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
        return self._statement("count", lambda rows: rows.order_by().values_list("pk")).count(self.values)

    def exists(self) -> bool:
        first = self._statement("exists", lambda rows: rows.order_by().values_list("pk")[:1])
        return bool(first.rows(self.values))

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        def page(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
            ordering = self.ordering or rows.query.order_by or rows.model._meta.ordering or ()
            rows = rows.order_by(*ordering)
            # Keys are sorted without the rest of their rows, and often found in an index alone.
            return self.shape.rows.filter(pk__in=rows.values("pk")[part]).order_by(*ordering)

        statement = self._statement((self.shape, self.ordering, part.start, part.stop), page)
        return self.shape.shown(statement.columns(self.values))

    def _statement(self, purpose: Hashable, select: Select) -> Statement:
        place = connection.vendor, self.name, self.lookups, purpose
        statement = _kept.get(place)
        if statement is None:
            statement = compiled(lambda *values: select(self._narrowed(values)), self.values)
            with _lock:
                if len(_kept) >= KEPT:
                    del _kept[next(iter(_kept))]  # the oldest
                _kept[place] = statement
        return statement

    def _narrowed(self, values: Sequence[Key]) -> QuerySet[Any]:
        rows, left = self.rows(), iter(values)
        for lookup, number in self.lookups:
            given = list(islice(left, number))
            rows = rows.filter(**{lookup: given if lookup.endswith("__in") else given[0]})
        return rows
