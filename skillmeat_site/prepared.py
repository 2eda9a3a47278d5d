"""Queries that are compiled once and run with other values.

Django makes its SQL anew for every queryset, which takes longer than the database does for a query by key.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Func, Model, QuerySet, TextField

AnyModel = TypeVar("AnyModel", bound=Model)
KEPT = 200
Value = UUID | str
Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    constants: tuple[Any, ...]
    columns: tuple[Expression, ...]


class Prepared:
    """`build` makes a `values_list` whose last parameters are the values it is given, each once, in their order.

    Whatever else it puts into the queryset stays as it is the first time. A statement is kept for each number of
    values, up to KEPT, and kind of database.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build = build
        self._statements: dict[tuple[str, int], _Statement] = {}

    def rows(self, *values: Value) -> list[Row]:
        """What the queryset of these values would give; nothing for none."""
        if not values:
            return []
        connection = connections[DEFAULT_DB_ALIAS]
        place = connection.vendor, len(values)
        statement = self._statements.get(place)
        if statement is None:
            statement = self._compiled(values, connection)
            if len(values) <= KEPT:
                self._statements[place] = statement
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, (*statement.constants, *_adapted(values, connection)))
            return _converted(cursor.fetchall(), statement.columns, connection)

    def _compiled(self, values: Sequence[Value], connection: BaseDatabaseWrapper) -> _Statement:
        """With stand-ins that nothing else can equal, so that no value of the first who asks stays in it."""
        stand_ins = [uuid4() if isinstance(value, UUID) else uuid4().hex for value in values]
        compiler = self._build(*stand_ins).query.get_compiler(connection=connection)
        return _statement(compiler, _adapted(stand_ins, connection))


def prepared_row(model: type[AnyModel], field: str) -> Callable[[Value], AnyModel | None]:
    """Finds the row of a model by a unique field."""

    def names() -> list[str]:
        return [each.attname for each in model._meta.concrete_fields]

    def build(value: Value) -> QuerySet[Any, Any]:
        return model._base_manager.filter(**{field: value}).order_by().values_list(*names())

    by_field = Prepared(build)

    def find(value: Value) -> AnyModel | None:
        return next((model.from_db(DEFAULT_DB_ALIAS, names(), row) for row in by_field.rows(value)), None)

    return find


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
    """A column that is not converted: SQLite keeps a UUID as 32 hexadecimal digits."""

    template = "%(expressions)s"
    output_field = TextField()  # which nothing is converted to


class AsWritten(AsStored):
    """A moment as JSON shows it: SQLite keeps text in UTC, to which RFC 3339 adds two letters."""

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(
            compiler, connection, template="replace(%(expressions)s, ' ', 'T') || 'Z'", **extra
        )


def _statement(compiler: Any, adapted: Sequence[Value]) -> _Statement:
    sql, parameters = compiler.as_sql()
    first = len(parameters) - len(adapted)
    constants, last = parameters[:first], parameters[first:]
    if list(last) != list(adapted) or any(value in constants for value in adapted):
        raise TypeError(f"The values are not the last parameters, each once, of {sql}")
    return _Statement(sql, tuple(constants), tuple(column for column, _, _ in compiler.select))


def _adapted(values: Sequence[Value], connection: BaseDatabaseWrapper) -> Sequence[Value]:
    """As the database takes them."""
    if connection.features.has_native_uuid_field:
        return values
    return [value.hex if isinstance(value, UUID) else value for value in values]


def _converted(rows: list[Row], columns: Iterable[Expression], connection: BaseDatabaseWrapper) -> list[Row]:
    """As Python has them, by the converters that Django uses."""
    found: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, column in enumerate(columns if rows else ()):
        for convert in connection.ops.get_db_converters(column) + column.get_db_converters(connection):
            if convert == getattr(connection.ops, "convert_uuidfield_value", None):
                found[place] = [value and _uuid(value) for value in found[place]]
            else:
                found[place] = [convert(value, column, connection) for value in found[place]]
    return list(zip(*found, strict=True))


@lru_cache(maxsize=20_000)
def _uuid(digits: str) -> UUID:
    """The same keys are read again and again, and making a UUID takes as long as finding its row."""
    return UUID(digits)
