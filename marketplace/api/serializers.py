"""Shapes of the marketplace's requests and answers: what can be read, and what makes sense by itself."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.detection.vocabulary import ArtifactType, parse_type
from marketplace.github.url import InvalidRepositoryUrl
from marketplace.manifest import ContentKind
from marketplace.models import Entry, ScanStatus, Source, Status, TrustLevel, Visibility
from marketplace.operations import readers
from marketplace.operations.sources import NewSource
from marketplace.repository import can_be_ref, clean_directory
from skillmeat_site.api.fields import (
    FlagField,
    NumberField,
    OptionField,
    PublicIdField,
    StrictSerializer,
    TextField,
)
from skillmeat_site.errors import DomainError

MAX_TAGS = 20
MAX_REF, MAX_KEY, MAX_PATH = 255, 400, 500
MAX_TAG_LENGTH = 50
MAX_MAPPED_DIRECTORIES = 200
MIN_RESCAN_INTERVAL = 900
MAX_RESCAN_INTERVAL = 366 * 24 * 3600
TOKEN = re.compile(r"[\x21-\x7e]+\Z")


def invalid(code: str, detail: str) -> serializers.ValidationError:
    return serializers.ValidationError(detail, code=code)


class DirectoryField(TextField):
    """A directory of the repository, relative to its root; an empty string is the root."""

    def to_internal_value(self, data: Any) -> str:
        return directory(super().to_internal_value(data))


def directory(text: str) -> str:
    try:
        return clean_directory(text)
    except ValueError as error:
        raise invalid("invalid_path", str(error)) from None


class TagsField(serializers.ListField):
    """Up to 20 tags of 1-50 characters; lower-cased, each kept once."""

    child = TextField(max_length=MAX_TAG_LENGTH)

    def to_internal_value(self, data: Any) -> list[str]:
        tags = list(dict.fromkeys(tag.lower() for tag in super().to_internal_value(data)))
        if any(len(tag) > MAX_TAG_LENGTH for tag in tags):  # a few characters are two in lower case
            raise invalid("max_length", f"At most {MAX_TAG_LENGTH} characters a tag.")
        if len(tags) > MAX_TAGS:
            raise invalid("max_length", f"At most {MAX_TAGS} tags.")
        return tags


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [
                {"type": "string", "enum": list(ArtifactType)},
                {"type": "array", "items": {"type": "string", "enum": list(ArtifactType)}, "maxItems": 1},
                {"type": "null"},
            ]
        },
    }
)
class ManualMapField(serializers.Field[Any, Any, Any, Any]):
    """Directory -> type, or a list of one type, or null for "nothing here"."""

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        if not isinstance(data, dict):
            raise invalid("invalid_type", "Expected an object.")
        if len(data) > MAX_MAPPED_DIRECTORIES:
            raise invalid("max_length", f"At most {MAX_MAPPED_DIRECTORIES} directories.")
        mapped = {directory(path): self._type(value) for path, value in data.items()}
        if len(mapped) < len(data):
            raise invalid("repeated", "Two keys name the same directory.")
        return mapped

    def to_representation(self, value: Any) -> Any:
        return value

    @staticmethod
    def _type(value: Any) -> str | None:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid("invalid_type", "Expected a type, a list of one type, or null.")
        try:
            return parse_type(value).value
        except ValueError:
            raise invalid("invalid_choice", f"Use one of: {', '.join(ArtifactType)}.") from None


class NewSourceSerializer(StrictSerializer):
    """The body of `POST /marketplace/sources`."""

    repo_url = TextField(max_length=2000, allow_blank=True)
    ref = TextField(max_length=255, required=False, allow_null=True, allow_blank=True)
    root_hint = DirectoryField(max_length=500, required=False, allow_null=True, allow_blank=True)
    access_token = TextField(
        max_length=500, required=False, allow_null=True, allow_blank=True, write_only=True
    )
    manual_map = ManualMapField(required=False, allow_null=True)
    trust_level = OptionField(TrustLevel.choices, required=False)
    visibility = OptionField(Visibility.choices, required=False, allow_null=True)
    description = TextField(max_length=500, required=False, allow_null=True, allow_blank=True)
    notes = TextField(max_length=2000, required=False, allow_null=True, allow_blank=True)
    enable_frontmatter_detection = FlagField(required=False)
    indexing_enabled = FlagField(required=False)
    import_repo_description = FlagField(required=False)
    import_repo_readme = FlagField(required=False)
    rescan_interval = NumberField(
        min_value=MIN_RESCAN_INTERVAL, max_value=MAX_RESCAN_INTERVAL, required=False, allow_null=True
    )
    tags = TagsField(required=False)
    project = TextField(max_length=100, required=False, allow_null=True)

    def validate_repo_url(self, value: str) -> readers.Location:
        try:
            location = readers.locate(value)
        except InvalidRepositoryUrl as error:
            raise serializers.ValidationError(f"{error.detail} {error.hint}", code="invalid") from None
        except DomainError as error:
            raise serializers.ValidationError(f"{error.detail} {error.hint}", code=error.code) from None
        if len(location.url) > MAX_PATH or len(location.key) > MAX_KEY or len(location.root) > MAX_PATH:
            raise invalid("max_length", "The address is too long.")
        directory(location.root)
        self.validate_ref(location.ref)
        return location

    def validate_ref(self, value: str | None) -> str | None:
        if value and (len(value) > MAX_REF or not can_be_ref(value)):
            raise invalid("invalid_ref", "This cannot be the name of a branch, tag or commit.")
        return value

    def validate_access_token(self, value: str | None) -> str | None:
        if value and not TOKEN.match(value):
            raise invalid("invalid_token", "A token has no spaces and only ASCII characters.")
        return value

    @staticmethod
    def as_new_source(values: dict[str, Any]) -> NewSource:
        """The validated body as the operation takes it; a null is the same as an absent field."""
        given = {name: value for name, value in values.items() if value is not None}
        location = given.pop("repo_url")
        given.pop("project", None)
        return NewSource(location=location, **given | {"tags": tuple(given.get("tags", ()))})


class NullableText(serializers.CharField):
    """Stored as an empty string, shown as null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, read_only=True, allow_null=True)

    def to_representation(self, value: Any) -> Any:
        return value or None


class CountsField(serializers.DictField):
    child = serializers.IntegerField(min_value=0)


class SourceSerializer(serializers.ModelSerializer[Source]):
    id = PublicIdField(Source)
    project = serializers.CharField(source="project.slug")
    root_hint = NullableText()
    visibility = serializers.ChoiceField(Visibility.choices)
    scan_status = serializers.ChoiceField(ScanStatus.choices)
    last_error = NullableText()
    description = NullableText()
    notes = NullableText()
    repo_description = NullableText()
    repo_readme = NullableText()
    resolved_sha = NullableText()
    manual_map = ManualMapField()
    tags = serializers.ListField(child=serializers.CharField())
    suggested_tags = serializers.ListField(child=serializers.CharField())
    counts_by_type = CountsField()

    class Meta:
        model = Source
        fields: tuple[str, ...] = (
            "id",
            "repo_url",
            "owner",
            "repo_name",
            "ref",
            "root_hint",
            "trust_level",
            "visibility",
            "scan_status",
            "artifact_count",
            "last_sync_at",
            "last_error",
            "created_at",
            "updated_at",
            "description",
            "notes",
            "enable_frontmatter_detection",
            "manual_map",
            "repo_description",
            "repo_readme",
            "tags",
            "suggested_tags",
            "counts_by_type",
            "indexing_enabled",
            "last_indexed_at",
            "rescan_interval",
            "next_rescan_at",
            "resolved_sha",
            "project",
        )
        read_only_fields: tuple[str, ...] = fields


class RescanSerializer(StrictSerializer):
    """The body of a rescan; it may be absent."""

    force = FlagField(default=False, help_text="Read everything again, even if the commit is the same.")


class RescannedSerializer(SourceSerializer):
    """The source, and the job to follow."""

    job_id = serializers.CharField()

    class Meta(SourceSerializer.Meta):
        fields: tuple[str, ...] = (*SourceSerializer.Meta.fields, "job_id")
        read_only_fields: tuple[str, ...] = fields


class EntrySerializer(serializers.ModelSerializer[Entry]):
    id = PublicIdField(Entry)
    source_id = PublicIdField(Source)
    parent_id = PublicIdField(Entry, allow_null=True)
    duplicate_of = PublicIdField(Entry, source="duplicate_of_id", allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    upstream_url = serializers.SerializerMethodField()
    namespace = NullableText()
    title = NullableText()
    description = NullableText()
    version = NullableText()
    license = NullableText()
    author = NullableText()
    excluded_reason = NullableText()
    tags = serializers.ListField(child=serializers.CharField())
    path_tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Entry
        fields: tuple[str, ...] = (
            "id",
            "source_id",
            "type",
            "name",
            "namespace",
            "title",
            "description",
            "path",
            "upstream_url",
            "confidence",
            "status",
            "version",
            "license",
            "author",
            "tags",
            "path_tags",
            "content_digest",
            "detected_sha",
            "first_seen_at",
            "changed_at",
            "removed_at",
            "imported_at",
            "excluded_at",
            "excluded_reason",
            "duplicate_of",
            "parent_id",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field({"type": ["string", "null"], "format": "uri"})
    def get_upstream_url(self, entry: Entry) -> str | None:
        return entry.upstream_url


class SignalSerializer(serializers.Serializer[Any]):
    """One reason for type and confidence."""

    name = serializers.CharField()
    points = serializers.IntegerField()
    detail = serializers.CharField()


class ContentFileSerializer(serializers.Serializer[Any]):
    """One file of an artifact; links and submodules are listed as what they are."""

    path = serializers.CharField(help_text="Relative to the artifact's own directory.")
    kind = serializers.ChoiceField([kind.value for kind in ContentKind])
    mode = serializers.CharField(help_text="git's, in octal.")
    size = serializers.IntegerField(help_text="Bytes.")
    sha = serializers.CharField(help_text="git's blob id.")
    digest = serializers.CharField(allow_null=True, help_text="SHA-256 of the stored bytes, if they are.")


class EntryDetailSerializer(EntrySerializer):
    """An entry with its reasons and its files."""

    incomplete = NullableText(help_text="Why not all of its files are stored, so that it cannot be imported.")
    signals = SignalSerializer(many=True)
    frontmatter = serializers.DictField()
    files = ContentFileSerializer(source="manifest.files", many=True)

    class Meta(EntrySerializer.Meta):
        fields: tuple[str, ...] = (
            *EntrySerializer.Meta.fields,
            "incomplete",
            "signals",
            "frontmatter",
            "files",
        )
        read_only_fields: tuple[str, ...] = fields
