"""What a plan means for people: the result that deploys answer with and that their rows keep."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from deployment_sets.deployable import ArtifactUnusable
from deployment_sets.operations.resolving import ResolvedSet
from deployment_sets.planning import Outcome, Plan, PlannedFile

SATISFIED, FAILED = "satisfied", "error"


def result_of(plan: Plan, resolved: ResolvedSet) -> dict[str, Any]:
    """As plain JSON values."""
    files: dict[UUID, list[PlannedFile]] = {}
    for file in plan.files:
        for owner in file.owners:
            files.setdefault(owner, []).append(file)
    layout = plan.layout
    return {
        "counts": plan.counts(),
        "artifacts": [
            _artifact(placed.artifact.uuid, plan, files.get(placed.artifact.uuid, []))
            for placed in resolved.artifacts
        ],
        "files": [_file(file) for file in plan.files],
        "needs": list(layout.needs),
        "conflicts": [
            {"path": each.path, "artifacts": [str(owner) for owner in each.owners]}
            for each in layout.conflicts
        ],
        "remarks": [
            {"uuid": str(each.owner), "path": each.path, "reason": each.reason} for each in layout.remarks
        ],
        "unresolved_count": len(resolved.unresolved),
    }


def _artifact(uuid: UUID, plan: Plan, files: Sequence[PlannedFile]) -> dict[str, Any]:
    reason = plan.layout.unusable.get(uuid)
    outcome = FAILED if reason else SATISFIED if uuid in plan.layout.satisfied else _overall(files)
    return {
        "uuid": str(uuid),
        "outcome": outcome,
        "paths": [file.path for file in files],
        "error": ArtifactUnusable(reason).as_problem() if reason else None,
    }


def _overall(files: Sequence[PlannedFile]) -> str:
    """One word for several files: what they have in common, else that something changes."""
    outcomes = {file.outcome for file in files}
    if Outcome.CONFLICT in outcomes:
        return Outcome.CONFLICT.value
    changes = outcomes - {Outcome.UNCHANGED}
    if len(changes) > 1 or (changes and len(outcomes) > 1):
        return Outcome.UPDATE.value
    return changes.pop().value if changes else Outcome.UNCHANGED.value


def _file(file: PlannedFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "outcome": file.outcome.value,
        "reason": file.reason or None,
        "kept_as": file.aside or None,
    }
