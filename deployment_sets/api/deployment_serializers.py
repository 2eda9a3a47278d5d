"""Shapes of the requests and answers about deployments."""

from pathlib import PurePosixPath
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from deployment_sets.models import MAX_PATH, Deployment, DeploymentSet, is_plain
from deployment_sets.operations.deployments import Wanted
from deployment_sets.operations.outcomes import FAILED, SATISFIED
from deployment_sets.planning import OnConflict, Outcome
from marketplace.api.serializers import CountsField, invalid
from skillmeat_site.accounts.models import User
from skillmeat_site.api.fields import FlagField, OptionField, PublicIdField, StrictSerializer, TextField

OUTCOMES = [outcome.value for outcome in Outcome]


class DeploySerializer(StrictSerializer):
    """The body of `POST /deployment-sets/{id}/deploy`."""

    project_path = TextField(max_length=MAX_PATH, help_text="An existing directory of the server, absolute.")
    dry_run = FlagField(default=False, help_text="Only say what would be done.")
    on_conflict = OptionField(
        [choice.value for choice in OnConflict],
        default=OnConflict.ABORT.value,
        help_text="What to do about files that were edited there or are not ours.",
    )
    prune = FlagField(default=False, help_text="Remove files that left the set, if nobody edited them.")
    confirm_untrusted = FlagField(default=False)

    def validate_project_path(self, value: str) -> str:
        if not is_plain(value):
            raise invalid("invalid_path", "Use an absolute path without `.` and `..`.")
        return str(PurePosixPath(value))

    def as_wanted(self) -> Wanted:
        given = {name: value for name, value in self.validated_data.items() if name != "dry_run"}
        return Wanted(**given | {"on_conflict": OnConflict(given["on_conflict"])})


class PlacedArtifactSerializer(serializers.Serializer[Any]):
    """What becomes of one artifact. `satisfied`: a plugin of the set brings it along."""

    uuid = serializers.UUIDField()
    outcome = serializers.ChoiceField([*OUTCOMES, SATISFIED, FAILED])
    paths = serializers.ListField(child=serializers.CharField())
    error = serializers.DictField(allow_null=True, help_text="A problem.")


class PlacedFileSerializer(serializers.Serializer[Any]):
    """What becomes of one path; an entry of a merged file is `<file>#<keys>`."""

    path = serializers.CharField()
    outcome = serializers.ChoiceField(OUTCOMES)
    reason = serializers.CharField(allow_null=True)
    kept_as = serializers.CharField(allow_null=True, help_text="Where `backup` keeps what was there.")


class RivalsSerializer(serializers.Serializer[Any]):
    """Artifacts that want one path; nothing is deployed before the set is changed."""

    path = serializers.CharField()
    artifacts = serializers.ListField(child=serializers.UUIDField())


class RemarkSerializer(serializers.Serializer[Any]):
    """What people should know: a file that is left out, something that will not work."""

    uuid = serializers.UUIDField()
    path = serializers.CharField()
    reason = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    """What a deploy does, or would do."""

    counts = CountsField(help_text="Files by outcome.")
    artifacts = PlacedArtifactSerializer(many=True)
    files = PlacedFileSerializer(many=True)
    needs = serializers.ListField(
        child=serializers.CharField(), help_text="Environment variables that servers and hooks expect."
    )
    conflicts = RivalsSerializer(many=True)
    remarks = RemarkSerializer(many=True)
    unresolved_count = serializers.IntegerField(help_text="Members whose artifact or group is gone.")


class DeployedSerializer(ResultSerializer):
    """The answer to a deploy."""

    deployment_id = serializers.CharField(allow_null=True, help_text="Null for a dry run.")
    dry_run = serializers.BooleanField()


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    id = PublicIdField(Deployment)
    set_id = PublicIdField(DeploymentSet, source="deployment_set_id", allow_null=True)
    project = serializers.CharField(source="project.slug")
    on_conflict = serializers.ChoiceField([choice.value for choice in OnConflict])
    deployed_by = serializers.SerializerMethodField()
    undone_by = serializers.SerializerMethodField()
    counts = CountsField()

    class Meta:
        model = Deployment
        fields: tuple[str, ...] = (
            "id",
            "set_id",
            "set_name",
            "project",
            "project_path",
            "on_conflict",
            "prune",
            "counts",
            "deployed_by",
            "created_at",
            "finished_at",
            "undone_at",
            "undone_by",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field({"type": ["string", "null"]})
    def get_deployed_by(self, deployment: Deployment) -> str | None:
        return _name(deployment.deployed_by)

    @extend_schema_field({"type": ["string", "null"]})
    def get_undone_by(self, deployment: Deployment) -> str | None:
        return _name(deployment.undone_by)


def _name(user: User | None) -> str | None:
    return user.get_username() if user else None


class DeploymentDetailSerializer(DeploymentSerializer):
    """A deployment with what it did; null when it was cut off."""

    result = serializers.SerializerMethodField()

    class Meta(DeploymentSerializer.Meta):
        fields: tuple[str, ...] = (*DeploymentSerializer.Meta.fields, "result")
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(ResultSerializer(allow_null=True))
    def get_result(self, deployment: Deployment) -> Any:
        return deployment.result or None


class DriftSerializer(serializers.Serializer[Any]):
    """Paths that are not as they were deployed; entries of merged files as `<file>#<keys>`."""

    is_clean = serializers.BooleanField()
    edited = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())
    extra = serializers.ListField(
        child=serializers.CharField(), help_text="In our directories, but not ours."
    )
    outdated = serializers.ListField(
        child=serializers.CharField(),
        help_text="Not deployed yet, in another version, or in the set no more.",
    )


class UndoneSerializer(serializers.Serializer[Any]):
    """What an undo changed."""

    deployment_id = serializers.CharField()
    paths = serializers.ListField(child=serializers.CharField())
