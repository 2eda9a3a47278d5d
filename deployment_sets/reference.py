"""What the API's reference shows of sets and deployments."""

from typing import Any

from collections_app.reference import ARTIFACT_ID, GROUP_ID
from marketplace.reference import DESCRIPTION
from skillmeat_site.api.reference import Reference

SET_ID, DEPLOYMENT_ID = "set_01m7yvwgqqf3tr7yecenn8hwvk", "dep_01m7yvwgv4f17b69vsxv0qmp42"
MEMBER_ID, MADE = "mem_01m7yvwgrbfs78dnqyfd7pn1g3", "2026-11-21T10:54:27.063549Z"
PLACE, DIRECTORY = ".claude/skills/release-notes/SKILL.md", "/srv/projects/shop"

SETTINGS = {
    "name": "Backend",
    "description": "For services.",
    "tags": ["python"],
    "visibility": "project",
}
SET: dict[str, Any] = SETTINGS | {
    "id": SET_ID,
    "owner": "ada",
    "resolved_count": 1,
    "depth": 1,
    "created_at": MADE,
    "updated_at": MADE,
    "project": "default",
}
MEMBER = {
    "id": MEMBER_ID,
    "position": 0,
    "kind": "group",
    "artifact_uuid": None,
    "group_id": GROUP_ID,
    "member_set_id": None,
    "name": "Release day",
    "type": None,
    "resolved": True,
    "created_at": MADE,
}
RESOLVED = {
    "set_id": SET_ID,
    "resolved_count": 1,
    "depth": 1,
    "artifacts": [
        {
            "uuid": ARTIFACT_ID,
            "type": "skill",
            "namespace": None,
            "name": "release-notes",
            "description": DESCRIPTION,
            "version": "1.0",
            "source_path": [
                {"kind": "set", "id": SET_ID, "name": "Backend"},
                {"kind": "group", "id": GROUP_ID, "name": "Release day"},
            ],
        }
    ],
    "unresolved": [],
    "conflicts": [],
}
COUNTS = {"create": 2, "update": 0, "unchanged": 0, "conflict": 0, "remove": 0, "merge": 0}
RESULT: dict[str, Any] = {
    "counts": COUNTS,
    "artifacts": [{"uuid": ARTIFACT_ID, "outcome": "create", "paths": [PLACE], "error": None}],
    "files": [{"path": PLACE, "outcome": "create", "reason": None, "kept_as": None}],
    "needs": ["GITHUB_TOKEN"],
    "conflicts": [],
    "remarks": [],
    "unresolved_count": 0,
}
DEPLOYMENT: dict[str, Any] = {
    "id": DEPLOYMENT_ID,
    "set_id": SET_ID,
    "set_name": "Backend",
    "project": "default",
    "project_path": DIRECTORY,
    "on_conflict": "abort",
    "prune": False,
    "counts": COUNTS,
    "deployed_by": "ada",
    "created_at": MADE,
    "finished_at": MADE,
    "undone_at": None,
    "undone_by": None,
}

REFERENCE = Reference(
    parameters={
        "/deployment-sets/{id}": "The set's id, `set_` and 26 characters.",
        "/deployments/{id}": "The deployment's id, `dep_` and 26 characters.",
        "member_id": "The member's id, `mem_` and 26 characters.",
        "/deployment-sets?name": "Only sets of exactly this name.",
        "visibility": "Only private sets, or only those of the project.",
        "set": "Only deployments of the set with this id.",
        "project_path": "Only deployments into exactly this directory.",
        "format": "Which archive.",
        "confirm_untrusted": "That what runs by itself and comes from nowhere trusted is wanted all the same.",
    },
    bodies={
        "Set": SET,
        "SetDetail": SET | {"members": [MEMBER]},
        "NewSetRequest": SETTINGS,
        "SetSettingsRequest": SETTINGS,
        "SetMember": MEMBER,
        "NewMemberRequest": {"group_id": GROUP_ID, "position": 0},
        "PositionRequest": {"position": 0},
        "ResolvedSet": RESOLVED,
        "DeployRequest": {"project_path": DIRECTORY, "on_conflict": "backup", "prune": True},
        "Deployed": RESULT | {"deployment_id": DEPLOYMENT_ID, "dry_run": False},
        "Deployment": DEPLOYMENT,
        "DeploymentDetail": DEPLOYMENT | {"result": RESULT},
        "Drift": {"is_clean": False, "edited": [PLACE], "missing": [], "extra": [], "outdated": []},
        "Undone": {"deployment_id": DEPLOYMENT_ID, "paths": [PLACE]},
    },
    problems={
        "set_exists": {"existing_id": SET_ID},
        "member_exists": {"existing_id": MEMBER_ID},
        "deploy_conflicts": {
            "conflicts": [{"path": PLACE, "artifacts": [ARTIFACT_ID], "reason": "it was edited there"}]
        },
        "undo_refused": {"paths": [PLACE]},
        "confirmation_required": {"artifacts": [ARTIFACT_ID]},
    },
)
