"""`POST /marketplace/sources/{id}/import`: entries become artifacts, without a request to GitHub."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from collections_app.models import Artifact, ArtifactVersion, Collection
from marketplace.content.upkeep import collect_garbage
from marketplace.models import Entry, Source
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.collections_app.conftest import AddSource, Import
from tests.factories import (
    LONG_AGO,
    ArtifactFactory,
    CollectionFactory,
    EntryFactory,
    ProjectFactory,
    SourceFactory,
)
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES, skill

Client = Callable[..., APIClient]
Member = Callable[..., User]
OTHER = "sha256:" + "1" * 64


def url(source: Source) -> str:
    return f"/api/v1/marketplace/sources/{source.public_id}/import"


def pointers(answer: Any) -> list[str]:
    return [error["pointer"] for error in answer.json()["errors"]]


def test_everything_is_imported_without_asking_github(
    source: Source, import_all: Import, on_github: GitHub
) -> None:
    answer = import_all(source)
    assert answer.status_code == 200, answer.json()
    result = answer.json()
    assert {name: result[name] for name in result if name.endswith("count")} == {
        "imported_count": 3,
        "skipped_count": 0,
        "conflict_count": 0,
        "error_count": 0,
    }
    collection = Collection.objects.get()
    assert collection.name == "Default"
    assert {(each["type"], each["name"]) for each in result["imported"]} == {
        ("command", "deploy"),
        ("skill", "csv"),
        ("skill", "pdf"),
    }
    assert on_github.requests == []


def test_an_artifact_is_pinned_to_what_was_scanned(source: Source, import_all: Import) -> None:
    import_all(source)
    for entry in source.entries.all():
        artifact = entry.artifacts.select_related("current").get()
        assert artifact.current.number == 1
        assert artifact.current.commit == source.resolved_sha
        assert artifact.current.content_digest == entry.content_digest
        assert artifact.current.manifest_id == entry.manifest_id
        assert artifact.description == entry.description
        assert (artifact.origin_url, artifact.origin_ref, artifact.origin_path) == (
            source.repo_url,
            source.ref,
            entry.path,
        )
        assert entry.imported_at == artifact.created_at


def test_importing_twice_changes_nothing(source: Source, import_all: Import) -> None:
    first = import_all(source).json()
    second = import_all(source)
    assert second.status_code == 200
    result = second.json()
    assert (result["imported_count"], result["skipped_count"]) == (0, 3)
    uuids = {each["entry_id"]: each["artifact_uuid"] for each in first["imported"]}
    assert {each["entry_id"]: each["artifact_uuid"] for each in result["skipped"]} == uuids
    assert ArtifactVersion.objects.count() == 3


def test_one_entry_may_be_named_alone_and_a_collection_too(source: Source, api: APIClient) -> None:
    collection = CollectionFactory()
    entry = source.entries.get(name="pdf")
    answer = api.post(url(source), {"entry_id": entry.public_id, "collection": collection.public_id})
    assert answer.json()["imported_count"] == 1
    assert collection.artifacts.get().entry == entry
    assert not Collection.objects.filter(name="Default").exists()


def test_a_taken_name_is_a_conflict_and_nothing_is_written(source: Source, import_all: Import) -> None:
    collection = CollectionFactory(name="Default")
    taken = ArtifactFactory(collection=collection, name="pdf", digest=OTHER)
    events = AuditEvent.objects.count()
    answer = import_all(source, only="pdf")
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["type"] == "/problems/import_conflicts"
    (conflict,) = problem["conflicts"]
    assert conflict["existing_artifact"] == str(taken.pk)
    assert conflict["suggested_names"] == ["pdf-ada", "pdf-2", "pdf-3"]
    assert (problem["imported_count"], problem["conflict_count"]) == (0, 1)
    assert AuditEvent.objects.count() == events
    assert source.entries.get(name="pdf").imported_at is None


def test_errors_beside_conflicts_are_told_in_the_problem_too(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    taken = ArtifactFactory(collection=CollectionFactory(name="Default"), name="pdf", digest=OTHER)
    entries = [EntryFactory(source=source, name="pdf"), EntryFactory(source=source, removed_at=LONG_AGO)]
    answer = api.post(url(source), {"entry_ids": [entry.public_id for entry in entries]})
    assert answer.status_code == 409
    assert answer.json()["conflicts"][0]["existing_artifact"] == str(taken.pk)
    (error,) = answer.json()["errors"]
    assert (error["entry_id"], error["pointer"]) == (entries[1].public_id, "/entry_ids/1")
    assert error["problem"]["type"] == f"/problems/{error['code']}"


def test_a_conflict_beside_imports_is_reported_beside_them(source: Source, import_all: Import) -> None:
    ArtifactFactory(collection=CollectionFactory(name="Default"), name="pdf", digest=OTHER)
    answer = import_all(source)
    assert answer.status_code == 200
    assert (answer.json()["imported_count"], answer.json()["conflict_count"]) == (2, 1)


@pytest.mark.parametrize(
    ("resolution", "counts", "names"),
    [
        ("skip", (0, 1), {"pdf"}),
        ("rename", (1, 0), {"pdf", "pdf-ada"}),
        ("force", (1, 0), {"pdf"}),
        ({"rename": "mine"}, (1, 0), {"pdf", "mine"}),
    ],
)
def test_a_conflict_is_resolved_as_wished(
    source: Source, import_all: Import, resolution: Any, counts: tuple[int, int], names: set[str]
) -> None:
    collection = CollectionFactory(name="Default")
    taken = ArtifactFactory(collection=collection, name="pdf", digest=OTHER)
    entry = source.entries.get(name="pdf")
    wish = resolution if isinstance(resolution, str) else {entry.public_id: resolution}
    answer = import_all(source, only="pdf", conflict_resolution=wish)
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["imported_count"], answer.json()["skipped_count"]) == counts
    assert set(collection.artifacts.values_list("name", flat=True)) == names
    assert taken.versions.count() == (2 if resolution == "force" else 1)
    again = import_all(source, only="pdf", conflict_resolution=wish).json()
    assert (again["imported_count"], again["skipped_count"]) == (0, 1)


def test_force_makes_a_new_version_and_keeps_the_old_one(source: Source, import_all: Import) -> None:
    collection = CollectionFactory(name="Default")
    taken = ArtifactFactory(
        collection=collection, name="pdf", digest=OTHER, description="Mine", edited_fields=["description"]
    )
    answer = import_all(source, only="pdf", conflict_resolution="force")
    assert answer.json()["imported"][0]["artifact_uuid"] == str(taken.pk)
    entry = source.entries.get(name="pdf")
    taken.refresh_from_db()
    assert [version.content_digest for version in taken.versions.all()] == [entry.content_digest, OTHER]
    assert taken.current.number == 2
    assert (taken.description, taken.edited_fields, taken.entry) == (entry.description, [], entry)


def test_a_map_resolves_each_entry_for_itself(source: Source, import_all: Import) -> None:
    collection = CollectionFactory(name="Default")
    for name in ("pdf", "csv"):
        ArtifactFactory(collection=collection, name=name, digest=OTHER)
    ids = {entry.name: entry.public_id for entry in source.entries.all()}
    wish = {ids["pdf"]: "skip", ids["csv"]: {"rename": "tables"}}
    result = import_all(source, conflict_resolution=wish).json()
    assert {each["name"] for each in result["imported"]} == {"tables", "deploy"}
    assert [each["entry_id"] for each in result["skipped"]] == [ids["pdf"]]


def test_two_entries_of_one_import_that_clash_are_both_conflicts(api: APIClient) -> None:
    source = SourceFactory()
    twins = [
        EntryFactory(source=source, name="pdf", path=f"{n}/pdf", content_digest=f"sha256:{n}") for n in "12"
    ]
    answer = api.post(url(source), {"entry_ids": [twin.public_id for twin in twins]})
    assert answer.status_code == 409
    conflicts = answer.json()["conflicts"]
    assert [conflict["existing_artifact"] for conflict in conflicts] == [None, None]
    wish = {each["entry_id"]: {"rename": each["suggested_names"][0]} for each in conflicts}
    body = {"entry_ids": [twin.public_id for twin in twins], "conflict_resolution": wish}
    assert api.post(url(source), body).json()["imported_count"] == 2


def test_what_cannot_be_imported_is_an_error_of_its_own(project: Any, api: APIClient) -> None:
    source = SourceFactory(trust_level="untrusted")
    entries = {
        "imported": EntryFactory(source=source),
        "entry_removed": EntryFactory(source=source, removed_at=LONG_AGO),
        "entry_excluded": EntryFactory(source=source, excluded_at=LONG_AGO, excluded_reason="A copy."),
        "entry_incomplete": EntryFactory(source=source, incomplete="x is larger than 10 bytes."),
        "confirmation_required": EntryFactory(source=source, type="hook"),
        "unsuitable_name": EntryFactory(source=source, name="../../etc/passwd"),
        "entry_not_found": EntryFactory(),
    }
    ids = {entry.public_id: code for code, entry in entries.items()} | {"ent_none": "entry_not_found"}
    answer = api.post(url(source), {"entry_ids": list(ids)})
    assert answer.status_code == 200
    result = answer.json()
    assert [each["entry_id"] for each in result["imported"]] == [entries["imported"].public_id]
    found = {each["entry_id"]: each["problem"] for each in result["errors"]}
    assert {entry_id: problem["type"].removeprefix("/problems/") for entry_id, problem in found.items()} == {
        entry_id: code for entry_id, code in ids.items() if code != "imported"
    }
    assert found[entries["unsuitable_name"].public_id]["suggested_names"] == ["etc-passwd"]
    assert result["error_count"] == 7


@pytest.mark.parametrize("kind", ["hook", "mcp_server", "plugin"])
def test_what_runs_by_itself_needs_a_confirmation_if_its_source_is_untrusted(
    project: Any, api: APIClient, kind: str
) -> None:
    source = SourceFactory(trust_level="untrusted")
    body = {"entry_id": EntryFactory(source=source, type=kind).public_id}
    assert api.post(url(source), body).json()["error_count"] == 1
    assert api.post(url(source), body | {"confirm_untrusted": True}).json()["imported_count"] == 1
    trusted = SourceFactory(trust_level="basic")
    other = EntryFactory(source=trusted, type=kind)
    assert api.post(url(trusted), {"entry_id": other.public_id}).json()["imported_count"] == 1


def test_a_plugin_is_one_artifact_with_a_list_of_its_members(
    add_source: AddSource, import_all: Import
) -> None:
    files = {
        ".claude-plugin/plugin.json": b'{"name": "toolbox", "description": "Tools"}',
        "skills/pdf/SKILL.md": skill("pdf"),
        "commands/deploy.md": FILES[".claude/commands/deploy.md"],
    }
    source = add_source("ada/toolbox", files)
    result = import_all(source, only="toolbox").json()
    assert [each["type"] for each in result["imported"]] == ["plugin"]
    artifact = Artifact.objects.get()
    assert artifact.members == [
        {"type": "command", "name": "deploy", "path": "commands/deploy.md"},
        {"type": "skill", "name": "pdf", "path": "skills/pdf"},
    ]


def test_an_artifact_outlives_its_source(collection: Collection, source: Source, api: APIClient) -> None:
    assert api.delete(f"/api/v1/marketplace/sources/{source.public_id}").status_code == 204
    artifact = collection.artifacts.get(name="pdf")
    origin = api.get(f"/api/v1/artifacts/{artifact.pk}").json()["origin"]
    assert origin == {
        "source_id": None,
        "entry_id": None,
        "repo_url": source.repo_url,
        "ref": "main",
        "locator": "skills/pdf",
        "path": "skills/pdf",
        "commit": source.resolved_sha,
    }
    assert api.get(f"/api/v1/artifacts/{artifact.pk}/files/SKILL.md").content == FILES["skills/pdf/SKILL.md"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 400, "/entry_ids"),
        ({"entry_ids": ["x"], "entry_id": "x"}, 400, "/entry_ids"),
        ({"entry_ids": []}, 422, "/entry_ids"),
        ({"entry_ids": ["x"] * 1001}, 422, "/entry_ids"),
        ({"entry_ids": "x"}, 400, "/entry_ids"),
        ({"entry_ids": [5]}, 400, "/entry_ids/0"),
        ({"entry_id": 5}, 400, "/entry_id"),
        ({"entry_id": "x", "force": True}, 400, "/force"),
        ({"entry_id": "x", "confirm_untrusted": "yes"}, 400, "/confirm_untrusted"),
        ({"entry_id": "x", "collection": 5}, 400, "/collection"),
        ({"entry_id": "x", "conflict_resolution": "merge"}, 422, "/conflict_resolution"),
        ({"entry_id": "x", "conflict_resolution": 5}, 400, "/conflict_resolution"),
        ({"entry_id": "x", "conflict_resolution": {"y": "skip"}}, 422, "/conflict_resolution/y"),
        ({"entry_id": "x", "conflict_resolution": {"x": "merge"}}, 422, "/conflict_resolution/x"),
        ({"entry_id": "x", "conflict_resolution": {"x": {"name": "z"}}}, 400, "/conflict_resolution/x"),
        ({"entry_id": "x", "conflict_resolution": {"x": {"rename": 5}}}, 400, "/conflict_resolution/x"),
        ({"entry_id": "x", "conflict_resolution": {"x": {"rename": " "}}}, 422, "/conflict_resolution/x"),
    ],
)
def test_a_body_that_cannot_be_read_or_makes_no_sense(
    project: Any, api: APIClient, body: Any, status: int, pointer: str
) -> None:
    answer = api.post(url(SourceFactory()), body)
    assert (answer.status_code, pointers(answer)) == (status, [pointer])


@pytest.mark.parametrize("name", ["../up", "a/b", "CON", "x" * 201, "a."])
def test_a_name_that_is_none_is_told_with_one_that_is(project: Any, api: APIClient, name: str) -> None:
    entry = EntryFactory()
    wish = {entry.public_id: {"rename": name}}
    body = {"entry_id": entry.public_id, "conflict_resolution": wish}
    answer = api.post(url(entry.source), body)
    assert answer.status_code == 422
    assert pointers(answer) == [f"/conflict_resolution/{entry.public_id}/rename"]
    wish[entry.public_id] = {"rename": answer.json()["suggested_names"][0]}
    assert api.post(url(entry.source), body).json()["imported_count"] == 1


def test_a_collection_of_another_project_is_none(project: Any, api: APIClient) -> None:
    entry = EntryFactory()
    foreign = CollectionFactory(project=ProjectFactory())
    for collection in (foreign.public_id, "col_none"):
        answer = api.post(url(entry.source), {"entry_id": entry.public_id, "collection": collection})
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown_collection")


def test_importing_is_an_editors(member: Member, client_of: Client, multi_user: None) -> None:
    entry = EntryFactory()
    body = {"entry_id": entry.public_id}
    assert client_of(member(None)).post(url(entry.source), body).status_code == 404
    assert client_of(member(Role.VIEWER)).post(url(entry.source), body).status_code == 403
    assert client_of(member(Role.EDITOR)).post(url(entry.source), body).status_code == 200


def test_an_import_is_told_in_one_audit_event(source: Source, import_all: Import) -> None:
    CollectionFactory(name="Default")
    before = AuditEvent.objects.count()
    import_all(source)
    (event,) = AuditEvent.objects.all()[: AuditEvent.objects.count() - before]
    assert event.verb == "collection.imported"
    assert len(event.facts["imported"]) == 3


def test_a_thousand_entries_are_imported_in_a_few_queries(project: Any, api: APIClient) -> None:
    source = SourceFactory()
    manifest = EntryFactory(source=source).manifest
    Entry.objects.bulk_create(
        EntryFactory.build(source=source, manifest=manifest, content_digest=f"sha256:{n}") for n in range(999)
    )
    ids = [entry.public_id for entry in source.entries.all()]
    with CaptureQueriesContext(connection) as captured:
        answer = api.post(url(source), {"entry_ids": ids})
    assert answer.json()["imported_count"] == 1000
    assert len(captured) < 100  # SQLite takes few values at once


def test_the_content_of_an_import_is_no_garbage(
    collection: Collection, tools: Repository, source: Source, api: APIClient
) -> None:
    api.delete(f"/api/v1/marketplace/sources/{source.public_id}")
    collected = collect_garbage(
        before=datetime(2100, 1, 1, tzinfo=UTC), dry_run=False, progress=lambda *_: None
    )
    assert collected.manifests == 0
    artifact = collection.artifacts.get(name="pdf")
    assert api.get(f"/api/v1/artifacts/{artifact.pk}/files/SKILL.md").status_code == 200
