"""Shorthand for talking about sets."""

from typing import Any

from collections_app.models import Artifact, Group
from deployment_sets.models import DeploymentSet

BASE = "/api/v1/deployment-sets"


def address(of: DeploymentSet | str, rest: str = "") -> str:
    return f"{BASE}/{of if isinstance(of, str) else of.public_id}{rest}"


def naming(target: Artifact | Group | DeploymentSet) -> dict[str, str]:
    """The target as the body of a new member names it."""
    if isinstance(target, Artifact):
        return {"artifact_uuid": str(target.pk)}
    return {"group_id" if isinstance(target, Group) else "member_set_id": target.public_id}


def holds(deployment_set: DeploymentSet) -> list[Any]:
    """The ids of the targets in order; positions have no gaps."""
    rows = list(deployment_set.members.order_by("position"))
    assert [row.position for row in rows] == list(range(len(rows)))
    return [row.target for row in rows]


def forget(artifact: Artifact) -> None:
    """Delete it as the collections do."""
    Artifact.objects.get(pk=artifact.pk).delete()
