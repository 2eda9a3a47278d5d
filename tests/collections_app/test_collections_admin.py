"""Collections in the console."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from collections_app.models import Artifact, Collection
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import ArtifactFactory, CollectionFactory


@pytest.fixture
def console(member: Callable[..., User]) -> Client:
    client = Client()
    client.force_login(member(Role.ADMIN, is_staff=True, is_superuser=True))
    return client


def test_an_artifacts_page_shows_its_versions(console: Client) -> None:
    artifact = ArtifactFactory()
    page = console.get(reverse("admin:collections_app_artifact_change", args=[artifact.pk]))
    assert artifact.current.commit.encode() in page.content


def test_a_collection_is_changed_and_deleted_as_by_the_api(console: Client) -> None:
    collection = ArtifactFactory().collection
    values = {"description": "What we use", "refresh_interval": "900"}
    page = reverse("admin:collections_app_collection_change", args=[collection.pk])
    assert console.post(page, values).status_code == 302
    collection.refresh_from_db()
    assert (collection.description, collection.refresh_interval) == ("What we use", 900)
    assert collection.next_refresh_at
    other = CollectionFactory()
    console.post(reverse("admin:collections_app_collection_delete", args=[other.pk]), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [str(collection.pk)], "post": "yes"}
    console.post(reverse("admin:collections_app_collection_changelist"), chosen)
    assert not Collection.objects.exists()
    assert not Artifact.objects.exists()
    verbs = list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["collection.changed", "collection.deleted", "collection.deleted"]
