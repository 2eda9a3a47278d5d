"""`/artifacts/{uuid}`: one artifact of a collection, its versions and files."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from collections_app.models import Artifact, ArtifactVersion, Collection
from collections_app.operations import artifacts
from marketplace.models import Source
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.collections_app.conftest import AddSource, Import
from tests.factories import LONG_AGO, SHA, ArtifactFactory, CollectionFactory, ManifestFactory, ProjectFactory
from tests.github.repositories import Executable, Repository, Symlink
from tests.scanning import FILES, skill

Client = Callable[..., APIClient]
Member = Callable[..., User]
UNKNOWN = "01a1fd5b-e23a-7ed4-8a9d-32794f2c93b1"
OTHER = "sha256:" + "1" * 64


def url(artifact: Artifact, what: str = "") -> str:
    return f"/api/v1/artifacts/{artifact.pk}{what}"


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def second_version(artifact: Artifact) -> ArtifactVersion:
    artifact.current = ArtifactVersion.objects.create(
        artifact=artifact,
        number=2,
        commit="b" * 40,
        content_digest=OTHER,
        manifest=ManifestFactory(),
        reason="sync",
        created_at=LONG_AGO,
    )
    artifact.save()
    return artifact.current


def test_an_artifact_is_shown_with_its_origin(pdf: Artifact, source: Source, api: APIClient) -> None:
    shown = api.get(url(pdf)).json()
    assert shown["uuid"] == str(pdf.pk)
    assert (shown["type"], shown["name"], shown["current_version"]) == ("skill", "pdf", 1)
    assert (shown["update_available"], shown["edited_fields"], shown["members"]) == (False, [], [])
    assert shown["origin"]["source_id"] == source.public_id
    assert shown["origin"]["commit"] == source.resolved_sha


@pytest.mark.parametrize("text", ["x", UNKNOWN, "0" * 32, "{" + UNKNOWN + "}"])
def test_what_is_no_uuid_of_an_artifact_is_not_found(project: Any, api: APIClient, text: str) -> None:
    assert api.get(f"/api/v1/artifacts/{text}").status_code == 404


def test_changes_are_noted_as_peoples(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory(name="pdf", description="Old", tags=["a"])
    shown = api.patch(url(artifact), {"description": "New", "tags": ["A"]}).json()
    assert (shown["description"], shown["tags"], shown["edited_fields"]) == ("New", ["a"], ["description"])
    shown = api.patch(url(artifact), {"name": "mine", "description": None}).json()
    assert (shown["name"], shown["description"]) == ("mine", None)
    assert shown["edited_fields"] == ["description", "name"]
    assert [event.facts["fields"] for event in AuditEvent.objects.order_by("id")] == [
        ["description"],
        ["description", "name"],
    ]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"name": None}, 400, "/name"),
        ({"name": ""}, 422, "/name"),
        ({"name": "a/b"}, 422, "/name"),
        ({"name": ".."}, 422, "/name"),
        ({"name": "NUL"}, 422, "/name"),
        ({"name": "x" * 201}, 422, "/name"),
        ({"description": 5}, 400, "/description"),
        ({"description": "x" * 10_001}, 422, "/description"),
        ({"tags": "x"}, 400, "/tags"),
        ({"license": "MIT"}, 400, "/license"),
    ],
)
def test_a_change_that_cannot_be_read_or_makes_no_sense(
    project: Any, api: APIClient, body: Any, status: int, pointer: str
) -> None:
    artifact = ArtifactFactory()
    before = api.get(url(artifact)).json()
    answer = api.patch(url(artifact), body)
    assert (answer.status_code, pointers(answer)) == (status, [pointer])
    assert api.get(url(artifact)).json() == before
    assert AuditEvent.objects.count() == 0


def test_a_name_that_lies_on_no_disk_comes_with_one_that_does(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory()
    (name,) = api.patch(url(artifact), {"name": "../a:b"}).json()["suggested_names"]
    assert api.patch(url(artifact), {"name": name}).status_code == 200


def test_a_taken_name_is_a_conflict_with_free_ones(project: Any, api: APIClient) -> None:
    taken = ArtifactFactory(name="pdf")
    artifact = ArtifactFactory(collection=taken.collection)
    answer = api.patch(url(artifact), {"name": "pdf"})
    assert (answer.status_code, answer.json()["existing_id"]) == (409, str(taken.pk))
    assert answer.json()["suggested_names"][0] == "pdf-ada"
    artifact.refresh_from_db()
    assert artifact.name != "pdf"


def test_a_copy_begins_anew(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory(name="pdf", description="Ours", edited_fields=["description"])
    second_version(artifact)
    collection = CollectionFactory()
    answer = api.post(url(artifact, "/copy"), {"collection": collection.public_id})
    assert answer.status_code == 201
    twin = answer.json()
    assert answer["Location"] == f"/api/v1/artifacts/{twin['uuid']}"
    assert twin["uuid"] != str(artifact.pk)
    assert (twin["collection_id"], twin["name"], twin["description"]) == (collection.public_id, "pdf", "Ours")
    assert (twin["current_version"], twin["content_digest"]) == (1, OTHER)
    assert artifact.versions.count() == 2
    again = api.post(url(artifact, "/copy"), {"collection": collection.public_id})
    assert (again.status_code, again.json()["existing_id"]) == (409, twin["uuid"])
    same = api.post(url(artifact, "/copy"), {"collection": artifact.collection.public_id})
    assert (same.status_code, same.json()["existing_id"]) == (409, str(artifact.pk))


def test_a_copy_stays_in_its_project(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory()
    foreign = CollectionFactory(project=ProjectFactory())
    assert api.post(url(artifact, "/copy"), {"collection": foreign.public_id}).status_code == 404
    assert api.post(url(artifact, "/copy"), {"collection": 5}).status_code == 400
    assert api.post(url(artifact, "/copy")).status_code == 400


def test_a_rollback_is_a_new_version_with_old_content(project: Any, api: APIClient) -> None:
    artifact = ArtifactFactory()
    second_version(artifact)
    answer = api.post(url(artifact, "/rollback"), {"version": 1})
    assert answer.status_code == 200
    assert (answer.json()["current_version"], answer.json()["origin"]["commit"]) == (3, SHA)
    versions = api.get(url(artifact, "/versions")).json()["items"]
    assert [(each["number"], each["reason"], each["created_by"]) for each in versions] == [
        (3, "rollback", "local"),
        (2, "sync", None),
        (1, "import", None),
    ]
    page = api.get(url(artifact, f"/versions?cursor={versions[0]['id']}")).json()
    assert [each["number"] for each in page["items"]] == [2, 1]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"version": "1"}, 400),
        ({"version": 0}, 422),
        ({"version": 9}, 422),
        ({"version": 2**40}, 422),
        ({"version": 2}, 409),
    ],
)
def test_a_rollback_to_what_is_not_there_or_is_current(
    project: Any, api: APIClient, body: Any, status: int
) -> None:
    artifact = ArtifactFactory()
    second_version(artifact)
    assert api.post(url(artifact, "/rollback"), body).status_code == status
    assert artifact.versions.count() == 2


def test_who_may(member: Member, client_of: Client, multi_user: None) -> None:
    artifact = ArtifactFactory()
    second_version(artifact)
    clients = {role: client_of(member(role)) for role in (None, Role.VIEWER, Role.EDITOR, Role.ADMIN)}

    def statuses(ask: Callable[[APIClient], Any]) -> list[int]:
        return [ask(client).status_code for client in clients.values()]

    for what in ("", "/versions", "/files", "/versions/1/diff"):
        assert statuses(lambda client, what=what: client.get(url(artifact, what))) == [404, 200, 200, 200]
    patched = statuses(lambda client: client.patch(url(artifact), {"name": "x"}))
    assert patched == [404, 403, 200, 200]
    assert statuses(lambda client: client.post(url(artifact, "/rollback"), {"version": 1}))[:3] == [
        404,
        403,
        200,
    ]
    body = {"collection": CollectionFactory().public_id}
    assert statuses(lambda client: client.post(url(artifact, "/copy"), body))[:3] == [404, 403, 201]
    assert statuses(lambda client: client.delete(url(artifact))) == [404, 403, 403, 204]


# --- Files ---


@pytest.fixture
def run(add_source: AddSource, import_all: Import) -> Artifact:
    """A skill with a program, a picture and a link."""
    files = {
        "skills/run/SKILL.md": skill("run"),
        "skills/run/go.sh": Executable(b"#!/bin/sh\necho <script>\n"),
        "skills/run/a.png": b"\x89PNG\0\1",
        "skills/run/link": Symlink("/etc/passwd"),
    }
    import_all(add_source("ada/run", files))
    return Artifact.objects.get()


def test_files_are_listed_and_given_out_as_bytes_to_be_looked_at(run: Artifact, api: APIClient) -> None:
    listed = api.get(url(run, "/files")).json()
    assert listed["version"] == 1
    assert {file["path"]: file["kind"] for file in listed["files"]} == {
        "SKILL.md": "file",
        "a.png": "file",
        "go.sh": "executable",
        "link": "symlink",
    }
    text = api.get(url(run, "/files/go.sh"))
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert text["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in text["Content-Security-Policy"]
    assert api.get(url(run, "/files/a.png"))["Content-Type"] == "application/octet-stream"
    same = api.get(url(run, "/files/go.sh"), headers={"If-None-Match": text["ETag"]})
    assert (same.status_code, same.content) == (304, b"")


@pytest.mark.parametrize("path", ["link", "none", "../SKILL.md", "%2e%2e/SKILL.md", "SKILL.md/"])
def test_other_paths_are_not_found(run: Artifact, api: APIClient, path: str) -> None:
    assert api.get(url(run, f"/files/{path}")).status_code == 404


def test_a_version_has_its_own_files(
    pdf: Artifact, collection: Collection, tools: Repository, api: APIClient
) -> None:
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Better."), "skills/pdf/more.md": b"More\n"})
    refreshed = api.post(f"/api/v1/collections/{collection.public_id}/refresh?mode=sync")
    assert refreshed.json()["result"]["refreshed_count"] == 1
    assert [file["path"] for file in api.get(url(pdf, "/files?version=1")).json()["files"]] == ["SKILL.md"]
    assert len(api.get(url(pdf, "/files")).json()["files"]) == 2
    assert api.get(url(pdf, "/files/more.md?version=1")).status_code == 404
    assert api.get(url(pdf, "/files/SKILL.md?version=1")).content == FILES["skills/pdf/SKILL.md"]
    diff = api.get(url(pdf, "/versions/1/diff")).json()
    assert (diff["added"], diff["removed"]) == (["more.md"], [])
    (change,) = diff["changed"]
    assert (change["path"], change["reason"]) == ("SKILL.md", None)
    assert "-It reads files.\n+Better." in change["diff"]
    back = api.get(url(pdf, "/versions/2/diff?to=1")).json()
    assert (back["added"], back["removed"]) == ([], ["more.md"])
    assert api.get(url(pdf, "/versions/2/diff")).json() == {"added": [], "removed": [], "changed": []}


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("/files?version=2", 404),
        ("/files?version=x", 400),
        ("/files?version=0", 400),
        ("/files?path=x", 400),
        ("/files/SKILL.md?version=9", 404),
        ("/versions/9/diff", 404),
        ("/versions/x/diff", 404),
        ("/versions/1/diff?to=9", 404),
        ("/versions/1/diff?to=x", 400),
    ],
)
def test_versions_that_are_not_there(project: Any, api: APIClient, what: str, status: int) -> None:
    assert api.get(url(ArtifactFactory(), what)).status_code == status


def test_an_operation_that_fails_leaves_no_event(project: Any, member: Member) -> None:
    artifact = ArtifactFactory()
    with pytest.raises(artifacts.UnknownVersion):
        artifacts.roll_back(artifact=artifact, number=5, by=member(Role.EDITOR), at=LONG_AGO)
    assert AuditEvent.objects.count() == 0


def test_an_artifact_is_found_in_the_audit_trail_by_its_uuid(api: APIClient, project: Any) -> None:
    artifact = ArtifactFactory()
    api.patch(f"/api/v1/artifacts/{artifact.pk}", {"description": "Ours"})
    (event,) = api.get("/api/v1/audit-events", {"object": str(artifact.pk)}).json()["items"]
    assert event["object"]["id"] == str(artifact.pk)
