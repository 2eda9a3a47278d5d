"""Imports from the console's pages of entries and sources, with the dialog about what is there already."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from collections_app.models import Artifact, Collection
from marketplace.models import Entry, Source
from skillmeat_site.accounts.models import Project
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, CollectionFactory, EntryFactory, ProjectFactory, SourceFactory

LIST = reverse("admin:marketplace_entry_changelist")


def select(console: Client, *entries: Entry) -> Any:
    """Through the list's action, as a browser would; the page to which it leads."""
    form = {"action": "import_entries", "_selected_action": [str(entry.pk) for entry in entries]}
    return console.post(LIST, form, follow=True)


def send(console: Client, *entries: Entry, into: Collection | None = None, **fields: str) -> str:
    packed = " ".join(entry.public_id for entry in entries)
    where = str(into.pk) if into else "Default"
    answer = console.post(
        reverse("admin:marketplace_entry_import"), {"entries": packed, "collection": where} | fields
    )
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


@pytest.fixture
def clash(project: Project) -> tuple[Entry, Artifact]:
    """An entry whose name an artifact of the collection has."""
    artifact = ArtifactFactory(name="pdf", collection=CollectionFactory(name="Tools"))
    return EntryFactory(name="pdf", source=SourceFactory(owner="bob")), artifact


def test_selected_entries_are_imported_after_a_look(console: Client, project: Project) -> None:
    entries = EntryFactory.create_batch(2)
    page = select(console, *entries)
    assert "2 entries selected" in page.content.decode()
    seen = send(console, *entries)
    assert "<b>2</b> new, <b>0</b> there already" in seen
    assert not Artifact.objects.exists()
    assert entries[0].name in send(console, *entries, take="1")
    assert Collection.objects.get().name == "Default"
    assert Artifact.objects.count() == 2
    assert "<b>0</b> new, <b>2</b> there already" in send(console, *entries)


def test_a_name_that_is_taken_can_be_decided_about(console: Client, clash: tuple[Entry, Artifact]) -> None:
    entry, artifact = clash
    page = send(console, entry, into=artifact.collection)
    assert "Another is there." in page
    assert 'value="pdf-bob"' in page
    gone = EntryFactory(source=entry.source, removed_at="2026-03-01T00:00:00Z")
    left = send(console, entry, gone, into=artifact.collection, take="1")
    assert "1 still to be decided" in left
    assert "Nothing was imported." in left
    assert "Removed upstream" in left


@pytest.mark.parametrize(
    ("decision", "names", "versions"),
    [
        ({"do": "skip"}, {"pdf"}, 1),
        ({"do": "rename", "name": "reader"}, {"pdf", "reader"}, 1),
        ({"do": "rename", "name": ""}, {"pdf", "pdf-bob"}, 1),
        ({"do": "force"}, {"pdf"}, 2),
    ],
)
def test_each_decision_is_carried_out(
    console: Client,
    clash: tuple[Entry, Artifact],
    decision: dict[str, str],
    names: set[str],
    versions: int,
) -> None:
    entry, artifact = clash
    fields = {f"{field}-{entry.public_id}": value for field, value in decision.items()}
    send(console, entry, into=artifact.collection, take="1", **fields)
    assert set(artifact.collection.artifacts.values_list("name", flat=True)) == names
    assert artifact.versions.count() == versions
    assert AuditEvent.objects.filter(verb="collection.imported").count() == 1


def test_a_name_that_is_none_is_told_and_nothing_that_was_typed_is_lost(
    console: Client, clash: tuple[Entry, Artifact]
) -> None:
    entry, artifact = clash
    fields = {f"do-{entry.public_id}": "rename", f"name-{entry.public_id}": "a/b"}
    page = send(console, entry, into=artifact.collection, take="1", **fields)
    assert "may not be a path" in page
    assert 'value="a/b"' in page
    assert '<option value="rename" selected>' in page


def test_what_runs_by_itself_is_confirmed_if_its_source_is_untrusted(
    console: Client, project: Project
) -> None:
    hook = EntryFactory(type="hook", source__trust_level="untrusted")
    page = send(console, hook)
    assert "runs by itself" in page
    assert 'name="confirm_untrusted"' in page
    assert "Nothing was imported." in send(console, hook, take="1")
    send(console, hook, take="1", confirm_untrusted="on")
    assert Artifact.objects.get().type == "hook"


def test_what_cannot_be_imported_is_told_for_itself(console: Client, project: Project) -> None:
    gone = EntryFactory(name="gone", removed_at="2026-03-01T00:00:00Z")
    odd = EntryFactory(name="nul", source=gone.source)
    page = send(console, gone, odd)
    assert "Removed upstream" in page
    assert "reserved on some file system" in page
    assert 'value="skill-nul"' in page
    send(console, gone, odd, take="1", **{f"do-{odd.public_id}": "rename"})
    assert Artifact.objects.get().name == "skill-nul"


def test_entries_of_several_sources_go_into_one_collection(console: Client, project: Project) -> None:
    entries = EntryFactory.create_batch(3)  # each of a source of its own
    send(console, *entries, take="1")
    assert Collection.objects.get().artifacts.count() == 3


def test_beyond_what_is_asked_one_by_one_all_others_are_decided_at_once(
    console: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collections_app.admin.importing.ROWS_SHOWN", 1)
    collection, source = CollectionFactory(), SourceFactory(owner="bob")
    entries = [EntryFactory(name=name, source=source) for name in ("a", "b", "c")]
    for entry in entries:
        ArtifactFactory(name=entry.name, collection=collection)
    page = send(console, *entries, into=collection)
    assert "And the 2 others" in page
    send(console, *entries, into=collection, take="1", others="rename")
    assert collection.artifacts.count() == 6


def test_entries_of_two_projects_are_not_imported_together(console: Client, project: Project) -> None:
    other = EntryFactory(source=SourceFactory(project=ProjectFactory()))
    assert "all of one project" in select(console, EntryFactory(), other).content.decode()


def test_without_a_selection_there_is_nothing_to_import(console: Client, project: Project) -> None:
    page = console.get(reverse("admin:marketplace_entry_import"), follow=True).content.decode()
    assert "Select entries in the list first." in page
    assert "Import…</a>" not in page


def test_a_source_is_imported_by_type_and_confidence(console: Client, project: Project) -> None:
    source: Source = SourceFactory()
    wanted = EntryFactory(source=source, confidence=90)
    EntryFactory(source=source, confidence=20)
    EntryFactory(source=source, type="agent")
    EntryFactory(source=source, excluded_at="2026-03-01T00:00:00Z")
    page = reverse("admin:marketplace_source_import", args=[source.pk])
    assert 'name="min_confidence"' in console.get(page).content.decode()
    chosen = {"collection": "Default", "types": ["skill"], "min_confidence": "50"}
    assert "<b>1</b> new" in console.post(page, chosen).content.decode()
    console.post(page, {"entries": wanted.public_id, "collection": "Default", "take": "1"})
    assert Artifact.objects.get().name == wanted.name
    none = console.post(page, chosen | {"types": ["hook"]}, follow=True).content.decode()
    assert "No entry of this source is like that." in none


def test_the_page_of_an_entry_says_what_it_has_become(console: Client, project: Project) -> None:
    artifact = ArtifactFactory(name="mine")
    page = console.get(reverse("admin:marketplace_entry_change", args=[artifact.entry_id])).content.decode()
    assert reverse("admin:collections_app_artifact_change", args=[artifact.pk]) in page


def test_the_page_of_a_source_says_who_has_taken_something(console: Client, project: Project) -> None:
    artifact = ArtifactFactory()
    page = console.get(reverse("admin:marketplace_source_change", args=[artifact.source_id])).content.decode()
    assert reverse("admin:collections_app_collection_change", args=[artifact.collection_id]) in page
