"""Artifacts in the console: looking at files and differences, editing, copying, rolling back, deleting."""

import shutil
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from collections_app.models import Artifact
from skillmeat_site.accounts.models import Project
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, CollectionFactory, taken

DOCUMENT = b"---\nname: x\ndescription: y\n---\n# One\n\n<script>alert(1)</script> ![i](https://evil.example/i.png)\n"


def address(what: str, artifact: Artifact | None = None) -> str:
    return reverse(f"admin:collections_app_artifact_{what}", args=[artifact.pk] if artifact else [])


def shown(console: Client, what: str, artifact: Artifact, **query: Any) -> str:
    answer = console.get(address(what, artifact), query)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return page


@pytest.fixture
def run(project: Project) -> Artifact:
    """A skill with two versions."""
    artifact = ArtifactFactory(
        name="run", contents={"SKILL.md": DOCUMENT, "old.txt": b"old\n", "a.bin": b"\0"}
    )
    taken(artifact, {"SKILL.md": DOCUMENT.replace(b"# One", b"# Two"), "new.txt": b"a\xe2\x80\xaeb\n"})
    return artifact


def test_the_list_is_narrowed_to_what_has_an_update(console: Client, project: Project) -> None:
    ArtifactFactory(name="level")
    ArtifactFactory(name="behind", upstream_digest="sha256:other")
    page = console.get(address("changelist"), {"update": "yes"}).content.decode()
    assert "behind" in page
    assert "level" not in page


def test_a_page_of_the_list_costs_the_same_however_long_it_is(console: Client, project: Project) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert console.get(address("changelist")).status_code == 200
        return len(captured)

    ArtifactFactory()
    one = queries()
    ArtifactFactory.create_batch(20)
    assert queries() == one


def test_the_page_of_an_artifact_shows_versions_files_and_what_belongs_to_it(
    console: Client, run: Artifact
) -> None:
    Artifact.objects.filter(pk=run.pk).update(members=[{"type": "agent", "name": "helper", "path": "h.md"}])
    page = shown(console, "change", run)
    assert run.current.commit[:10] in page
    assert f"{address('differences', run)}?to=2" in page
    assert f"{address('rollback', run)}?version=1" in page
    assert f"{address('files', run)}?version=2&amp;path=new.txt" in page
    assert "helper" in page


def test_a_document_is_shown_and_nothing_in_it_runs_or_loads(console: Client, run: Artifact) -> None:
    page = shown(console, "files", run)
    assert "<h3>Two</h3>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img" not in page
    assert "<h3>One</h3>" in shown(console, "files", run, version=1)
    assert "# Two" in shown(console, "files", run, path="SKILL.md", source=1)
    policy = console.get(address("files", run))["Content-Security-Policy"]
    assert "script-src 'self'" in policy or "default-src 'self'" in policy


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"path": "new.txt"}, "a⟨U+202E⟩b"),
        ({"version": "1", "path": "a.bin"}, "These bytes are no text."),
    ],
)
def test_other_files_are_text_or_not_shown(
    console: Client, run: Artifact, query: dict[str, str], said: str
) -> None:
    assert said in shown(console, "files", run, **query)


@pytest.mark.parametrize(
    "query", [{"version": "9"}, {"version": "x"}, {"version": "9" * 30}, {"path": "../secret"}]
)
def test_what_is_not_there_is_not_found(console: Client, run: Artifact, query: dict[str, str]) -> None:
    assert console.get(address("files", run), query).status_code == 404


def test_content_that_is_lost_is_told(console: Client, run: Artifact, settings: Any) -> None:
    shutil.rmtree(settings.STORAGES["content"]["OPTIONS"]["location"])
    said = "cannot be read. Run"
    assert said in shown(console, "files", run)
    assert said in shown(console, "differences", run)


def test_two_versions_are_compared_with_a_sign_on_each_line(console: Client, run: Artifact) -> None:
    page = shown(console, "differences", run)
    assert '<del class="line">-# One</del>' in page
    assert '<ins class="line">+# Two</ins>' in page
    assert "<h3>+ <a" in page
    assert "<h3>- <a" in page
    back = shown(console, "differences", run, **{"from": "2", "to": "1"})
    assert '<ins class="line">+# One</ins>' in back
    assert "Their files are the same." in shown(console, "differences", run, **{"from": "1", "to": "1"})


def test_a_rollback_shows_what_it_would_change_first(console: Client, run: Artifact) -> None:
    assert "Which version" in shown(console, "rollback", run)
    assert '<ins class="line">+# One</ins>' in shown(console, "rollback", run, version=1)
    answer = console.post(f"{address('rollback', run)}?version=1")
    assert answer["Location"] == address("change", run)
    run.refresh_from_db()
    assert (run.current.number, run.current.reason) == (3, "rollback")
    assert (
        "Version 3 has the content" in console.post(f"{address('rollback', run)}?version=3").content.decode()
    )
    assert AuditEvent.objects.get().verb == "artifact.rolled_back"


def test_what_is_edited_is_kept_by_refreshes(console: Client, run: Artifact) -> None:
    assert 'value="run"' in shown(console, "edit", run)
    values = {"name": "run-it", "description": "Ours", "tags": "One, two,one"}
    assert console.post(address("edit", run), values).status_code == 302
    run.refresh_from_db()
    assert (run.name, run.description, run.tags) == ("run-it", "Ours", ["one", "two"])
    assert run.edited_fields == ["description", "name", "tags"]
    assert console.post(address("edit", run), values).status_code == 302
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "other"}, "has a skill"),
        ({"name": "a/b"}, "may not be a path"),
        ({"name": "run", "tags": "x" * 51}, "50 characters"),
        ({"name": ""}, "required"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field(
    console: Client, run: Artifact, values: dict[str, str], said: str
) -> None:
    ArtifactFactory(name="other", collection=run.collection)
    page = console.post(address("edit", run), values).content.decode()
    assert said in page
    assert 'class="errorlist"' in page


def test_a_copy_goes_to_another_collection_of_the_project(console: Client, run: Artifact) -> None:
    other = CollectionFactory(name="Other")
    assert ">Other</option>" in shown(console, "copy", run)
    assert console.post(address("copy", run), {"collection": str(other.pk)}).status_code == 302
    assert other.artifacts.get().name == "run"
    again = console.post(address("copy", run), {"collection": str(other.pk)})
    assert "has a skill" in again.content.decode()


def test_deleting_is_told_in_the_audit_trail(console: Client, run: Artifact) -> None:
    other = ArtifactFactory()
    console.post(address("delete", run), {"post": "yes"})
    form = {"action": "delete_selected", "_selected_action": [str(other.pk)], "post": "yes"}
    console.post(address("changelist"), form)
    assert not Artifact.objects.exists()
    assert list(AuditEvent.objects.values_list("verb", flat=True)) == ["artifact.deleted"] * 2
