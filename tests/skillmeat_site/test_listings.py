"""Lists: compiled once for what is asked, and never for who asks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from marketplace.api.serializers import SourceSerializer
from marketplace.models import Source
from skillmeat_site.accounts.models import Membership, Role, User
from skillmeat_site.api import listings
from skillmeat_site.api.listings import Listing
from skillmeat_site.api.shapes import shape_of
from tests.factories import ProjectFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db
SOURCES = "/api/v1/marketplace/sources"


@pytest.fixture(autouse=True)
def nothing_asked_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_kept", {})


def newest(name: str = "all", **values: Any) -> Listing:
    rows = Source.objects.filter(**values)
    return Listing(shape_of(SourceSerializer), name, lambda: rows).order_by("-id")


def ids(shown: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in shown]


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize("query", ["", "?search=tools", "?tags=a&limit=1", "?trust_level=basic"])
def test_the_same_question_of_several_people_has_an_answer_for_each(
    client_of: Callable[[User], APIClient], query: str
) -> None:
    first, second = ProjectFactory.create_batch(2)
    theirs = {project: SourceFactory(project=project, tags=["a"]).public_id for project in (first, second)}
    for projects in ([first], [second], [], [first, second], [second], [first]):
        user = UserFactory()
        for project in projects:
            Membership.objects.create(user=user, project=project, role=Role.VIEWER)
        limit = 1 if "limit" in query else 50
        page = client_of(user).get(SOURCES + query).json()
        expected = sorted((theirs[project] for project in projects), reverse=True)
        assert [item["id"] for item in page["items"]] == expected[:limit]
        assert page["page_info"]["total_count"] == (len(projects) if query else None)
    everything = client_of(UserFactory(is_superuser=True)).get(SOURCES).json()
    assert {item["id"] for item in everything["items"]} == set(theirs.values())


@pytest.mark.usefixtures("multi_user")
@pytest.mark.parametrize("projects", [0, 1, 3])
def test_a_page_takes_two_queries_whoever_asks(client_of: Callable[[User], APIClient], projects: int) -> None:
    user = UserFactory()
    for project in ProjectFactory.create_batch(projects):
        Membership.objects.create(user=user, project=project, role=Role.VIEWER)
        SourceFactory(project=project)
    client = client_of(user)
    client.get(SOURCES)  # which notes the token's use
    with CaptureQueriesContext(connection) as queries:
        page = client.get(SOURCES).json()
    assert len(page["items"]) == projects
    assert len(queries) == (2 if projects else 1)  # without any it is known that there is nothing


def test_they_are_those_of_the_queryset_in_its_parts() -> None:
    sources = SourceFactory.create_batch(4, owner="a")
    made = [source.pk for source in sources]
    SourceFactory(owner="b")
    asked = newest(owner="a")
    newest_first = [source.public_id for source in reversed(sources)]
    assert (asked.count(), ids(asked[:2]), ids(asked[1:3])) == (4, newest_first[:2], newest_first[1:3])
    assert ids(asked.order_by("id")[1:3]) == newest_first[2:0:-1]
    assert ids(asked.filter(id__lt=made[2])[:9]) == newest_first[2:]
    assert asked.filter(id__gte=made[2]).exists()
    assert not asked.filter(id__gt=made[3]).exists()
    assert asked.filter(id__in=made[:3], project=ProjectFactory().pk).count() == 0
    assert (asked.filter(id__in=[]).count(), asked.filter(id__in=[])[:9]) == (0, [])


def test_a_question_is_made_once_whatever_the_keys() -> None:
    made = SourceFactory.create_batch(2)
    asked: list[None] = []

    def rows() -> Any:
        asked.append(None)
        return Source.objects.all()

    for source in made * 2:
        page = Listing(shape_of(SourceSerializer), "of one", rows).filter(pk=source.pk)
        with CaptureQueriesContext(connection) as queries:
            assert (page.count(), len(page[:9])) == (1, 1)
        assert len(queries) == 2
    assert len(asked) == 2  # to be counted, and to be listed


def test_questions_are_forgotten_before_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "KEPT", 3)
    source = SourceFactory()
    for number in range(10):
        assert newest(f"question {number}", pk=source.pk).count() == 1
        assert len(listings._kept) <= 3
