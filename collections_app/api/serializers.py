"""Shapes of requests and answers about collections: what can be read, and what makes sense by itself."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.drift import METADATA_FIELDS, MODE_ALIASES, Mode, Options, Outcome
from collections_app.models import (
    Artifact,
    ArtifactVersion,
    Collection,
    Group,
    Reason,
    RefreshRun,
    RefreshStatus,
)
from collections_app.naming import MAX_NAME
from collections_app.planning import Resolution, Wish
from marketplace.api.filters import TYPE_ALIASES, TYPE_CHOICES
from marketplace.api.serializers import (
    MAX_RESCAN_INTERVAL,
    MIN_RESCAN_INTERVAL,
    ContentFileSerializer,
    NullableText,
    TagsField,
    invalid,
)
from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Entry, Source
from skillmeat_site.api.fields import (
    FlagField,
    NumberField,
    OptionField,
    PublicIdField,
    StrictSerializer,
    TextField,
)
from skillmeat_site.jobs.models import Job

MAX_ENTRIES = 1_000
MAX_MEMBERS = 1_000
MAX_ID = 100
MAX_PATTERN = 200
MAX_DESCRIPTION = 10_000


class ChangesSerializer(StrictSerializer):
    """A body of which every field may be left out."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields

    def as_changes(self) -> dict[str, Any]:
        """By the names of the model's fields; a cleared text is an empty one there."""
        return {
            name: "" if value is None and name == "description" else value
            for name, value in self.validated_data.items()
        }


class CollectionChangesSerializer(ChangesSerializer):
    """The body of `PATCH /collections/{id}`."""

    name = TextField(max_length=200)
    description = TextField(max_length=500, allow_null=True, allow_blank=True)
    refresh_interval = NumberField(
        min_value=MIN_RESCAN_INTERVAL, max_value=MAX_RESCAN_INTERVAL, allow_null=True
    )


class NewCollectionSerializer(CollectionChangesSerializer):
    """The body of `POST /collections`."""

    project = TextField(max_length=100, allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["name"].required = True
        return fields


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    id = PublicIdField(Collection)
    project = serializers.CharField(source="project.slug")
    description = NullableText()
    artifact_count = serializers.IntegerField()

    class Meta:
        model = Collection
        fields = (
            "id",
            "name",
            "description",
            "artifact_count",
            "refresh_interval",
            "next_refresh_at",
            "project",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class GroupChangesSerializer(ChangesSerializer):
    """The body of `PATCH /collections/{id}/groups/{group_id}`."""

    name = TextField(max_length=200)
    description = TextField(max_length=500, allow_null=True, allow_blank=True)


class NewGroupSerializer(GroupChangesSerializer):
    """The body of `POST /collections/{id}/groups`."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["name"].required = True
        return fields


class GroupSerializer(serializers.ModelSerializer[Group]):
    id = PublicIdField(Group)
    collection_id = PublicIdField(Collection)
    description = NullableText()
    members = serializers.SerializerMethodField()

    class Meta:
        model = Group
        fields = ("id", "collection_id", "name", "description", "members", "created_at", "updated_at")
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_members(self, group: Group) -> list[str]:
        return [str(member.artifact_id) for member in group.memberships.all()]


@extend_schema_field({"type": "string", "format": "uuid"})
class ArtifactIdField(TextField):
    """An artifact's UUID."""

    def to_internal_value(self, data: Any) -> Any:
        pk = Artifact.decode(super().to_internal_value(data))
        if pk is None:
            raise invalid("invalid_uuid", "Artifacts are named by their UUID.")
        return pk


class MembersSerializer(StrictSerializer):
    """The body of `PUT .../members`: the artifacts in their order."""

    members = serializers.ListField(child=ArtifactIdField(), max_length=MAX_MEMBERS)

    def validate_members(self, value: list[Any]) -> list[Any]:
        if len(set(value)) < len(value):
            raise invalid("repeated", "An artifact can be in a group once.")
        return value


class ArtifactChangesSerializer(ChangesSerializer):
    """The body of `PATCH /artifacts/{uuid}`."""

    name = TextField(max_length=MAX_NAME)
    description = TextField(max_length=MAX_DESCRIPTION, allow_null=True, allow_blank=True)
    tags = TagsField()


class OriginSerializer(serializers.Serializer[Artifact]):
    """Where the artifact is from; `source_id` and `entry_id` are null when these are gone."""

    source_id = PublicIdField(Source, allow_null=True)
    entry_id = PublicIdField(Entry, allow_null=True)
    repo_url = serializers.CharField(source="origin_url")
    ref = serializers.CharField(source="origin_ref")
    locator = serializers.CharField(source="origin_locator")
    path = serializers.CharField(source="origin_path")
    commit = serializers.CharField(source="current.commit", help_text="Of the current version.")


class ArtifactSerializer(serializers.ModelSerializer[Artifact]):
    uuid = serializers.UUIDField(source="id")
    collection_id = PublicIdField(Collection)
    type = serializers.ChoiceField(TYPE_CHOICES)
    namespace = NullableText()
    title = NullableText()
    description = NullableText()
    version = NullableText(help_text="What upstream calls it.")
    license = NullableText()
    author = NullableText()
    tags = serializers.ListField(child=serializers.CharField())
    edited_fields = serializers.ListField(child=serializers.CharField())
    origin = OriginSerializer(source="*")
    current_version = serializers.IntegerField(source="current.number")
    content_digest = serializers.CharField(source="current.content_digest")
    update_available = serializers.BooleanField()

    class Meta:
        model = Artifact
        fields: tuple[str, ...] = (
            "uuid",
            "collection_id",
            "type",
            "namespace",
            "name",
            "title",
            "description",
            "version",
            "license",
            "author",
            "tags",
            "edited_fields",
            "origin",
            "current_version",
            "content_digest",
            "update_available",
            "upstream_sha",
            "upstream_seen_at",
            "created_at",
            "updated_at",
        )
        read_only_fields: tuple[str, ...] = fields


class MemberSerializer(serializers.Serializer[Any]):
    """What belongs to a plugin."""

    type = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField()


class ArtifactDetailSerializer(ArtifactSerializer):
    """An artifact and, of a plugin, its members."""

    members = MemberSerializer(many=True)

    class Meta(ArtifactSerializer.Meta):
        fields: tuple[str, ...] = (*ArtifactSerializer.Meta.fields, "members")
        read_only_fields: tuple[str, ...] = fields


class CopySerializer(StrictSerializer):
    """The body of a copy."""

    collection = TextField(max_length=MAX_ID)


class RollbackSerializer(StrictSerializer):
    """The body of a rollback."""

    version = NumberField(min_value=1, max_value=2**31 - 1)


class VersionSerializer(serializers.ModelSerializer[ArtifactVersion]):
    id = PublicIdField(ArtifactVersion)
    reason = serializers.ChoiceField(Reason.choices)
    created_by = serializers.SerializerMethodField()

    class Meta:
        model = ArtifactVersion
        fields = ("id", "number", "commit", "content_digest", "reason", "created_by", "created_at")
        read_only_fields = fields

    @extend_schema_field({"type": ["string", "null"]})
    def get_created_by(self, version: ArtifactVersion) -> str | None:
        return version.created_by.get_username() if version.created_by else None


class FilesSerializer(serializers.Serializer[Any]):
    """The files of one version."""

    version = serializers.IntegerField()
    files = ContentFileSerializer(many=True)


class FileChangeSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    diff = serializers.CharField(allow_null=True, help_text="Unified.")
    reason = serializers.CharField(allow_null=True, help_text="Why there is no diff.")


class ComparisonSerializer(serializers.Serializer[Any]):
    """How the files of two versions differ."""

    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    changed = FileChangeSerializer(many=True)


# --- Importing -------------------------------------------------------------------------------------


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


class StoredProblemSerializer(serializers.Serializer[Any]):
    """The problem of one entry."""

    type = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    hint = serializers.CharField()
    suggested_names = serializers.ListField(child=serializers.CharField(), required=False)


class ImportedSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    artifact_uuid = serializers.UUIDField()
    type = serializers.ChoiceField(TYPE_CHOICES)
    name = serializers.CharField()


class SkippedSerializer(serializers.Serializer[Any]):
    entry_id = serializers.CharField()
    artifact_uuid = serializers.UUIDField(allow_null=True, help_text="What is there in its place.")
    reason = serializers.CharField()


class ConflictSerializer(serializers.Serializer[Any]):
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
    conflicts = ConflictSerializer(many=True)
    errors = EntryErrorSerializer(many=True)  # type: ignore[assignment]  # DRF takes it out of the class


# --- Refreshing ------------------------------------------------------------------------------------


MODES = {mode.value: mode for mode in Mode} | MODE_ALIASES


def parse_mode(text: str) -> Mode:
    """A mode by its short or long name; ValueError, with a sentence for people, when there is none."""
    if text not in MODES:
        raise ValueError(f"Use one of: {', '.join(MODES)}.")
    return MODES[text]


@extend_schema_field({"type": "string", "enum": list(MODES)})
class ModeField(TextField):
    """Another word than these is no mode, which is not the same as one that makes no sense here."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return parse_mode(super().to_internal_value(data))
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
