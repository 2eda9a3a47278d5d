"""Collections and their refreshes in the console."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from collections_app.models import Artifact, Collection, RefreshRun
from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs.models import Job
from tests.factories import ArtifactFactory, CollectionFactory, ProjectFactory, RefreshRunFactory
from tests.github.repositories import Repository
from tests.scanning import Drain, skill

NEW_PDF = {"skills/pdf/SKILL.md": b"---\nname: pdf\ndescription: <b>Newer.</b>\n---\nRead it.\n"}


def address(what: str, collection: Collection | None = None) -> str:
    return reverse(f"admin:collections_app_collection_{what}", args=[collection.pk] if collection else [])


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


def test_the_list_says_what_a_collection_has_and_what_is_new_upstream(
    console: Client, project: Project
) -> None:
    current = ArtifactFactory()
    ArtifactFactory(collection=current.collection, upstream_digest="sha256:other")
    RefreshRunFactory(collection=current.collection, status="partial")
    page = console.get(address("changelist")).content.decode()
    assert f'?collection__id__exact={current.collection_id}">2</a>' in page
    assert f"?collection__id__exact={current.collection_id}&amp;update=yes" in page
    assert "partial</span>" in page


def test_a_page_of_the_list_costs_the_same_however_long_it_is(console: Client, project: Project) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert console.get(address("changelist")).status_code == 200
        return len(captured)

    ArtifactFactory()
    one = queries()
    ArtifactFactory.create_batch(20)
    assert queries() == one


def test_the_page_of_a_collection_shows_artifacts_and_refreshes(console: Client, project: Project) -> None:
    run = RefreshRunFactory(collection=ArtifactFactory(name="pdf").collection)
    page = console.get(address("change", run.collection)).content.decode()
    assert ">pdf</a>" in page
    assert reverse("admin:collections_app_refreshrun_change", args=[run.pk]) in page


def test_a_collection_is_made_changed_and_deleted_as_by_the_api(console: Client, project: Project) -> None:
    values = {"project": "default", "name": "Tools", "description": "", "refresh_interval": ""}
    console.post(address("new"), values)
    collection = Collection.objects.get()
    edited = {"name": "Tools", "description": "What we use", "refresh_interval": "3600"}
    assert console.post(address("edit", collection), edited).status_code == 302
    collection.refresh_from_db()
    assert (collection.description, collection.refresh_interval) == ("What we use", 3600)
    assert collection.next_refresh_at
    console.post(address("delete", collection), {"post": "yes"})
    assert not Collection.objects.exists()
    event = AuditEvent.objects.get(verb="collection.changed")
    assert event.facts["fields"] == ["description", "refresh_interval"]
    assert verbs() == ["collection.created", "collection.changed", "collection.deleted"]


def test_a_collection_goes_with_its_artifacts_and_one_action_takes_several(
    console: Client, project: Project
) -> None:
    chosen = [str(ArtifactFactory().collection_id), str(CollectionFactory().pk)]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    console.post(address("changelist"), form)
    assert not Artifact.objects.exists()
    assert verbs() == ["collection.deleted", "collection.deleted"]


def test_a_name_that_is_taken_is_told_beside_the_field(console: Client, project: Project) -> None:
    CollectionFactory(name="Tools")
    other = CollectionFactory(name="Other")
    answer = console.post(address("edit", other), {"name": "Tools"})
    assert "has a collection &#x27;Tools&#x27;" in answer.content.decode()
    answer = console.post(address("edit", other), {"name": "x" * 201})
    assert 'class="errorlist"' in answer.content.decode()
    assert verbs() == []


def test_what_is_new_upstream_is_seen_before_it_is_taken_over(
    console: Client, collection: Collection, tools: Repository
) -> None:
    tools.commit(NEW_PDF)
    page = address("refresh", collection)
    seen = console.post(page, {"type": "", "name_pattern": ""})
    shown = console.get(seen["Location"]).content.decode()
    assert "new content" in shown
    assert "refreshed</span>" not in shown
    assert "&lt;b&gt;Newer.&lt;/b&gt;" in shown
    assert "<b>2</b>" in shown  # unchanged
    pdf = collection.artifacts.get(name="pdf")
    assert (pdf.versions.count(), pdf.description) == (1, "Use it when pdf is needed.")
    done = console.post(seen["Location"], {"mode": "sync"})
    run = RefreshRun.objects.first()
    assert run
    assert done["Location"] == reverse("admin:collections_app_refreshrun_change", args=[run.pk])
    assert pdf.versions.count() == 2
    assert ">pdf</a>" in console.get(done["Location"]).content.decode()


def test_only_what_was_looked_at_is_taken_over(
    console: Client, collection: Collection, tools: Repository
) -> None:
    tools.commit(NEW_PDF | {"skills/csv/SKILL.md": skill("csv", "New.")})
    seen = console.post(address("refresh", collection), {"type": "", "name_pattern": "p*"})
    console.post(seen["Location"], {"mode": "sync"})
    assert {each.name: each.versions.count() for each in collection.artifacts.all()} == {
        "pdf": 2,
        "csv": 1,
        "deploy": 1,
    }


def test_a_worker_can_take_it_over(
    console: Client,
    collection: Collection,
    tools: Repository,
    drain: Drain,
    django_capture_on_commit_callbacks: Any,
) -> None:
    tools.commit(NEW_PDF)
    seen = console.post(address("refresh", collection), {})
    with django_capture_on_commit_callbacks(execute=True):
        answer = console.post(seen["Location"], {"mode": "sync", "later": "1"})
    job = Job.objects.get(kind="refresh")
    assert answer["Location"] == reverse("admin:jobs_job_change", args=[job.pk])
    drain()
    assert collection.artifacts.get(name="pdf").versions.count() == 2


def test_a_refresh_that_runs_already_is_told(console: Client, project: Project) -> None:
    running = RefreshRunFactory(status="", finished_at=None, alive_until="2100-01-01T00:00:00Z")
    answer = console.post(address("refresh", running.collection), {})
    assert "is being refreshed since" in answer.content.decode()


@pytest.mark.parametrize("look", ["odd", "0197a2b0-0000-7000-8000-000000000000"])
def test_a_look_that_never_was_is_not_found(console: Client, project: Project, look: str) -> None:
    page = address("refresh", CollectionFactory())
    assert console.get(page, {"look": look}).status_code == 404


def test_each_selected_collection_is_queued_for_itself(console: Client, project: Project) -> None:
    busy = RefreshRunFactory(status="", finished_at=None, alive_until="2100-01-01T00:00:00Z").collection
    free = CollectionFactory(name="Free")
    form = {"action": "queue_refresh", "_selected_action": [str(busy.pk), str(free.pk)]}
    page = console.post(address("changelist"), form, follow=True).content.decode()
    assert "Refresh queued: Free." in page
    assert "is being refreshed since" in page
    assert Job.objects.get().subject_id == free.pk


def test_a_person_with_a_weaker_role_looks_and_changes_nothing(
    member: Callable[..., User], project: Project
) -> None:
    viewer = member(Role.VIEWER, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(content_type__app_label="collections_app"))
    client = Client()
    client.force_login(viewer)
    collection, hidden = CollectionFactory(), CollectionFactory(project=ProjectFactory())
    assert client.get(address("change", collection)).status_code == 200
    assert client.get(address("edit", collection)).status_code == 403
    assert client.post(address("refresh", collection)).status_code == 403
    assert client.post(address("delete", collection), {"post": "yes"}).status_code == 403
    assert client.get(address("change", hidden)).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [str(collection.pk)], "post": "yes"}
    assert client.post(address("changelist"), chosen).status_code in {302, 403}
    assert Collection.objects.count() == 2


def test_the_history_of_a_collection_is_its_audit_trail(console: Client, project: Project) -> None:
    console.post(address("new"), {"project": "default", "name": "Tools"})
    page = console.get(address("history", Collection.objects.get()), follow=True)
    assert "collection.created" in page.content.decode()
