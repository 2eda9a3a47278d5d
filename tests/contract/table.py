"""Every operation of the schema: who gets what, and what the audit trail says afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.contract.world import FILE, World

CALLERS = (
    "anonymous",
    "stranger",
    "viewer",
    "editor",
    "admin",
    "superuser",
    "read-only token",
    "expired token",
)
Statuses = tuple[int, int, int, int, int, int, int, int]
KNOWN: Statuses = (401, 200, 200, 200, 200, 200, 200, 401)
MEMBERS: Statuses = (401, 404, 200, 200, 200, 200, 200, 401)
PROJECT_ADMINS: Statuses = (401, 403, 403, 403, 200, 200, 200, 401)
FOUNDERS: Statuses = (401, 403, 403, 403, 201, 201, 403, 401)
NOBODYS: Statuses = (401, 404, 404, 404, 404, 404, 403, 401)  # of somebody else, even for superusers


def editors(status: int) -> Statuses:
    return (401, 404, 403, status, status, status, 403, 401)


def admins(status: int) -> Statuses:
    return (401, 404, 403, 403, status, status, 403, 401)


def known(status: int) -> Statuses:
    return (401, status, status, status, status, status, 403, 401)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request and who gets what.

    `place` is the row that `{id}` names, `verbs` those of the events that success leaves, `of` the project
    that they are of. `on_disk` is about files, which outlast a transaction that is rolled back.
    """

    statuses: Statuses
    place: str = ""
    user: str = "bob"
    query: str = ""
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    verbs: tuple[str, ...] = ()
    of: str = "default"
    on_disk: bool = False

    def names(self, world: World) -> dict[str, str]:
        user = getattr(world, self.user, None)
        found = {
            "path": FILE,
            "username": user.username if user else self.user,
            "group_id": world.group.public_id,
            "refresh_id": world.run.public_id,
            "member_id": world.member.public_id,
            "number": "1",
        }
        return found | ({"id": world.name_of(self.place)} if self.place else {})

    def sent(self, world: World) -> dict[str, Any]:
        """What `ask` is to send."""
        body = {} if self.body is None else {"data": world.fill(self.body)}
        return {"query": self.query, "headers": self.headers, **body}


def told(verb: str, statuses: Statuses, place: str = "", **more: Any) -> Case:
    """A case that leaves one event."""
    return Case(verbs=(verb,), statuses=statuses, place=place, **more)


REPOSITORY = {"repo_url": "https://github.com/acme/new", "project": "default"}
SETTINGS = {"name": "New", "description": None, "tags": [], "visibility": "private"}
HERE, MARKET = "/api/v1", "/api/v1/marketplace"
SOURCE, ENTRY = f"{MARKET}/sources/{{id}}", f"{MARKET}/artifacts/{{id}}"
ARTIFACT, COLLECTION = f"{HERE}/artifacts/{{id}}", f"{HERE}/collections/{{id}}"
GROUP, SET = f"{COLLECTION}/groups/{{group_id}}", f"{HERE}/deployment-sets/{{id}}"
DEPLOYMENT, PROJECT = f"{HERE}/deployments/{{id}}", f"{HERE}/projects/{{id}}"
SET_MEMBER, MEMBER = f"{SET}/members/{{member_id}}", f"{PROJECT}/members/{{username}}"
REFRESHES = ("refresh.requested", "collection.refreshed")  # what begins and what ends it: two transactions

TABLE: dict[str, list[Case]] = {
    # --- people ---
    f"GET {HERE}/audit-events": [Case(statuses=PROJECT_ADMINS)],
    f"GET {HERE}/me": [Case(statuses=KNOWN)],
    f"GET {HERE}/projects": [Case(statuses=KNOWN)],
    f"POST {HERE}/projects": [
        told("project.created", FOUNDERS, body={"slug": "new", "name": "New"}, of="new"),
    ],
    f"GET {PROJECT}": [Case(statuses=MEMBERS, place="project")],
    f"PATCH {PROJECT}": [
        told("project.updated", admins(200), "project", body={"name": "Renamed"}),
        Case(statuses=admins(200), place="project", body={}),
    ],
    f"GET {PROJECT}/members": [Case(statuses=MEMBERS, place="project")],
    f"PUT {MEMBER}": [
        told("membership.updated", admins(200), "project", body={"role": "viewer"}),
        Case(statuses=admins(200), place="project", body={"role": "editor"}),
        told("membership.created", admins(201), "project", user="newcomer", body={"role": "viewer"}),
        Case(statuses=admins(404), place="project", user="nobody", body={"role": "viewer"}),
    ],
    f"DELETE {MEMBER}": [
        told("membership.deleted", admins(204), "project"),
        Case(statuses=admins(404), place="project", user="newcomer"),
    ],
    f"GET {HERE}/tokens": [Case(statuses=KNOWN)],
    f"POST {HERE}/tokens": [told("token.created", known(201), body={"name": "laptop"}, of="")],
    f"DELETE {HERE}/tokens/{{id}}": [Case(statuses=NOBODYS, place="token")],
    # --- jobs ---
    f"GET {HERE}/jobs": [Case(statuses=KNOWN)],
    f"GET {HERE}/jobs/{{id}}": [Case(statuses=MEMBERS, place="job")],
    f"POST {HERE}/jobs/{{id}}/cancel": [told("job.cancelled", editors(202), "job")],
    f"GET {HERE}/jobs/{{id}}/events": [Case(statuses=MEMBERS, place="job")],
    # --- the marketplace ---
    f"GET {ENTRY}": [Case(statuses=MEMBERS, place="entry")],
    f"POST {ENTRY}/exclude": [
        told("entry.excluded", editors(200), "entry"),
        Case(statuses=editors(200), place="excluded"),
    ],
    f"DELETE {ENTRY}/exclude": [told("entry.restored", editors(200), "excluded")],
    f"GET {ENTRY}/files/{{path}}": [Case(statuses=MEMBERS, place="entry")],
    f"POST {MARKET}/infer-url": [Case(statuses=KNOWN, body={"url": "https://github.com/acme/new"})],
    f"GET {MARKET}/search": [Case(statuses=KNOWN, query="?q=pdf")],
    f"GET {MARKET}/sources": [Case(statuses=KNOWN)],
    f"POST {MARKET}/sources": [
        told("source.created", editors(201), body=REPOSITORY),
        told("source.created", admins(201), body=REPOSITORY | {"trust_level": "verified"}),
        told("source.created", admins(201), body=REPOSITORY | {"repo_url": "file://<shelf>"}),
        Case(  # no project is named: nobody's only one for the first two, one of several for a superuser
            statuses=(401, 400, 400, 201, 201, 400, 403, 401),
            body={"repo_url": "https://github.com/acme/new"},
            verbs=("source.created",),
        ),
    ],
    f"GET {SOURCE}": [Case(statuses=MEMBERS, place="source")],
    f"PATCH {SOURCE}": [
        told("source.changed", editors(200), "source", body={"notes": "Good."}),
        told("source.changed", editors(200), "source", body={"trust_level": "untrusted"}),
        told("source.changed", admins(200), "source", body={"trust_level": "verified"}),
        Case(statuses=editors(200), place="source", body={}),
        Case(statuses=editors(200), place="source", body={"trust_level": "basic"}),
    ],
    f"DELETE {SOURCE}": [told("source.deleted", admins(204), "source")],
    f"GET {SOURCE}/artifacts": [Case(statuses=MEMBERS, place="source")],
    f"GET {SOURCE}/jobs": [Case(statuses=MEMBERS, place="source")],
    f"POST {SOURCE}/rescan": [told("scan.requested", editors(202), "source")],
    # --- collections ---
    f"POST {SOURCE}/import": [
        told(
            "collection.imported",
            editors(200),
            "source",
            body={"entry_id": "<entry>", "collection": "<bare>"},
        ),
        Case(  # two things come into being, and each has its own story
            verbs=("collection.created", "collection.imported"),
            statuses=editors(200),
            place="source",
            body={"entry_ids": ["<entry>"]},
        ),
    ],
    f"GET {ARTIFACT}": [Case(statuses=MEMBERS, place="artifact")],
    f"PATCH {ARTIFACT}": [
        told("artifact.changed", editors(200), "artifact", body={"description": "Better."}),
        Case(statuses=editors(200), place="artifact", body={}),
    ],
    f"DELETE {ARTIFACT}": [told("artifact.deleted", admins(204), "artifact")],
    f"POST {ARTIFACT}/copy": [
        told("artifact.copied", editors(201), "artifact", body={"collection": "<bare>"})
    ],
    f"GET {ARTIFACT}/files": [Case(statuses=MEMBERS, place="artifact")],
    f"GET {ARTIFACT}/files/{{path}}": [Case(statuses=MEMBERS, place="artifact")],
    f"POST {ARTIFACT}/rollback": [
        told("artifact.rolled_back", editors(200), "artifact", body={"version": 1})
    ],
    f"GET {ARTIFACT}/versions": [Case(statuses=MEMBERS, place="artifact")],
    f"GET {ARTIFACT}/versions/{{number}}/diff": [Case(statuses=MEMBERS, place="artifact")],
    f"GET {HERE}/collections": [Case(statuses=KNOWN)],
    f"POST {HERE}/collections": [
        told("collection.created", editors(201), body={"name": "New", "project": "default"}),
    ],
    f"GET {COLLECTION}": [Case(statuses=MEMBERS, place="collection")],
    f"PATCH {COLLECTION}": [
        told("collection.changed", editors(200), "collection", body={"name": "Renamed"}),
        Case(statuses=editors(200), place="collection", body={}),
    ],
    f"DELETE {COLLECTION}": [told("collection.deleted", admins(204), "collection")],
    f"GET {COLLECTION}/artifacts": [Case(statuses=MEMBERS, place="collection")],
    f"GET {COLLECTION}/groups": [Case(statuses=MEMBERS, place="collection")],
    f"POST {COLLECTION}/groups": [
        told("group.created", editors(201), "collection", body={"name": "New"}),
    ],
    f"GET {GROUP}": [Case(statuses=MEMBERS, place="collection")],
    f"PATCH {GROUP}": [
        told("group.changed", editors(200), "collection", body={"name": "Renamed"}),
        Case(statuses=editors(200), place="collection", body={}),
    ],
    f"DELETE {GROUP}": [told("group.deleted", editors(204), "collection")],
    f"PUT {GROUP}/members": [told("group.arranged", editors(200), "collection", body={"members": []})],
    f"POST {COLLECTION}/refresh": [
        Case(verbs=REFRESHES, statuses=editors(200), place="bare"),
        Case(verbs=REFRESHES, statuses=editors(200), place="bare", query="?mode=check"),
        told("refresh.requested", editors(202), "bare", headers={"Prefer": "respond-async"}),
    ],
    f"GET {COLLECTION}/refreshes": [Case(statuses=MEMBERS, place="collection")],
    f"GET {COLLECTION}/refreshes/{{refresh_id}}": [Case(statuses=MEMBERS, place="collection")],
    # --- sets ---
    f"GET {HERE}/deployment-sets": [Case(statuses=KNOWN)],
    f"POST {HERE}/deployment-sets": [
        told("set.created", editors(201), body={"name": "New", "project": "default"}),
    ],
    f"GET {SET}": [Case(statuses=MEMBERS, place="set")],
    f"PUT {SET}": [told("set.changed", admins(200), "set", body=SETTINGS)],
    f"DELETE {SET}": [told("set.deleted", admins(204), "set")],
    f"POST {SET}/clone": [told("set.cloned", editors(201), "set")],
    f"GET {SET}/members": [Case(statuses=MEMBERS, place="set")],
    f"POST {SET}/members": [told("set.member_added", admins(201), "set", body={"artifact_uuid": "<unused>"})],
    f"PUT {SET_MEMBER}": [told("set.member_moved", admins(200), "set", body={"position": 0})],
    f"DELETE {SET_MEMBER}": [told("set.member_removed", admins(204), "set")],
    f"GET {SET}/resolve": [Case(statuses=MEMBERS, place="set")],
    f"GET {SET}/bundle": [Case(statuses=MEMBERS, place="set")],
    f"POST {SET}/deploy": [
        told("deployment.made", editors(200), "set", body={"project_path": "<directory>"}, on_disk=True),
        Case(statuses=editors(200), place="set", body={"project_path": "<directory>", "dry_run": True}),
    ],
    f"GET {HERE}/deployments": [Case(statuses=KNOWN)],
    f"GET {DEPLOYMENT}": [Case(statuses=MEMBERS, place="deployment")],
    f"POST {DEPLOYMENT}/undo": [told("deployment.undone", editors(200), "deployment", on_disk=True)],
    f"POST {DEPLOYMENT}/verify": [Case(statuses=MEMBERS, place="deployment", on_disk=True)],
}


def cases() -> Iterator[tuple[str, Case, str]]:
    """Every case with its operation and a name of its own."""
    for operation, listed in TABLE.items():
        for number, case in enumerate(listed):
            yield operation, case, f"{operation} {number}" if number else operation
