"""Shapes of the marketplace's requests and answers: what can be read, and what makes sense by itself."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from marketplace.detection.vocabulary import ArtifactType, parse_type
from marketplace.github.url import InvalidRepositoryUrl
from marketplace.manifest import ContentKind
from marketplace.models import Entry, ScanStatus, Source, Status, TrustLevel, Visibility
from marketplace.models.entry import upstream_url_of
from marketplace.models.source import visibility_of
from marketplace.operations import readers
from marketplace.operations.sources import NewSource
from marketplace.repository import can_be_ref, clean_directory
from marketplace.search.words import highlights
from marketplace.vetting.findings import Severity
from skillmeat_site.api.fields import (
    FlagField,
    NullableText,
    NumberField,
    OptionField,
    PublicIdField,
    StrictSerializer,
    TextField,
    WorkedOutField,
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
                {
                    "type": "array",
                    "items": {"type": "string", "enum": list(ArtifactType)},
                    "minItems": 1,
                    "maxItems": 1,
                },
                {"type": "null"},
            ]
        },
    }
)
class ManualMapField(serializers.Field[Any, Any, Any, Any]):
    """Directory -> type, or a list of one type, or null for "nothing here"."""

    is_shown_as_stored = True

    def to_internal_value(self, data: Any) -> dict[str, str | None]:
        if not isinstance(data, dict):
            raise invalid("invalid_type", "Expected an object.")
        if len(data) > MAX_MAPPED_DIRECTORIES:
            raise invalid("max_length", f"At most {MAX_MAPPED_DIRECTORIES} directories.")
        mapped: dict[str, str | None] = {}
        wrong: list[Any] = []
        for path, value in data.items():
            try:
                mapped[directory(path)] = self._type(value)
            except serializers.ValidationError as error:
                details: Any = error.detail
                wrong += [ErrorDetail(f"{path[:200]!r}: {one}", one.code) for one in details]
        if wrong:
            raise serializers.ValidationError(wrong)
        if len(mapped) < len(data):
            raise invalid("repeated", "Two keys name the same directory.")
        return mapped

    def to_representation(self, value: Any) -> Any:
        return value

    @staticmethod
    def _type(value: Any) -> str | None:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            if len(value) != 1:
                raise invalid("max_length", "Give one type.")
            value = value[0]
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid("invalid_type", "Expected a type, a list of one type, or null.")
        try:
            return parse_type(value).value
        except ValueError:
            raise invalid("invalid_choice", f"Use one of: {', '.join(ArtifactType)}.") from None


class SourceSettingsSerializer(StrictSerializer):
    """What people decide about a source, at first and later on."""

    ref = TextField(max_length=MAX_REF)
    root_hint = DirectoryField(max_length=MAX_PATH, allow_null=True, allow_blank=True)
    manual_map = ManualMapField(allow_null=True)
    trust_level = OptionField(TrustLevel.choices)
    visibility = OptionField(Visibility.choices, allow_null=True)
    description = TextField(max_length=500, allow_null=True, allow_blank=True)
    notes = TextField(max_length=2000, allow_null=True, allow_blank=True)
    enable_frontmatter_detection = FlagField()
    indexing_enabled = FlagField()
    import_repo_description = FlagField()
    import_repo_readme = FlagField()
    rescan_interval = NumberField(
        min_value=MIN_RESCAN_INTERVAL, max_value=MAX_RESCAN_INTERVAL, allow_null=True
    )
    tags = TagsField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """None of them is required; a client names what it means."""
        fields = super().get_fields()
        for name in SourceSettingsSerializer._declared_fields:
            fields[name].required = False
        return fields

    def validate_ref(self, value: str | None) -> str | None:
        if value and not can_be_ref(value):
            raise invalid("invalid_ref", "This cannot be the name of a branch, tag or commit.")
        return value


class SourceChangesSerializer(SourceSettingsSerializer):
    """The body of `PATCH /marketplace/sources/{id}`: the fields to change; null clears one that may be empty."""

    def as_changes(self) -> dict[str, Any]:
        """By the names of the model's fields; a cleared text is an empty one there."""
        changes = dict(self.validated_data)
        if "manual_map" in changes:
            changes["manual_map"] = changes["manual_map"] or {}
        if "visibility" in changes:
            changes["visibility_set"] = changes.pop("visibility")
        cleared = {"root_hint", "description", "notes", "visibility_set"}
        return {name: "" if value is None and name in cleared else value for name, value in changes.items()}


class NewSourceSerializer(SourceSettingsSerializer):
    """The body of `POST /marketplace/sources`."""

    repo_url = TextField(max_length=2000, allow_blank=True)
    ref = TextField(max_length=MAX_REF, allow_null=True, allow_blank=True)
    access_token = TextField(
        max_length=500, required=False, allow_null=True, allow_blank=True, write_only=True
    )
    project = TextField(max_length=100, required=False, allow_null=True)

    def validate_repo_url(self, value: str) -> readers.Location:
        location = located(value, readers.locate)
        if len(location.url) > MAX_PATH or len(location.key) > MAX_KEY or len(location.root) > MAX_PATH:
            raise invalid("max_length", "The address is too long.")
        directory(location.root)
        if location.ref and len(location.ref) > MAX_REF:
            raise invalid("max_length", f"At most {MAX_REF} characters for a ref.")
        self.validate_ref(location.ref)
        return location

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


def located(address: str, locate: Callable[[str], readers.Location]) -> readers.Location:
    """What `locate` says of it, its errors as those of a field."""
    try:
        return locate(address)
    except InvalidRepositoryUrl as error:
        raise invalid("invalid", f"{error.detail} {error.hint}") from None
    except DomainError as error:
        raise invalid(error.code, f"{error.detail} {error.hint}") from None


class LinkSerializer(StrictSerializer):
    """The body of `POST /marketplace/infer-url`; the link may also be called as a new source calls it."""

    url = TextField(max_length=2000, allow_blank=True, required=False, help_text="Any link to GitHub.")
    repo_url = TextField(max_length=2000, allow_blank=True, required=False, help_text="The same.")

    def validate_url(self, value: str) -> readers.Location:
        return located(value, readers.infer)

    validate_repo_url = validate_url

    def validate(self, attrs: dict[str, readers.Location]) -> dict[str, readers.Location]:
        if len(attrs) != 1:
            code = "required" if not attrs else "repeated"
            raise serializers.ValidationError({"url": [ErrorDetail("Give one link.", code=code)]})
        return attrs

    @property
    def location(self) -> readers.Location:
        (location,) = self.validated_data.values()
        return cast("readers.Location", location)


class InferredSerializer(serializers.Serializer[readers.Location]):
    """What a link means, in the words of a new source."""

    repo_url = serializers.CharField(source="url")
    ref = serializers.CharField(allow_null=True)
    root_hint = serializers.SerializerMethodField()

    @extend_schema_field({"type": ["string", "null"]})
    def get_root_hint(self, location: readers.Location) -> str | None:
        return location.root or None


class ExclusionSerializer(StrictSerializer):
    """The body of an exclusion; it may be absent."""

    reason = TextField(max_length=500, required=False, allow_null=True, allow_blank=True)


class CountsField(serializers.DictField):
    child = serializers.IntegerField(min_value=0)


class SourceSerializer(serializers.ModelSerializer[Source]):
    id = PublicIdField(Source)
    project = serializers.CharField(source="project.slug")
    root_hint = NullableText()
    visibility = WorkedOutField(
        visibility_of, "visibility_set", "private_upstream", like=serializers.ChoiceField(Visibility.choices)
    )
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
        rows = Source.objects.with_scan_status()
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
    upstream_url = WorkedOutField(
        upstream_url_of,
        "source__repo_url",
        "source__resolved_sha",
        "type",
        "path",
        "detected_sha",
        "removed_at",
        like={"type": ["string", "null"], "format": "uri"},
    )
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
        rows = Entry.objects.with_status()
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


class SignalSerializer(serializers.Serializer[Any]):
    """One reason for type and confidence."""

    name = serializers.CharField()
    points = serializers.IntegerField()
    detail = serializers.CharField()


class FindingSerializer(serializers.Serializer[Any]):
    """A rule of the format that the artifact breaks; it is listed all the same."""

    code = serializers.CharField()
    severity = serializers.ChoiceField([severity.value for severity in Severity])
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
    findings = FindingSerializer(many=True)
    frontmatter = serializers.DictField()
    files = ContentFileSerializer(source="manifest.files", many=True)

    class Meta(EntrySerializer.Meta):
        fields: tuple[str, ...] = (
            *EntrySerializer.Meta.fields,
            "incomplete",
            "signals",
            "findings",
            "frontmatter",
            "files",
        )
        read_only_fields: tuple[str, ...] = fields


class HighlightSerializer(serializers.Serializer[Any]):
    """From character `start` up to, not including, `end` of the item's field."""

    field = serializers.ChoiceField(["name", "title", "description"])
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class FoundSerializer(EntrySerializer):
    """An entry among others of other sources."""

    trust_level = serializers.ChoiceField(TrustLevel.choices, source="source.trust_level")

    class Meta(EntrySerializer.Meta):
        fields: tuple[str, ...] = (*EntrySerializer.Meta.fields, "trust_level")
        read_only_fields: tuple[str, ...] = fields


class SearchHitSerializer(FoundSerializer):
    """An entry with where the words stand in it."""

    highlights = HighlightSerializer(many=True)

    class Meta(FoundSerializer.Meta):
        fields: tuple[str, ...] = (*FoundSerializer.Meta.fields, "highlights")
        read_only_fields: tuple[str, ...] = fields


def highlighted(item: dict[str, Any], words: Sequence[str]) -> list[dict[str, Any]]:
    """The highlights of an item as it is shown."""
    return [
        {"field": name, "start": found.start, "end": found.end}
        for name in ("name", "title", "description")
        for found in highlights(item[name] or "", words)
    ]
