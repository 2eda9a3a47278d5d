"""Shapes of requests and answers about collections: what can be read, and what makes sense by itself."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.models import (
    Artifact,
    ArtifactVersion,
    Collection,
    Group,
    Reason,
)
from collections_app.naming import MAX_NAME
from marketplace.api.filters import TYPE_CHOICES
from marketplace.api.serializers import (
    MAX_RESCAN_INTERVAL,
    MIN_RESCAN_INTERVAL,
    ContentFileSerializer,
    TagsField,
    invalid,
)
from marketplace.models import Entry, Source
from skillmeat_site.api.fields import (
    NullableText,
    NumberField,
    PublicIdField,
    StrictSerializer,
    TextField,
)

MAX_MEMBERS = 1_000
MAX_ID = 100
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


class PluginMemberSerializer(serializers.Serializer[Any]):
    """What belongs to a plugin."""

    type = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField()


class ArtifactDetailSerializer(ArtifactSerializer):
    """An artifact and, of a plugin, its members."""

    members = PluginMemberSerializer(many=True)

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


class StoredProblemSerializer(serializers.Serializer[Any]):
    """The problem of one entry."""

    type = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    hint = serializers.CharField()
    suggested_names = serializers.ListField(child=serializers.CharField(), required=False)
