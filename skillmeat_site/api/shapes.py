"""Rows as plain dicts, by the same fields that a serializer names.

Model instances and a serializer's fields cost about 0.2 ms a row. A shape is worked out once from a serializer
and then reads only the columns that its fields need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any
from uuid import UUID

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast, NullIf
from rest_framework import serializers

from skillmeat_site.api.fields import NullableText, PublicIdField, WorkedOutField
from skillmeat_site.ids import encode
from skillmeat_site.prepared import AsStored, AsWritten, Column, Key, Prepared, VisibleRow, as_stored

# What these show is what their column holds; JSON has one form for it, orjson's.
AS_STORED = (
    serializers.BooleanField,
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateTimeField,
    serializers.DictField,
    serializers.IntegerField,
    serializers.JSONField,
    serializers.ListField,
)


class Shape:
    """The columns that a serializer's fields need, and how a row of them is shown.

    `Meta.rows` of the serializer is a queryset of its model with the annotations that the fields name.
    """

    def __init__(self, serializer: type[serializers.Serializer[Any]]) -> None:
        fields = serializer().fields
        rows: QuerySet[Any] = serializer.Meta.rows  # type: ignore[attr-defined]
        documents = {field.name for field in rows.model._meta.fields if isinstance(field, JSONField)}
        self._names = tuple(fields)
        self._conversions: list[tuple[int, Callable[[Any], Any]]] = []
        self._worked_out: list[tuple[int, Callable[..., Any], slice]] = []
        # First a column for each field, in their order, so that a row is a dict at once; then what is worked with.
        read: list[Any] = []
        behind: list[str] = []
        for place, field in enumerate(fields.values()):
            if isinstance(field, WorkedOutField):
                first = len(fields) + len(behind)
                self._worked_out.append((place, field.work, slice(first, first + len(field.columns))))
                read.append(AsStored("pk"))  # keeps the place
                behind += field.columns
                continue
            column = "__".join(field.source_attrs)
            expression, convert = _reading(field, column, is_document=column in documents)
            read.append(expression)
            if convert:
                self._conversions.append((place, convert))
        self.rows = rows.order_by().values_list(*read, *behind, AsStored("pk"))
        self._by_keys = Prepared(lambda *keys: self.rows.filter(pk__in=keys))
        self._visible = VisibleRow(self.rows)

    def read(self, keys: Iterable[Key]) -> list[dict[str, Any]]:
        """The rows with these keys, in their order. What is gone by now is left out."""
        wanted = list(keys)
        columns = self._by_keys.columns(*wanted)
        if not columns:
            return []
        found = dict(zip(columns[-1], self.shown(columns), strict=True))
        stored = as_stored(wanted, connections[DEFAULT_DB_ALIAS])
        return [found[key] for key in stored if key in found]

    def one(self, key: UUID | None, *, user: Any) -> dict[str, Any] | None:
        """The row with this key, if this user may see it."""
        row = self._visible.read(key, user)
        return self.shown(list(zip(row, strict=True)))[0] if row else None

    def shown(self, columns: Sequence[Column]) -> list[dict[str, Any]]:
        """The rows of these columns of `rows`: column by column takes Python half of the time."""
        if not columns:
            return []
        shown: list[Iterable[Any]] = [*columns[: len(self._names)]]
        for place, convert in self._conversions:
            shown[place] = map(convert, columns[place])
        for place, work, places in self._worked_out:
            shown[place] = map(work, *columns[places])
        return [dict(zip(self._names, row, strict=True)) for row in zip(*shown, strict=True)]


@cache
def shape_of(serializer: type[serializers.Serializer[Any]]) -> Shape:
    return Shape(serializer)


def _reading(
    field: serializers.Field[Any, Any, Any, Any], column: str, *, is_document: bool
) -> tuple[Any, Callable[[Any], Any] | None]:
    """How a field's column is read, and what turns its value into the field's; None when it is shown as it is."""
    if is_document:  # sent as it is stored: nobody here looks into it
        return Cast(column, TextField()), orjson.Fragment
    if isinstance(field, PublicIdField):
        return AsStored(column), partial(_public_id, field.model.id_prefix)
    if isinstance(field, NullableText):
        return NullIf(column, Value(""), output_field=TextField()), None
    if isinstance(field, serializers.DateTimeField):
        return AsWritten(column), None
    if isinstance(field, AS_STORED) or hasattr(field, "is_shown_as_stored"):
        return column, None
    raise TypeError(f"{field.field_name}: a shape does not know how a {type(field).__name__} is shown.")


def _public_id(prefix: str, value: str | None) -> str | None:
    return encode(prefix, value) if value else None
