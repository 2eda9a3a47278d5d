"""Strict input: JSON types are taken at their word, and unknown fields are errors. And fields that only show."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import reduce
from typing import Any

from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from skillmeat_site.api.instants import parse_instant
from skillmeat_site.ids import encode
from skillmeat_site.rows import Row

WRONG_TYPE = "Expected {expected}, not {actual}."
JSON_TYPES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


def _json_type(value: Any) -> str:
    return JSON_TYPES.get(type(value), "null")


class _Typed:
    """Mixin of a DRF field: `json_type` is the only Python type it takes."""

    json_type: type = str
    expected = "a string"

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not self.json_type:
            message = WRONG_TYPE.format(expected=self.expected, actual=_json_type(data))
            raise serializers.ValidationError(message, code="invalid_type")
        return super().to_internal_value(data)  # type: ignore[misc]


class TextField(_Typed, serializers.CharField):
    """A string. White space around it is dropped."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            return self.to_internal_value(data)
        return super().run_validation(data)


class FlagField(_Typed, serializers.BooleanField):
    json_type = bool
    expected = "a boolean"


class NumberField(_Typed, serializers.IntegerField):
    json_type = int
    expected = "a whole number"


class OptionField(_Typed, serializers.ChoiceField):
    expected = "a string"


class _AnyInstant(serializers.DateTimeField):
    def to_internal_value(self, value: Any) -> datetime:
        try:
            return parse_instant(value)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid_time") from None


class InstantField(_Typed, _AnyInstant):
    """A point in time: ISO 8601 with its offset from UTC. Text that is none makes no sense (422)."""


class StrictSerializer(serializers.Serializer[Any]):
    """Input of an operation. A field that it does not know is an error, and so is a body that is no object."""

    default_error_messages = {"invalid": "Expected an object."}

    def to_internal_value(self, data: Any) -> Any:
        unknown = {
            name: [serializers.ErrorDetail("There is no such field.", code="unknown")]
            for name in (set(data) - set(self.fields) if isinstance(data, Mapping) else ())
        }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError({**error.detail, **unknown}) from None
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


@extend_schema_field({"type": "string", "pattern": "^[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}$"})
class PublicIdField(serializers.Field[Any, Any, str, Any]):
    """A row's id in its outside form."""

    def __init__(self, model: type[Row], **kwargs: Any) -> None:
        self.model = model
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return encode(self.model.id_prefix, value)


class NullableText(serializers.CharField):
    """Stored as an empty string, shown as null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, read_only=True, allow_null=True)

    def to_representation(self, value: Any) -> Any:
        return value or None


class WorkedOutField(serializers.Field[Any, Any, Any, Any]):
    """What follows from several columns, named as queries name them; `work` takes their values in that order.

    `like` is a field or a schema that says what comes out.
    """

    def __init__(self, work: Callable[..., Any], *columns: str, like: Any) -> None:
        self.work, self.columns = work, columns
        super().__init__(source="*", read_only=True)
        set_override(self, "field", like)

    def to_representation(self, value: Any) -> Any:
        return self.work(*(reduce(getattr, column.split("__"), value) for column in self.columns))
