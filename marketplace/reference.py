"""What the API's reference shows of sources and their catalogues."""

from typing import Any

from skillmeat_site.api.reference import Reference
from skillmeat_site.jobs.reference import JOB_ID

SOURCE_ID, ENTRY_ID = "src_01m7yvtw6nenrtd6br5rqmx89p", "ent_01m7yvtycre9ktva1fgr9xymvn"
COMMIT, DIGEST = "35b962a26fe0425f4fb04681f00ce5eefbadf6a1", f"sha256:{'b4a2aeb02571fdaf' * 4}"
ADDED, SCANNED = "2026-11-21T10:53:33.256277Z", "2026-11-21T10:53:35.494518Z"
REPOSITORY = "https://github.com/anthropics/skills"
DESCRIPTION = "Writes release notes from the commits since the last tag."

SOURCE: dict[str, Any] = {
    "id": SOURCE_ID,
    "repo_url": REPOSITORY,
    "owner": "anthropics",
    "repo_name": "skills",
    "ref": "main",
    "root_hint": None,
    "trust_level": "basic",
    "visibility": "public",
    "scan_status": "success",
    "artifact_count": 17,
    "last_sync_at": SCANNED,
    "last_error": None,
    "created_at": ADDED,
    "updated_at": ADDED,
    "description": "Skills for documents.",
    "notes": None,
    "enable_frontmatter_detection": False,
    "manual_map": {"template": None},
    "repo_description": "Public repository for Agent Skills",
    "repo_readme": None,
    "tags": ["docs"],
    "suggested_tags": ["agent-skills"],
    "counts_by_type": {"skill": 16, "plugin": 1},
    "indexing_enabled": True,
    "last_indexed_at": SCANNED,
    "rescan_interval": 86_400,
    "next_rescan_at": "2026-11-22T10:53:35.494518Z",
    "resolved_sha": COMMIT,
    "project": "default",
}
NEW_SOURCE = {"repo_url": REPOSITORY, "tags": ["docs"], "rescan_interval": 86_400}
SOURCE_CHANGES = {"trust_level": "verified", "notes": None, "manual_map": {"template": None}}
ENTRY: dict[str, Any] = {
    "id": ENTRY_ID,
    "source_id": SOURCE_ID,
    "type": "skill",
    "name": "release-notes",
    "namespace": None,
    "title": "Release notes",
    "description": DESCRIPTION,
    "path": "skills/release-notes",
    "upstream_url": f"{REPOSITORY}/tree/{COMMIT}/skills/release-notes",
    "confidence": 100,
    "status": "new",
    "version": "1.0",
    "license": "MIT",
    "author": None,
    "tags": ["git"],
    "path_tags": [],
    "content_digest": DIGEST,
    "detected_sha": COMMIT,
    "first_seen_at": SCANNED,
    "changed_at": SCANNED,
    "removed_at": None,
    "imported_at": None,
    "excluded_at": None,
    "excluded_reason": None,
    "duplicate_of": None,
    "parent_id": None,
}
FILES = [
    {
        "path": "SKILL.md",
        "kind": "file",
        "mode": "100644",
        "size": 1067,
        "sha": "cd18125ed63abd275d5c1e72de1561741b1f2bde",
        "digest": "9273a41ee72dea995bd6bf7514b53d51d7102af6ab01c5153df17b8efc020b88",
    }
]
DETAILS: dict[str, Any] = {
    "incomplete": None,
    "signals": [{"name": "skills_directory", "points": 85, "detail": ""}],
    "findings": [],
    "frontmatter": {"name": "release-notes", "description": DESCRIPTION},
    "files": FILES,
}
HIT = ENTRY | {"trust_level": "basic", "highlights": [{"field": "name", "start": 0, "end": 7}]}

REFERENCE = Reference(
    parameters={
        "/marketplace/sources/{id}": "The source's id, `src_` and 26 characters.",
        "/marketplace/artifacts/{id}": "The entry's id, `ent_` and 26 characters.",
        "artifact_type": "Only sources with at least one present artifact of this type.",
        "trust_level": "Only what has this trust.",
        "scan_status": "Only sources in this state.",
        "type": "Only artifacts of this type; aliases like `mcp` are understood.",
        "min_confidence": "Only entries that are at least this sure.",
        "max_confidence": "Only entries that are at most this sure.",
        "imported": "Only entries that were imported, or only those that were not.",
        "excluded": "`true`: only excluded entries. They are left out otherwise.",
        "ordering": "By what to sort; a minus turns it round. Without it, the surest first.",
        "/marketplace/sources/{id}/artifacts?status": "Only entries in this state; removed ones only so.",
        "/marketplace/sources/{id}/jobs?status": "Only jobs in this state.",
        "q": "The words to look for; the last one may be the beginning of a word.",
        "source": "Only artifacts of the source with this id.",
        "path": "The file's path, as the list of files says it.",
    },
    bodies={
        "Source": SOURCE,
        "Rescanned": SOURCE | {"scan_status": "scanning", "job_id": JOB_ID},
        "NewSourceRequest": NEW_SOURCE,
        "PatchedSourceChangesRequest": SOURCE_CHANGES,
        "RescanRequest": {"force": True},
        "LinkRequest": {"url": f"{REPOSITORY}/tree/main/skills"},
        "Inferred": {"repo_url": REPOSITORY, "ref": "main", "root_hint": "skills"},
        "Entry": ENTRY,
        "EntryDetail": ENTRY | DETAILS,
        "SearchHit": HIT,
        "ExclusionRequest": {"reason": "An old copy."},
    },
    problems={
        "source_exists": {"existing_id": SOURCE_ID},
        "rescan_too_soon": {"retry_after": 271},
        "unknown_directories": {
            "errors": [
                {
                    "pointer": "/manual_map/no-such",
                    "code": "unknown_directory",
                    "detail": "There is no such directory.",
                }
            ]
        },
    },
)
