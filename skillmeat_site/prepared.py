"""Queries that are compiled once and run with other values.

Django makes its SQL anew for every queryset, which takes longer than the database does for a query by key.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Func, QuerySet, TextField

KEPT = 200
Key = UUID | str
Row = Sequence[Any]
Column = Sequence[Any]
Convert = Callable[[Any], Any]
Build = Callable[..., QuerySet[Any, Any]]
BOOLEANS = {0: False, 1: True}  # as SQLite has them


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL whose last parameters are the values; without any, it is known to have no rows."""

    sql: str
    constants: tuple[Any, ...]
    converters: tuple[tuple[int, Convert], ...]
    """By column, for those that have to be converted."""

    def rows(self, values: Sequence[Key]) -> list[Row]:
        if not self.converters:
            return self._fetched(self.sql, values)
        return list(zip(*self.columns(values), strict=True))

    def columns(self, values: Sequence[Key]) -> list[Column]:
        """The same, column by column, as Python has them; nothing at all when there are no rows."""
        rows = self._fetched(self.sql, values)
        columns: list[Column] = list(zip(*rows, strict=True))
        for place, convert in self.converters if rows else ():
            columns[place] = list(map(convert, columns[place]))
        return columns

    def count(self, values: Sequence[Key]) -> int:
        """How many rows that would be."""
        counted = f"SELECT count(*) FROM ({self.sql}) AS counted"  # noqa: S608  Django's own words
        rows = self._fetched(counted, values)
        return int(rows[0][0]) if rows else 0

    def _fetched(self, sql: str, values: Sequence[Key]) -> list[Row]:
        if not self.sql:
            return []
        connection = connections[DEFAULT_DB_ALIAS]
        with connection.cursor() as cursor:
            cursor.execute(sql, (*self.constants, *as_stored(values, connection)))
            rows: list[Row] = cursor.fetchall()
            return rows


class Prepared:
    """`build` makes a `values_list` whose last parameters are the values it is given, each once, in their order.

    Whatever else it puts into the queryset stays as it is the first time. A statement is kept for each number of
    values, up to KEPT, and kind of database.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._statements: dict[tuple[str, int], Statement] = {}

    def rows(self, *values: Key) -> list[Row]:
        """What the queryset of these values would give."""
        return self._statement(values).rows(values)

    def columns(self, *values: Key) -> list[Column]:
        """The same, column by column; nothing at all when there are no rows."""
        return self._statement(values).columns(values)

    def _statement(self, values: Sequence[Key]) -> Statement:
        place = connections[DEFAULT_DB_ALIAS].vendor, len(values)
        statement = self._statements.get(place)
        if statement is None:
            statement = compiled(self._build, values)
            if len(values) <= KEPT:
                self._statements[place] = statement
        return statement


def compiled(build: Build, values: Sequence[Key]) -> Statement:
    """The statement for such values as these; TypeError when they are not its last parameters, each once.

    It is made of stand-ins that nothing else can equal, so that no value of the first who asks stays in it.
    """
    connection = connections[DEFAULT_DB_ALIAS].copy()  # which no thread uses, as converters keep it
    stand_ins = [uuid4() if isinstance(value, UUID) else uuid4().hex for value in values]
    stored = as_stored(stand_ins, connection)
    compiler = build(*stand_ins).query.get_compiler(connection=connection)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return Statement("", (), ())
    first = len(parameters) - len(stored)
    constants, last = parameters[:first], parameters[first:]
    if as_stored(last, connection) != stored or any(value in constants for value in (*stand_ins, *stored)):
        raise TypeError(f"The values are not the last parameters, each once, of {sql}")
    columns = [column for column, _, _ in compiler.select]
    return Statement(sql, tuple(constants), tuple(_converters(columns, connection)))


class VisibleRow:
    """Columns of one row by its key, for those who may see it.

    `rows` is a `values_list` whose `visible_to` names the user once.
    """

    def __init__(self, rows: Any) -> None:
        self._of_all = Prepared(lambda key: rows.filter(pk=key))
        self._of_users = Prepared(lambda user, key: rows.visible_to(get_user_model()(pk=user)).filter(pk=key))

    def read(self, key: UUID | None, user: Any) -> Row | None:
        if key is None:
            return None
        found = self._of_all.rows(key) if user.is_superuser else self._of_users.rows(user.pk, key)
        return found[0] if found else None


class AsStored(Func):
    """A key as text instead of a UUID; SQLite keeps it without hyphens."""

    template = "%(expressions)s"
    output_field = TextField()  # which nothing is converted to

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, **{"template": "(%(expressions)s)::text", **extra})


class AsWritten(Func):
    """A moment as JSON shows it: RFC 3339 in UTC, with microseconds where there are any."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """Which keeps text in UTC that lacks two letters."""
        return super().as_sql(
            compiler, connection, template="replace(%(expressions)s, ' ', 'T') || 'Z'", **extra
        )

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        """Whose driver makes moments in Python, which takes longer than all the rest of a list."""
        written = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
        return super().as_sql(compiler, connection, template=f"replace({written}, '.000000', '')", **extra)


def as_stored(values: Sequence[Key], connection: BaseDatabaseWrapper) -> list[str]:
    """Keys as the database takes and, with `AsStored`, gives them."""
    if connection.features.has_native_uuid_field:
        return [str(value) for value in values]
    return [value.hex if isinstance(value, UUID) else value for value in values]


def _converters(
    columns: Iterable[Expression], connection: BaseDatabaseWrapper
) -> Iterator[tuple[int, Convert]]:
    """Those that Django uses."""
    ours: dict[str, Convert] = {
        "convert_uuidfield_value": _uuid_or_none,
        "convert_booleanfield_value": BOOLEANS.get,
    }
    for place, column in enumerate(columns):
        for convert in connection.ops.get_db_converters(column) + column.get_db_converters(connection):
            quick = ours.get(getattr(convert, "__name__", ""))
            yield place, quick or partial(_converted, convert, column, connection)


def _converted(convert: Callable[..., Any], column: Expression, connection: Any, value: Any) -> Any:
    return convert(value, column, connection)


def _uuid_or_none(digits: str | None) -> UUID | None:
    return _uuid(digits) if digits else None


@lru_cache(maxsize=20_000)
def _uuid(digits: str) -> UUID:
    """The same keys are read again and again, and making a UUID takes as long as finding its row."""
    return UUID(digits)
