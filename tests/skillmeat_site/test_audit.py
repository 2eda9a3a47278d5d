"""Audit events stand and fall with the change that they tell of."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from skillmeat_site import logs
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_of_a_transaction_is_refused(now: datetime) -> None:
    project = Project.objects.default()
    with pytest.raises(RuntimeError, match="outside"):
        record("project.changed", project, project=project, by=None, at=now)
    assert not AuditEvent.objects.exists()


@transaction.atomic
def rename(project: Project, *, slug: str, at: datetime) -> None:
    """A change as the operations make it."""
    record("project.renamed", project, project=project, by=None, at=at)
    Project.objects.filter(pk=project.pk).update(slug=slug)


@pytest.mark.django_db(transaction=True)
def test_a_change_that_fails_leaves_no_event(now: datetime) -> None:
    project, other = Project.objects.default(), Project.objects.create(slug="other", name="Other")
    with pytest.raises(IntegrityError):
        rename(project, slug=other.slug, at=now)
    assert not AuditEvent.objects.exists()


@transaction.atomic
def rename_then_tell(project: Project, *, slug: str, at: datetime, fact: object) -> None:
    Project.objects.filter(pk=project.pk).update(slug=slug)
    record("project.renamed", project, project=project, by=None, at=at, fact=fact)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_cannot_be_written_undoes_the_change(now: datetime) -> None:
    project = Project.objects.default()
    with pytest.raises(TypeError):
        rename_then_tell(project, slug="renamed", at=now, fact=object())
    project.refresh_from_db()
    assert project.slug == "default"
    rename_then_tell(project, slug="renamed", at=now, fact="can be written")
    assert AuditEvent.objects.count() == Project.objects.filter(slug="renamed").count() == 1


def test_an_event_says_who_did_what_when_and_in_which_request(project: Project, now: datetime) -> None:
    user = User.objects.create_user("ada")
    with logs.bound(request_id="r-1"):
        event = record("project.changed", project, project=project, by=user, at=now, name="new", when=now)
    event.refresh_from_db()
    assert (event.verb, event.actor, event.actor_id, event.at) == ("project.changed", "ada", user.pk, now)
    assert (event.object_kind, event.object_id, event.object_label) == ("project", project.pk, "default")
    assert (event.project, event.project_id, event.request_id) == ("default", project.pk, "r-1")
    assert event.facts["name"] == "new"


def test_what_the_system_does_by_itself_has_no_actor(project: Project, now: datetime) -> None:
    event = record("project.changed", project, project=None, by=None, at=now)
    assert (event.actor, event.actor_id, event.project, event.project_id) == ("", None, "", None)
    assert str(event) == "system project.changed default"


def test_events_outlive_what_they_speak_of(now: datetime, db: None) -> None:
    user, project = User.objects.create_user("ada"), Project.objects.create(slug="gone", name="Gone")
    event = record("project.deleted", project, project=project, by=user, at=now)
    project.delete()
    user.delete()
    event.refresh_from_db()
    assert (event.actor, event.object_label) == ("ada", "gone")


def test_the_request_that_adds_a_source_is_in_its_events(api: APIClient) -> None:
    response = api.post(
        "/api/v1/marketplace/sources",
        {"repo_url": "https://github.com/acme/tools"},
        headers={"X-Request-ID": "asked-by-test"},
    )
    assert response.status_code == 201
    events = AuditEvent.objects.values_list("verb", "request_id", "actor")
    assert sorted(events) == [
        ("scan.requested", "asked-by-test", "local"),
        ("source.created", "asked-by-test", "local"),
    ]
