"""Audit events stand and fall with the change that they tell of; admins can read those of their projects."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from skillmeat_site import logs
from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs.models import Job
from tests.factories import ProjectFactory, SourceFactory, UserFactory

EVENTS = "/api/v1/audit-events"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


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


def test_the_request_that_adds_a_source_is_in_its_one_event(api: APIClient) -> None:
    response = api.post(
        "/api/v1/marketplace/sources",
        {"repo_url": "https://github.com/acme/tools"},
        headers={"X-Request-ID": "asked-by-test"},
    )
    assert response.status_code == 201
    event = AuditEvent.objects.get()
    assert (event.verb, event.request_id, event.actor) == ("source.created", "asked-by-test", "local")
    assert event.facts["job"] == Job.objects.get().public_id


# --- Who reads what --------------------------------------------------------------------------------


@pytest.fixture
def told(project: Project) -> dict[str, AuditEvent]:
    """Three events, a minute apart: in the default project, in another one, and in none."""
    ada, other = UserFactory(username="ada"), ProjectFactory(slug="other")
    source = SourceFactory(project=project)
    with logs.bound(request_id="r-1"):
        here = record("source.created", source, project=project, by=ada, at=NOON, url="https://x")
    there = record("project.created", other, project=other, by=ada, at=NOON + MINUTE)
    nowhere = record("user.created", ada, project=None, by=None, at=NOON + 2 * MINUTE)
    return {"here": here, "there": there, "nowhere": nowhere}


def listed(client: APIClient, **query: str) -> list[str]:
    response = client.get(EVENTS, query)
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


@pytest.mark.usefixtures("multi_user")
class TestReaders:
    def test_an_admin_reads_what_was_done_in_his_projects(
        self, member: Callable[..., User], client_of: Callable[..., APIClient], told: dict[str, AuditEvent]
    ) -> None:
        user = member(Role.ADMIN)
        assert listed(client_of(user)) == [told["here"].public_id]
        other = Project.objects.get(slug="other")
        membership = Membership.objects.create(user=user, project=other, role=Role.EDITOR)
        assert listed(client_of(user)) == [told["here"].public_id]
        membership.role = Role.ADMIN
        membership.save()
        assert listed(client_of(user)) == [told["there"].public_id, told["here"].public_id]

    def test_filters_lead_no_admin_out_of_his_projects(
        self, member: Callable[..., User], client_of: Callable[..., APIClient], told: dict[str, AuditEvent]
    ) -> None:
        client = client_of(member(Role.ADMIN))
        assert listed(client, project="other") == []
        assert listed(client, object=Project.objects.get(slug="other").public_id) == []
        assert listed(client, verb="user.created") == []

    def test_a_superuser_reads_everything(
        self, member: Callable[..., User], client_of: Callable[..., APIClient], told: dict[str, AuditEvent]
    ) -> None:
        client = client_of(member(None, is_superuser=True))
        assert listed(client) == [told[name].public_id for name in ("nowhere", "there", "here")]

    def test_events_of_a_project_that_is_gone_are_found_by_its_slug_and_id(
        self, member: Callable[..., User], client_of: Callable[..., APIClient], told: dict[str, AuditEvent]
    ) -> None:
        client = client_of(member(None, is_superuser=True))
        other = Project.objects.get(slug="other")
        name = other.public_id
        other.delete()
        assert listed(client, project="other") == listed(client, project=name) == [told["there"].public_id]


def test_an_event_is_shown_with_everything_that_is_known(api: APIClient, told: dict[str, AuditEvent]) -> None:
    api.get("/api/v1/me")
    source = SourceFactory._meta.model.objects.get()
    assert api.get(EVENTS).json()["items"] == [
        {
            "id": told["here"].public_id,
            "at": "2026-05-01T12:00:00Z",
            "actor": "ada",
            "verb": "source.created",
            "object": {"kind": "source", "id": source.public_id, "label": str(source)},
            "project": "default",
            "request_id": "r-1",
            "facts": {"url": "https://x"},
        }
    ]


def test_what_has_no_id_outside_and_nobody_for_an_actor_is_shown_as_null(
    api: APIClient, project: Project, now: datetime
) -> None:
    membership = Membership.objects.create(project=project, user=UserFactory(), role=Role.VIEWER)
    record("membership.created", membership, project=project, by=None, at=now)
    (item,) = api.get(EVENTS).json()["items"]
    assert (item["actor"], item["request_id"]) == (None, None)
    assert (item["object"]["kind"], item["object"]["id"]) == ("membership", None)


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"project": "default"}, ["here"]),
        ({"verb": "project.created"}, ["there"]),
        ({"verb": "project"}, []),
        ({"actor": "ada"}, ["there", "here"]),
        ({"request_id": "r-1"}, ["here"]),
        ({"after": "2026-05-01T12:00:00Z"}, ["nowhere", "there"]),
        ({"before": "2026-05-01T14:01:00+02:00"}, ["here"]),
        ({"after": "2026-05-01T12:00:00Z", "before": "2026-05-01T12:02:00Z"}, ["there"]),
        ({"actor": "ada", "project": "other"}, ["there"]),
    ],
    ids=str,
)
def test_events_are_filtered(
    member: Callable[..., User],
    client_of: Callable[..., APIClient],
    told: dict[str, AuditEvent],
    query: dict[str, str],
    found: list[str],
) -> None:
    client = client_of(member(None, is_superuser=True))
    assert listed(client, **query) == [told[name].public_id for name in found]
    assert client.get(EVENTS, query).json()["page_info"]["total_count"] == len(found)


@pytest.mark.usefixtures("multi_user")
def test_events_are_found_by_what_they_are_about(
    member: Callable[..., User], client_of: Callable[..., APIClient], told: dict[str, AuditEvent]
) -> None:
    client = client_of(member(None, is_superuser=True))
    for row in (Project.objects.get(slug="other"), User.objects.get(username="ada")):
        (item,) = client.get(EVENTS, {"object": row.public_id}).json()["items"]
        assert item["object"]["id"] == row.public_id


@pytest.mark.parametrize(
    "query",
    [
        {"object": "nothing"},
        {"object": "src_1"},
        {"object": "xyz_00000000000000000000000000"},
        {"after": "yesterday"},
        {"before": "2026-05-01"},
        {"after": ""},
        {"after": "100%"},
        {"unknown": "1"},
        {"cursor": "src_1"},
    ],
    ids=str,
)
def test_a_filter_that_makes_no_sense_is_named(api: APIClient, query: dict[str, Any]) -> None:
    response = api.get(EVENTS, query)
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{next(iter(query))}"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_events_are_only_to_be_read(api: APIClient, method: str) -> None:
    assert getattr(api, method)(EVENTS).status_code == 405
