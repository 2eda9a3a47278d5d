"""What the API's reference shows of people, projects and tokens."""

from skillmeat_site.api.reference import Reference

MADE = "2026-11-21T10:54:26.799860Z"
USER = {"id": "usr_01m7yvtym8egttbmnqnaq9rz7a", "username": "ada"}
PROJECT = {"id": "prj_01m7yvtw69eywrwdwq51yn7k6n", "slug": "default", "name": "Default", "role": "admin"}
TOKEN = {
    "id": "tok_01m7yvwgfff7dbfdbynd4398mz",
    "name": "ci",
    "scope": "read",
    "created_at": MADE,
    "expires_at": "2027-11-21T00:00:00Z",
    "last_used_at": None,
}
REFERENCE = Reference(
    parameters={
        "/projects/{id}": "The project's slug, or its id, `prj_` and 26 characters.",
        "/tokens/{id}": "The token's id, `tok_` and 26 characters.",
        "username": "The user's name.",
    },
    bodies={
        "Me": {
            "user": USER | {"is_superuser": False},
            "auth": "multi-user",
            "projects": [PROJECT],
            "token": TOKEN,
        },
        "ProjectDetail": PROJECT | {"created_at": MADE},
        "NewProjectRequest": {"slug": "backend", "name": "Backend"},
        "PatchedProjectChangesRequest": {"name": "Back end"},
        "Member": {"user": USER, "role": "editor"},
        "MemberRoleRequest": {"role": "editor"},
        "Token": TOKEN,
        "NewTokenRequest": {"name": "ci", "scope": "read", "expires_at": "2027-11-21T00:00:00Z"},
        "IssuedToken": TOKEN | {"secret": "sm_shown-once-and-stored-nowhere-in-plain-text"},
    },
    problems={
        "project_exists": {"existing_id": PROJECT["id"]},
        "token_exists": {"existing_id": TOKEN["id"]},
    },
)
