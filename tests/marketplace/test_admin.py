"""The console: every page opens, and its actions do what the API does."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Entry, Source
from skillmeat_site.accounts.models import Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.models import Job, JobEvent, Worker
from tests.factories import ArtifactFactory, EntryFactory, JobFactory, RefreshRunFactory, SourceFactory

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture
def rows(operator: User) -> None:
    """A row or more of everything."""
    now = timezone.now()
    source = SourceFactory(last_error="GitHub answered 502.", outcome="error", tags=["docs"])
    EntryFactory(source=source, parent=EntryFactory(source=source, type="plugin"))
    jobs.cancel(JobFactory(source=source, started_by=operator), by=operator, at=now)
    JobFactory(source=source, status="running", done=1, total=3, phase="reading files")
    Token.objects.issue(user=operator, name="ci", scope=TokenScope.READ)
    RefreshRunFactory(collection=ArtifactFactory().collection)
    Worker.objects.create(host="here", pid=1, started_at=now, seen_at=now)
    assert AuditEvent.objects.exists()
    assert JobEvent.objects.exists()


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def notices(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_the_home_page_opens(console: Client, rows: None) -> None:
    assert console.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_list_opens(console: Client, rows: None, model: type[Model]) -> None:
    assert console.get(address(model, "changelist")).status_code == 200


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if admin.site._registry[model].search_fields],
    ids=lambda model: model._meta.label,
)
def test_every_list_can_be_searched(console: Client, rows: None, model: type[Model]) -> None:
    assert console.get(address(model, "changelist"), {"q": "ada"}).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_row_opens(console: Client, rows: None, model: type[Model]) -> None:
    opened = [console.get(address(model, "change", row.pk)) for row in model._default_manager.all()]
    assert {answer.status_code for answer in opened} <= {200}


@pytest.mark.parametrize("model", [Entry, Job, Worker, AuditEvent])
def test_what_the_machine_writes_cannot_be_added(console: Client, model: type[Model]) -> None:
    assert console.get(address(model, "add")).status_code == 403


def test_a_sources_page_does_not_show_its_token(console: Client) -> None:
    source = SourceFactory(access_token="sealed-token")
    assert b"sealed-token" not in console.get(address(Source, "change", source.pk)).content


@pytest.mark.parametrize(("action", "force"), [("rescan", False), ("force_rescan", True)])
def test_the_rescan_action_queues_scans_and_tells_of_conflicts(
    console: Client,
    operator: User,
    action: str,
    force: bool,  # noqa: FBT001, RUF100
) -> None:
    free, busy = SourceFactory.create_batch(2)
    live = JobFactory(source=busy)
    chosen = {"action": action, "_selected_action": [str(free.pk), str(busy.pk)]}
    answer = console.post(address(Source, "changelist"), chosen)
    job = Job.objects.exclude(pk=live.pk).get()
    assert (job.subject_id, job.force, job.started_by) == (free.pk, force, operator)
    told = notices(answer)
    assert len(told) == 2
    assert any(str(free) in text and "queued" in text for text in told)
    assert any(str(busy) in text and "already" in text for text in told)


def test_deleting_a_source_cancels_its_scan(console: Client) -> None:
    job = JobFactory()
    console.post(address(Source, "delete", job.subject_id), {"post": "yes"})
    job.refresh_from_db()
    assert (Source.objects.count(), job.status) == (0, "cancelled")


def test_a_source_is_deleted_with_its_catalogue(console: Client) -> None:
    entry = EntryFactory()
    answer = console.post(address(Source, "delete", entry.source_id), {"post": "yes"})
    assert (answer.status_code, Source.objects.count(), Entry.objects.count()) == (302, 0, 0)


def test_deleting_selected_sources_cancels_their_scans(console: Client) -> None:
    job = JobFactory()
    chosen = {"action": "delete_selected", "_selected_action": [str(job.subject_id)], "post": "yes"}
    console.post(address(Source, "changelist"), chosen)
    job.refresh_from_db()
    assert (Source.objects.count(), job.status) == (0, "cancelled")


def test_a_missing_worker_is_told_on_every_page(console: Client) -> None:
    assert b"manage.py worker" in console.get(reverse("admin:index")).content
    assert b"manage.py worker" in console.get(address(Source, "changelist")).content


def test_nothing_is_told_while_a_worker_is_alive(console: Client, rows: None) -> None:
    assert b"manage.py worker" not in console.get(reverse("admin:index")).content


def test_strangers_see_the_login_only(db: None) -> None:
    answer = Client().get(reverse("admin:index"))
    assert answer.status_code == 302
    assert "login" in answer["Location"]
