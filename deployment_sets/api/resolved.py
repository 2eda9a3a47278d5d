"""The answer of `resolve`: plain values, because a serializer per artifact takes longer than all its queries."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from collections_app.models import Group
from deployment_sets.models import DeploymentSet
from deployment_sets.operations.resolving import Placed, ResolvedSet
from deployment_sets.resolution import Container, Kind, Path, Unresolved
from marketplace.models.entry import TYPES
from skillmeat_site.ids import encode

PREFIXES = {Kind.SET: DeploymentSet.id_prefix, Kind.GROUP: Group.id_prefix}


class StepSerializer(serializers.Serializer[Any]):
    """A set or group on the way to an artifact."""

    kind = serializers.ChoiceField([Kind.SET.value, Kind.GROUP.value])
    id = serializers.CharField()
    name = serializers.CharField()


class ResolvedArtifactSerializer(serializers.Serializer[Any]):
    """An artifact where it was met first."""

    uuid = serializers.UUIDField()
    type = serializers.ChoiceField(TYPES)
    namespace = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True, help_text="What upstream calls it.")
    source_path = StepSerializer(many=True, help_text="From the set to what holds it.")


class UnresolvedSerializer(serializers.Serializer[Any]):
    """A member whose artifact or group is gone."""

    kind = serializers.ChoiceField([Kind.ARTIFACT.value, Kind.GROUP.value])
    id = serializers.CharField(help_text="Of the artifact or group that was.")
    source_path = StepSerializer(many=True)


class PathConflictSerializer(serializers.Serializer[Any]):
    """Artifacts that would land on one path."""

    path = serializers.CharField(help_text="Relative to the project directory.")
    artifacts = serializers.ListField(child=serializers.UUIDField())


class ResolvedSetSerializer(serializers.Serializer[Any]):
    """What a set stands for."""

    set_id = serializers.CharField()
    resolved_count = serializers.IntegerField()
    depth = serializers.IntegerField()
    artifacts = ResolvedArtifactSerializer(many=True)
    unresolved = UnresolvedSerializer(many=True)
    conflicts = PathConflictSerializer(many=True)


def shown(found: ResolvedSet) -> dict[str, Any]:
    """As ResolvedSetSerializer says."""
    ways = _Ways()
    return {
        "set_id": encode(DeploymentSet.id_prefix, found.set_id),
        "resolved_count": found.resolved_count,
        "depth": found.depth,
        "artifacts": [_artifact(placed, ways) for placed in found.artifacts],
        "unresolved": [_unresolved(each, ways) for each in found.unresolved],
        "conflicts": [{"path": each.path, "artifacts": each.owners} for each in found.conflicts()],
    }


class _Ways:
    """Paths as they are shown; each ends in a container of its own, which is where all its members were met."""

    def __init__(self) -> None:
        self._shown: dict[UUID, list[dict[str, str]]] = {}

    def to(self, path: Path) -> list[dict[str, str]]:
        end = path[-1].id
        if end not in self._shown:
            self._shown[end] = [_step(step) for step in path]
        return self._shown[end]


def _step(step: Container) -> dict[str, str]:
    return {"kind": step.kind, "id": encode(PREFIXES[step.kind], step.id), "name": step.name}


def _artifact(placed: Placed, ways: _Ways) -> dict[str, Any]:
    artifact = placed.artifact
    return {
        "uuid": artifact.uuid,
        "type": artifact.type,
        "namespace": artifact.namespace or None,
        "name": artifact.name,
        "description": artifact.description or None,
        "version": artifact.version or None,
        "source_path": ways.to(placed.path),
    }


def _unresolved(each: Unresolved, ways: _Ways) -> dict[str, Any]:
    kind, target = each.member.kind, each.member.target
    shown_id = str(target) if kind is Kind.ARTIFACT else encode(Group.id_prefix, target)
    return {"kind": kind, "id": shown_id, "source_path": ways.to(each.path)}
