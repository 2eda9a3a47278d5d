"""Rows as plain dicts, by the same fields that a serializer names.

Model instances and a serializer's fields cost about 0.2 ms a row. A shape is worked out once from a serializer
and then reads only the columns that its fields need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
from django.db.models import JSONField, QuerySet, TextField
from django.db.models.functions import Cast
from rest_framework import serializers

from skillmeat_site.api.fields import NullableText, PublicIdField, WorkedOutField
from skillmeat_site.ids import encode
from skillmeat_site.prepared import AsStored, AsWritten, Prepared, VisibleRow

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
        self._names = tuple(fields)
        self._converted: list[tuple[str, Callable[[Any], Any]]] = []
        self._worked_out: list[tuple[str, Callable[..., Any], Callable[[Any], Any]]] = []
        # The first columns are those of the fields, in their order, so that a row is a dict at once.
        columns = [_columns(field)[0] for field in fields.values()]
        for name, field in fields.items():
            if isinstance(field, WorkedOutField):
                columns += [column for column in field.columns if column not in columns]
                values = itemgetter(*map(columns.index, field.columns))
                self._worked_out.append((name, field.work, values))
            elif convert := _conversion(field):
                self._converted.append((name, convert))
        rows: QuerySet[Any] = serializer.Meta.rows  # type: ignore[attr-defined]
        documents = {field.name for field in rows.model._meta.fields if isinstance(field, JSONField)}
        # JSON is sent as it is stored: nobody here looks into it.
        self._converted += [(name, orjson.Fragment) for name in self._names if name in documents]
        read: list[Any] = [Cast(name, TextField()) if name in documents else name for name in columns]
        worked_with = {
            name for each in fields.values() if isinstance(each, WorkedOutField) for name in each.columns
        }
        for place, field in enumerate(fields.values()):
            unconverted = _unconverted(field)
            if unconverted and columns[place] not in worked_with:
                read[place] = unconverted(columns[place])
        self._rows = rows.order_by().values_list("pk", *read)
        self._by_keys = Prepared(lambda *keys: self._rows.filter(pk__in=keys))
        self._visible = VisibleRow(self._rows)

    def read(self, keys: Iterable[UUID]) -> list[dict[str, Any]]:
        """The rows with these keys, in their order. What is gone by now is left out."""
        keys = list(keys)
        found = {row[0]: row[1:] for row in self._by_keys.rows(*keys)}
        return [self._shown(found[key]) for key in keys if key in found]

    def one(self, key: UUID | None, *, user: Any) -> dict[str, Any] | None:
        """The row with this key, if this user may see it."""
        row = self._visible.read(key, user)
        return self._shown(row[1:]) if row else None

    def _shown(self, row: Sequence[Any]) -> dict[str, Any]:
        shown = dict(zip(self._names, row, strict=False))
        for name, convert in self._converted:
            shown[name] = convert(shown[name])
        for name, work, values in self._worked_out:
            shown[name] = work(*values(row))
        return shown


@cache
def shape_of(serializer: type[serializers.Serializer[Any]]) -> Shape:
    return Shape(serializer)


def _columns(field: serializers.Field[Any, Any, Any, Any]) -> Sequence[str]:
    return field.columns if isinstance(field, WorkedOutField) else ["__".join(field.source_attrs)]


def _conversion(field: serializers.Field[Any, Any, Any, Any]) -> Callable[[Any], Any] | None:
    """What turns a column's value into the field's; None when it is shown as it is."""
    if isinstance(field, PublicIdField):
        return partial(_public_id, field.model.id_prefix)
    if isinstance(field, NullableText):
        return _text_or_none
    if isinstance(field, AS_STORED) or hasattr(field, "is_shown_as_stored"):
        return None
    raise TypeError(f"{field.field_name}: a shape does not know how a {type(field).__name__} is shown.")


def _unconverted(field: serializers.Field[Any, Any, Any, Any]) -> type[AsStored] | None:
    """How a column is read that becomes text anyway."""
    if isinstance(field, serializers.DateTimeField):
        return AsWritten
    return AsStored if isinstance(field, PublicIdField) else None


def _public_id(prefix: str, value: UUID | str | None) -> str | None:
    return encode(prefix, value) if value else None


def _text_or_none(value: str) -> str | None:
    return value or None
