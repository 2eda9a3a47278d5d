"""Imports and refreshes of one project at the same time, on connections of their own."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from collections_app.drift import Options
from collections_app.models import Collection, RefreshRun
from collections_app.operations import imports, refreshes
from collections_app.operations.imports import ImportConflicts
from collections_app.operations.refreshes import RefreshRunning
from marketplace.models import Entry
from skillmeat_site.accounts.models import User
from skillmeat_site.errors import DomainError
from tests.factories import ArtifactFactory, EntryFactory, SourceFactory
from tests.github.faults import Meanwhile
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.racing import together
from tests.scanning import FILES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def operator(on_disk: None) -> User:
    return User.objects.local_operator()


def importing(entry: Entry, by: User) -> Callable[[], object]:
    def act() -> None:
        imports.import_entries(
            source=entry.source,
            entry_ids=[entry.public_id],
            collection=None,
            wishes={},
            confirm_untrusted=False,
            by=by,
            at=timezone.now(),
        )

    return act


def test_the_default_collection_is_made_once(operator: User) -> None:
    source = SourceFactory()
    entries = EntryFactory.create_batch(4, source=source)
    assert together(*(importing(entry, operator) for entry in entries)) == [None] * 4
    assert Collection.objects.get().artifacts.count() == 4


def test_of_two_imports_of_one_name_the_second_is_a_conflict(operator: User) -> None:
    source = SourceFactory()
    entries = [
        EntryFactory(source=source, name="pdf", path=f"{n}", content_digest=f"sha256:{n}") for n in "12"
    ]
    errors = together(*(importing(entry, operator) for entry in entries))
    assert sorted(type(error) for error in errors if error) == [ImportConflicts]
    assert Collection.objects.get().artifacts.count() == 1


def test_of_two_refreshes_one_runs(operator: User, on_github: GitHub) -> None:
    """The second starts while GitHub is answering the first."""
    on_github.add(Repository("ada", "tools", FILES))
    artifact = ArtifactFactory(entry=None, origin_url=f"{on_github.web_url}/ada/tools")
    errors: list[DomainError | None] = []

    def refresh() -> None:
        refreshes.refresh(
            collection=Collection.objects.select_related("project").get(pk=artifact.collection_id),
            options=Options(),
            by=operator,
            at=timezone.now(),
        )

    on_github.fail("/commits/", Meanwhile(lambda: errors.extend(together(refresh))))
    refresh()
    assert [type(error) for error in errors] == [RefreshRunning]
    assert RefreshRun.objects.get().status == "success"
    refresh()
    assert RefreshRun.objects.count() == 2
