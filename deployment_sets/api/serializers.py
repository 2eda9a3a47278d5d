"""Shapes of the requests and answers about sets: what can be read, and what makes sense by itself."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from collections_app.models import Group
from deployment_sets.models import MAX_DESCRIPTION, MAX_NAME, DeploymentSet, SetMember, Visibility
from deployment_sets.operations.members import NewMember
from deployment_sets.operations.sets import Settings
from deployment_sets.resolution import Kind
from marketplace.api.serializers import NullableText, TagsField
from marketplace.models.entry import TYPES
from skillmeat_site.api.fields import NumberField, OptionField, PublicIdField, StrictSerializer, TextField

MAX_ID = 60
MAX_POSITION = 10**6
PREFIXES = {Kind.SET: DeploymentSet.id_prefix, Kind.GROUP: Group.id_prefix}


class SetSettingsSerializer(StrictSerializer):
    """The body of `PUT /deployment-sets/{id}`: all that people decide about a set."""

    name = TextField(max_length=MAX_NAME)
    description = TextField(max_length=MAX_DESCRIPTION, allow_null=True, allow_blank=True)
    tags = TagsField()
    visibility = OptionField(Visibility.choices)

    def as_settings(self) -> Settings:
        given = {name: value for name, value in self.validated_data.items() if value is not None}
        given.pop("project", None)
        return Settings(**given | {"tags": tuple(given.get("tags", ()))})


class NewSetSerializer(SetSettingsSerializer):
    """The body of `POST /deployment-sets`."""

    description = TextField(max_length=MAX_DESCRIPTION, allow_null=True, allow_blank=True, required=False)
    tags = TagsField(required=False)
    visibility = OptionField(Visibility.choices, required=False, help_text="Private unless set.")
    project = TextField(max_length=100, required=False, allow_null=True)


class EmptySerializer(StrictSerializer):
    """No body, or an empty object."""


class NewMemberSerializer(StrictSerializer):
    """The body of `POST /deployment-sets/{id}/members`: exactly one of the three targets."""

    artifact_uuid = TextField(max_length=MAX_ID, required=False, allow_null=True)
    group_id = TextField(max_length=MAX_ID, required=False, allow_null=True)
    member_set_id = TextField(max_length=MAX_ID, required=False, allow_null=True)
    position = NumberField(
        min_value=0,
        max_value=MAX_POSITION,
        required=False,
        allow_null=True,
        help_text="From 0; at the end when it is absent.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        targets = {name for name in ("artifact_uuid", "group_id", "member_set_id") if attrs.get(name)}
        if len(targets) != 1:
            wrong = serializers.ErrorDetail(
                "Give exactly one of artifact_uuid, group_id and member_set_id.",
                code="unknown" if targets else "required",
            )
            raise serializers.ValidationError({name: [wrong] for name in targets or {"artifact_uuid"}})
        return attrs

    def as_member(self) -> NewMember:
        """An id that cannot be one of its kind names nothing."""
        given = self.validated_data
        position = given.get("position")
        if text := given.get("member_set_id"):
            return NewMember(kind=Kind.SET, target=DeploymentSet.decode(text), position=position)
        if text := given.get("group_id"):
            return NewMember(kind=Kind.GROUP, target=Group.decode(text), position=position)
        return NewMember(kind=Kind.ARTIFACT, target=_uuid(given["artifact_uuid"]), position=position)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class PositionSerializer(StrictSerializer):
    """The body of `PUT /deployment-sets/{id}/members/{member_id}`."""

    position = NumberField(min_value=0, max_value=MAX_POSITION)


class SetMemberSerializer(serializers.ModelSerializer[SetMember]):
    """One of the three targets is set; `name` is null when that artifact or group is gone."""

    id = PublicIdField(SetMember)
    kind = serializers.ChoiceField([kind.value for kind in Kind])
    artifact_uuid = serializers.UUIDField(allow_null=True)
    group_id = PublicIdField(Group, allow_null=True)
    member_set_id = PublicIdField(DeploymentSet, allow_null=True)
    name = serializers.CharField(allow_null=True)
    type = serializers.ChoiceField(TYPES, allow_null=True, help_text="Of an artifact.")
    resolved = serializers.SerializerMethodField(help_text="Whether the target still exists.")

    class Meta:
        model = SetMember
        fields: tuple[str, ...] = (
            "id",
            "position",
            "kind",
            "artifact_uuid",
            "group_id",
            "member_set_id",
            "name",
            "type",
            "resolved",
            "created_at",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_resolved(self, member: SetMember) -> bool:
        return member.name is not None


class SetSerializer(serializers.ModelSerializer[DeploymentSet]):
    id = PublicIdField(DeploymentSet)
    project = serializers.CharField(source="project.slug")
    description = NullableText()
    tags = serializers.ListField(child=serializers.CharField())
    owner = serializers.SerializerMethodField(help_text="A user's name; null when the user is gone.")
    resolved_count = serializers.IntegerField(help_text="Artifacts that the set stands for, each once.")
    depth = serializers.IntegerField(help_text="Sets on the longest path down, this one counted.")

    class Meta:
        model = DeploymentSet
        fields: tuple[str, ...] = (
            "id",
            "name",
            "description",
            "tags",
            "owner",
            "visibility",
            "resolved_count",
            "depth",
            "created_at",
            "updated_at",
            "project",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field({"type": ["string", "null"]})
    def get_owner(self, deployment_set: DeploymentSet) -> str | None:
        return deployment_set.owner.get_username() if deployment_set.owner else None


class SetDetailSerializer(SetSerializer):
    """A set with its members in order."""

    members = SetMemberSerializer(source="members.named", many=True)

    class Meta(SetSerializer.Meta):
        fields: tuple[str, ...] = (*SetSerializer.Meta.fields, "members")
        read_only_fields: tuple[str, ...] = fields
