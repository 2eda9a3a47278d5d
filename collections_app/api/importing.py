"""Shapes of an import: its body and what became of each entry."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.api.serializers import MAX_ID, StoredProblemSerializer
from collections_app.planning import Resolution, Wish
from marketplace.api.filters import TYPE_CHOICES
from marketplace.api.serializers import invalid
from skillmeat_site.api.fields import FlagField, StrictSerializer, TextField

MAX_ENTRIES = 1_000


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "enum": list(Resolution)},
            {
                "type": "object",
                "additionalProperties": {
                    "oneOf": [
                        {"type": "string", "enum": list(Resolution)},
                        {
                            "type": "object",
                            "required": ["rename"],
                            "properties": {"rename": {"type": "string"}},
                            "additionalProperties": False,
                        },
                    ]
                },
            },
        ]
    }
)
class ResolutionField(serializers.Field[Any, Any, Any, Any]):
    """`skip`, `rename` or `force` for all, or a map from entry_id to one of these or `{"rename": "name"}`."""

    def to_internal_value(self, data: Any) -> Wish | dict[str, Wish]:
        if isinstance(data, str):
            return self._resolution(data)
        if not isinstance(data, Mapping):
            raise invalid("invalid_type", "Expected a string or an object.")
        errors, wishes = {}, {}
        for entry_id, value in data.items():
            try:
                wishes[entry_id] = self._wish(value)
            except serializers.ValidationError as error:
                errors[entry_id] = error.detail
        if errors:
            raise serializers.ValidationError(errors)
        return wishes

    def _wish(self, value: Any) -> Wish:
        if isinstance(value, str):
            return self._resolution(value)
        if not isinstance(value, Mapping):
            raise invalid("invalid_type", "Expected a string or an object with rename.")
        if set(value) != {"rename"}:
            raise invalid("unknown", "The object has one field, rename.")
        if not isinstance(value["rename"], str):
            raise invalid("invalid_type", "Expected a string as rename.")
        if not value["rename"].strip():
            raise invalid("blank", "A name may not be empty.")
        return Wish(name=value["rename"].strip())

    @staticmethod
    def _resolution(text: str) -> Wish:
        if text not in set(Resolution):
            raise invalid("invalid_choice", f"Use one of: {', '.join(Resolution)}.")
        return Wish(resolution=Resolution(text))


class ImportSerializer(StrictSerializer):
    """The body of an import: `entry_id` or `entry_ids`."""

    entry_id = TextField(max_length=MAX_ID, required=False)
    entry_ids = serializers.ListField(
        child=TextField(max_length=MAX_ID), max_length=MAX_ENTRIES, min_length=1, required=False
    )
    collection = TextField(max_length=MAX_ID, required=False, allow_null=True)
    conflict_resolution = ResolutionField(required=False, allow_null=True)
    confirm_untrusted = FlagField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("entry_id", "entry_ids") if name in attrs]
        if len(given) != 1:
            detail = serializers.ErrorDetail("Give entry_id or entry_ids.", code="required")
            raise serializers.ValidationError({"entry_ids": [detail]})
        ids = attrs.get("entry_ids") or [attrs["entry_id"]]
        wishes = attrs.get("conflict_resolution") or {}
        if isinstance(wishes, Wish):
            wishes = dict.fromkeys(ids, wishes)
        elif unknown := sorted(set(wishes) - set(ids)):
            detail = serializers.ErrorDetail("This entry is not to be imported.", code="not_imported")
            raise serializers.ValidationError({"conflict_resolution": {name: [detail] for name in unknown}})
        return attrs | {"ids": ids, "wishes": wishes}


class ImportedSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    artifact_uuid = serializers.UUIDField()
    type = serializers.ChoiceField(TYPE_CHOICES)
    name = serializers.CharField()


class SkippedSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    artifact_uuid = serializers.UUIDField(allow_null=True, help_text="What is there in its place.")
    reason = serializers.CharField()


class ImportConflictSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    existing_artifact = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField()
    suggested_names = serializers.ListField(child=serializers.CharField(), help_text="These are free.")


class EntryErrorSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    problem = StoredProblemSerializer()


class ImportResultSerializer(serializers.Serializer[Any]):
    """What became of each entry."""

    imported_count = serializers.IntegerField()
    skipped_count = serializers.IntegerField()
    conflict_count = serializers.IntegerField()
    error_count = serializers.IntegerField()
    imported = ImportedSerializer(many=True)
    skipped = SkippedSerializer(many=True)
    conflicts = ImportConflictSerializer(many=True)
    errors = EntryErrorSerializer(many=True)  # type: ignore[assignment]  # DRF takes it out of the class
