"""What the API's reference shows of collections, what they hold, and refreshing them."""

from typing import Any

from marketplace.reference import COMMIT, DESCRIPTION, DIGEST, ENTRY_ID, FILES, REPOSITORY, SOURCE_ID
from skillmeat_site.api.reference import Reference

COLLECTION_ID, GROUP_ID = "col_01m7yvtyn5e6pvpaxj7v8k8tyt", "grp_01m7yvwgmpfdb93cv3wpvwkgkh"
ARTIFACT_ID, OTHER_ID = "01a1fdbd-7aaf-7510-a34f-6af36585115a", "01a1fdbe-42dc-7501-9db0-618406891d04"
TAKEN, REFRESHED = "2026-11-21T10:53:35.750417Z", "2026-11-21T10:54:26.989498Z"
UPSTREAM = "e3c6ac9f7dd1d4ac9c0a4ba9eac2ac2eaa2b5d14"

COLLECTION = {
    "id": COLLECTION_ID,
    "name": "Default",
    "description": None,
    "artifact_count": 9,
    "refresh_interval": 86_400,
    "next_refresh_at": "2026-11-22T10:53:35.750417Z",
    "project": "default",
    "created_at": TAKEN,
    "updated_at": TAKEN,
}
GROUP = {
    "id": GROUP_ID,
    "collection_id": COLLECTION_ID,
    "name": "Release day",
    "description": "What a release needs.",
    "members": [ARTIFACT_ID],
    "created_at": TAKEN,
    "updated_at": TAKEN,
}
ARTIFACT: dict[str, Any] = {
    "uuid": ARTIFACT_ID,
    "collection_id": COLLECTION_ID,
    "type": "skill",
    "namespace": None,
    "name": "release-notes",
    "title": "Release notes",
    "description": DESCRIPTION,
    "version": "1.0",
    "license": "MIT",
    "author": None,
    "tags": ["git"],
    "edited_fields": [],
    "origin": {
        "source_id": SOURCE_ID,
        "entry_id": ENTRY_ID,
        "repo_url": REPOSITORY,
        "ref": "main",
        "locator": "skills/release-notes",
        "path": "skills/release-notes",
        "commit": COMMIT,
    },
    "current_version": 1,
    "content_digest": DIGEST,
    "update_available": True,
    "upstream_sha": UPSTREAM,
    "upstream_seen_at": REFRESHED,
    "created_at": TAKEN,
    "updated_at": TAKEN,
}
VERSION = {
    "id": "ver_01m7yvtynfenkach3sfcjf23ve",
    "number": 1,
    "commit": COMMIT,
    "content_digest": DIGEST,
    "reason": "import",
    "created_by": "ada",
    "created_at": TAKEN,
}
COMPARISON = {
    "added": ["scripts/commits_since_tag.sh"],
    "removed": [],
    "changed": [
        {
            "path": "SKILL.md",
            "diff": "--- SKILL.md\n+++ SKILL.md\n@@ -1 +1 @@\n-Old.\n+New.\n",
            "reason": None,
        }
    ],
}
COUNTS = {"refreshed_count": 1, "unchanged_count": 0, "skipped_count": 0, "error_count": 0}
OUTCOMES = [
    {
        "artifact_uuid": ARTIFACT_ID,
        "type": "skill",
        "name": "release-notes",
        "outcome": "refreshed",
        "changes": [{"field": "version", "old": "1.0", "new": "1.1"}],
        "reason": None,
        "error": None,
        "current_sha": COMMIT,
        "upstream_sha": UPSTREAM,
        "update_available": True,
    }
]
RUN: dict[str, Any] = {
    "id": "ref_01m7yvwgneefs9skhm71x441qc",
    "collection_id": COLLECTION_ID,
    "job_id": None,
    "mode": "metadata",
    "dry_run": False,
    "force": False,
    "status": "success",
    "counts": COUNTS,
    "duration_ms": 814,
    "request_id": "01a1fdbe42a97e7f907aa6cead5b3608",
    "started_at": REFRESHED,
    "finished_at": "2026-11-21T10:54:27.803878Z",
}
NOTHING_ELSE: dict[str, Any] = {"skipped": [], "errors": [], "skipped_count": 0, "error_count": 0}
IMPORTED = {"entry_id": ENTRY_ID, "artifact_uuid": ARTIFACT_ID, "type": "skill", "name": "release-notes"}
CONFLICT = {
    "entry_id": ENTRY_ID,
    "existing_artifact": OTHER_ID,
    "reason": "There is a skill of this name.",
    "suggested_names": ["anthropics-release-notes", "release-notes-2"],
}

REFERENCE = Reference(
    parameters={
        "/collections/{id}": "The collection's id, `col_` and 26 characters.",
        "/artifacts/{id}": "The artifact's UUID.",
        "group_id": "The group's id, `grp_` and 26 characters.",
        "refresh_id": "The refresh's id, `ref_` and 26 characters.",
        "number": "The version's number.",
        "to": "The number of the version to compare with; without it, the current one.",
        "version": "The number of the version; without it, the current one.",
        "/collections/{id}/artifacts?name": "Only artifacts of exactly this name.",
        "entry": "Only artifacts that were imported from the entry with this id.",
        "update_available": "Only artifacts that are behind what was last seen upstream, or only the others.",
    },
    bodies={
        "Collection": COLLECTION,
        "NewCollectionRequest": {"name": "Writing", "description": "What writers need."},
        "PatchedCollectionChangesRequest": {"refresh_interval": 86_400},
        "Group": GROUP,
        "NewGroupRequest": {"name": "Release day", "description": "What a release needs."},
        "PatchedGroupChangesRequest": {"description": None},
        "MembersRequest": {"members": [ARTIFACT_ID, OTHER_ID]},
        "Artifact": ARTIFACT,
        "ArtifactDetail": ARTIFACT | {"members": []},
        "PatchedArtifactChangesRequest": {"name": "notes", "tags": ["git", "release"]},
        "CopyRequest": {"collection": COLLECTION_ID},
        "RollbackRequest": {"version": 1},
        "Version": VERSION,
        "Comparison": COMPARISON,
        "Files": {"version": 1, "files": FILES},
        "RefreshRequest": {"mode": "sync", "artifact_filter": {"type": "skill", "name_pattern": "release-*"}},
        "Refreshed": {
            "status": "success",
            "timestamp": REFRESHED,
            "request_id": RUN["request_id"],
            "result": COUNTS | {"entries": OUTCOMES, "duration_ms": 814},
            "took_ms": 816,
        },
        "RefreshRun": RUN,
        "RefreshRunDetail": RUN | {"entries": OUTCOMES},
        "ImportRequest": {
            "entry_ids": [ENTRY_ID],
            "collection": COLLECTION_ID,
            "conflict_resolution": {ENTRY_ID: {"rename": "notes"}},
        },
        "ImportResult": NOTHING_ELSE
        | {"imported_count": 1, "imported": [IMPORTED], "conflict_count": 0, "conflicts": []},
    },
    problems={
        "artifact_exists": {"existing_id": OTHER_ID},
        "collection_exists": {"existing_id": COLLECTION_ID},
        "group_exists": {"existing_id": GROUP_ID},
        "refresh_running": {"existing_id": RUN["id"]},
        "import_conflicts": NOTHING_ELSE
        | {"imported_count": 0, "imported": [], "conflict_count": 1, "conflicts": [CONFLICT]},
    },
)
