"""Shapes of a refresh: its body, its result, and how it is kept."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.api.serializers import StoredProblemSerializer
from collections_app.drift import METADATA_FIELDS, MODES, Mode, Options, Outcome
from collections_app.models import Collection, RefreshRun, RefreshStatus
from marketplace.api.filters import TYPE_ALIASES, TYPE_CHOICES
from marketplace.api.serializers import invalid
from marketplace.detection.vocabulary import ArtifactType
from skillmeat_site.api.fields import FlagField, OptionField, PublicIdField, StrictSerializer, TextField
from skillmeat_site.jobs.models import Job

MAX_PATTERN = 200


def parse_mode(text: str) -> Mode:
    """A mode by its short or long name; ValueError, with a sentence for people, when there is none."""
    if text not in MODES:
        raise ValueError(f"Use one of: {', '.join(MODES)}.")
    return MODES[text]


@extend_schema_field({"type": "string", "enum": list(MODES)})
class ModeField(OptionField):
    """Another word than these is no mode, which is not the same as one that makes no sense here."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(list(MODES), **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            return super().to_internal_value(data)
        try:
            return parse_mode(data)
        except ValueError as error:
            raise invalid("invalid", str(error)) from None


class TypeField(OptionField):
    """A type by its name or an alias."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(TYPE_ALIASES.get(data, data) if isinstance(data, str) else data)


class ArtifactFilterSerializer(StrictSerializer):
    """Which artifacts of the collection are meant."""

    type = TypeField([each.value for each in ArtifactType], required=False, allow_null=True)
    name_pattern = TextField(
        max_length=MAX_PATTERN, required=False, allow_null=True, help_text="As a shell's: *, ?, [a-z]."
    )


class RefreshSerializer(StrictSerializer):
    """The body of a refresh; it may be absent."""

    mode = ModeField(required=False)
    artifact_filter = ArtifactFilterSerializer(required=False, allow_null=True)
    dry_run = FlagField(default=False)
    fields = serializers.ListField(  # type: ignore[assignment]  # DRF takes it out of the class
        child=OptionField(METADATA_FIELDS), required=False, allow_null=True, min_length=1
    )
    force = FlagField(default=False, help_text="In a sync: take upstream's over what was edited here.")

    def as_options(self, mode: Mode | None) -> Options:
        """`mode` is the query's, which wins."""
        body = self.validated_data
        chosen = body.get("artifact_filter") or {}
        fields = body.get("fields")
        return Options(
            mode=mode or body.get("mode", Mode.METADATA),
            type=chosen.get("type") or "",
            name_pattern=chosen.get("name_pattern") or "",
            fields=None if fields is None else tuple(fields),
            dry_run=body["dry_run"],
            force=body["force"],
        )


class ChangeSerializer(serializers.Serializer[Any]):
    """`field` is one of the words' or `content`, whose values are digests."""

    field = serializers.CharField()
    old = serializers.JSONField()
    new = serializers.JSONField()


class RefreshEntrySerializer(serializers.Serializer[Any]):
    artifact_uuid = serializers.UUIDField()
    type = serializers.ChoiceField(TYPE_CHOICES)
    name = serializers.CharField()
    outcome = serializers.ChoiceField([outcome.value for outcome in Outcome])
    changes = ChangeSerializer(many=True)
    reason = serializers.CharField(allow_null=True)
    error = StoredProblemSerializer(allow_null=True)
    current_sha = serializers.CharField()
    upstream_sha = serializers.CharField(allow_null=True)
    update_available = serializers.BooleanField()


class RefreshCountsSerializer(serializers.Serializer[Any]):
    refreshed_count = serializers.IntegerField()
    unchanged_count = serializers.IntegerField()
    skipped_count = serializers.IntegerField(help_text="Conflicts are counted here.")
    error_count = serializers.IntegerField()


class RefreshResultSerializer(RefreshCountsSerializer):
    entries = RefreshEntrySerializer(many=True)
    duration_ms = serializers.IntegerField()


class RefreshedSerializer(serializers.Serializer[Any]):
    """What came of a refresh; in a check or dry run, what would have."""

    status = serializers.ChoiceField(RefreshStatus.choices)
    timestamp = serializers.DateTimeField()
    request_id = serializers.CharField()
    result = RefreshResultSerializer()
    took_ms = serializers.IntegerField()


RUNNING = "running"
RUN_STATUSES = [(RUNNING, RUNNING), *RefreshStatus.choices]


class RefreshRunSerializer(serializers.ModelSerializer[RefreshRun]):
    id = PublicIdField(RefreshRun)
    collection_id = PublicIdField(Collection)
    job_id = PublicIdField(Job, allow_null=True)
    mode = serializers.CharField(source="options.mode")
    dry_run = serializers.BooleanField(source="options.dry_run")
    force = serializers.BooleanField(source="options.force")
    status = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField()

    class Meta:
        model = RefreshRun
        fields: tuple[str, ...] = (
            "id",
            "collection_id",
            "job_id",
            "mode",
            "dry_run",
            "force",
            "status",
            "counts",
            "duration_ms",
            "request_id",
            "started_at",
            "finished_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(serializers.ChoiceField(RUN_STATUSES))
    def get_status(self, run: RefreshRun) -> str:
        return run.status or RUNNING

    @extend_schema_field(RefreshCountsSerializer(allow_null=True))
    def get_counts(self, run: RefreshRun) -> dict[str, int] | None:
        return run.counts or None


class RefreshRunDetailSerializer(RefreshRunSerializer):
    """A refresh with what became of each artifact."""

    entries = RefreshEntrySerializer(many=True)

    class Meta(RefreshRunSerializer.Meta):
        fields: tuple[str, ...] = (*RefreshRunSerializer.Meta.fields, "entries")
        read_only_fields: tuple[str, ...] = fields
