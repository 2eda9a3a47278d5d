"""What tests of collections start from: repositories on the loopback GitHub that were scanned and imported."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from collections_app.models import Artifact, Collection
from marketplace.models import Source
from marketplace.operations import scans, sources
from marketplace.operations.readers import locate
from skillmeat_site.accounts.models import Project
from skillmeat_site.jobs.models import Trigger
from tests.github.repositories import File, Repository
from tests.github.server import GitHub
from tests.scanning import FILES, Capture, Drain, fresh

AddSource = Callable[..., Source]
Import = Callable[..., Any]
Rescan = Callable[[Source], Source]


@pytest.fixture
def tools(on_github: GitHub) -> Repository:
    repository = Repository("ada", "tools", FILES)
    on_github.add(repository)
    return repository


@pytest.fixture
def add_source(
    project: Project, on_github: GitHub, drain: Drain, django_capture_on_commit_callbacks: Capture
) -> AddSource:
    """Makes a source of a repository on the loopback GitHub and scans it."""

    def add(name: str = "ada/tools", files: Mapping[str, File] | None = None, **values: Any) -> Source:
        if files is not None:
            on_github.add(Repository(*name.split("/"), files))
        new = sources.NewSource(location=locate(f"{on_github.web_url}/{name}"), **values)
        with django_capture_on_commit_callbacks(execute=True):
            source = sources.create(new=new, project=project, by=None, at=timezone.now())
        drain()
        on_github.requests.clear()
        return fresh(source)

    return add


@pytest.fixture
def source(tools: Repository, add_source: AddSource) -> Source:
    """ada/tools with the skills pdf and csv and the command deploy."""
    return add_source()


@pytest.fixture
def rescan(drain: Drain, on_github: GitHub, django_capture_on_commit_callbacks: Capture) -> Rescan:
    def run(source: Source) -> Source:
        with django_capture_on_commit_callbacks(execute=True):
            scans.request(source=source, by=None, at=timezone.now(), trigger=Trigger.COMMAND)
        drain()
        on_github.requests.clear()
        return fresh(source)

    return run


@pytest.fixture
def import_all(api: APIClient) -> Import:
    """Imports everything of a source through the API; what the API says."""

    def run(source: Source, *, only: str = "", **body: Any) -> Any:
        entries = source.entries.order_by("locator")
        chosen = entries.filter(name=only) if only else entries
        ids = {"entry_ids": [entry.public_id for entry in chosen]}
        return api.post(f"/api/v1/marketplace/sources/{source.public_id}/import", ids | body)

    return run


@pytest.fixture
def collection(source: Source, import_all: Import) -> Collection:
    """The default collection with everything of ada/tools."""
    assert import_all(source).status_code == 200
    return Collection.objects.get()


@pytest.fixture
def pdf(collection: Collection) -> Artifact:
    return collection.artifacts.get(name="pdf")
