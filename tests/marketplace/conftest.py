"""What several files of this folder look with: the database as it is, and a repository that is scanned."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.models import Source
from marketplace.operations import scans, sources
from marketplace.operations.readers import locate
from skillmeat_site.accounts.models import Project
from skillmeat_site.jobs.models import Job, Trigger
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import FILES, Capture, Create, Drain, Scan, fresh

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def all_rows(db: None) -> Callable[[], Tables]:
    """Reads every column of every row of every table, through a cursor and not through models."""

    def read() -> Tables:
        found: Tables = {}
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                found[table] = sorted(rows, key=repr)
        return found

    return read


@pytest.fixture
def tools(on_github: GitHub) -> Repository:
    repository = Repository("ada", "tools", FILES, description="Useful things", topics=("claude",))
    on_github.add(repository)
    return repository


@pytest.fixture
def create(
    project: Project, on_github: GitHub, drain: Drain, django_capture_on_commit_callbacks: Capture
) -> Create:
    """Makes a source of ada/tools, scans it, and forgets what was asked of GitHub for that."""

    def make(**values: Any) -> Source:
        new = sources.NewSource(location=locate(f"{on_github.web_url}/ada/tools"), **values)
        with django_capture_on_commit_callbacks(execute=True):
            source = sources.create(new=new, project=project, by=None, at=timezone.now())
        on_github.requests.clear()
        drain()
        return fresh(source)

    return make


@pytest.fixture
def source(tools: Repository, create: Create) -> Source:
    return create()


@pytest.fixture
def scan(on_github: GitHub, drain: Drain, django_capture_on_commit_callbacks: Capture) -> Scan:
    """Asks for a scan, carries it out, and gives its job; GitHub's requests are those of this scan."""

    def run(source: Source, *, force: bool = False) -> Job:
        on_github.requests.clear()
        with django_capture_on_commit_callbacks(execute=True):
            job = scans.request(
                source=source, by=None, at=timezone.now(), trigger=Trigger.MANUAL, force=force
            )
        drain()
        job.refresh_from_db()
        return job

    return run
