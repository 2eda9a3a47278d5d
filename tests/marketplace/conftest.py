"""What several files of this folder look with: the database as it is, and a repository that is scanned."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from moto.server import ThreadedMotoServer

from marketplace.content.storage import content_storage
from marketplace.models import Source
from marketplace.operations import scans, sources
from marketplace.operations.readers import locate
from skillmeat_site import configuration
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


@pytest.fixture(scope="session")
def object_server() -> Iterator[str]:
    """The address of a server that speaks S3."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def objects(object_server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Contents are kept in a new bucket of that server; the client with which the storage asks it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up-secret")
    bucket = f"bucket-{uuid4().hex}"
    monkeypatch.setenv(
        "SKILLMEAT_CONTENT_URL", f"s3://{bucket}/below/here?endpoint={object_server}&region=us-east-1"
    )
    content = configuration.content("SKILLMEAT_CONTENT_URL", settings.SKILLMEAT_DATA_DIR)
    settings.STORAGES = settings.STORAGES | {"content": content}
    client = content_storage().client  # type: ignore[attr-defined]
    client.create_bucket(Bucket=bucket)
    return client


@pytest.fixture
def asked_of_objects(objects: Any) -> list[str]:
    """Fills with the names of the operations that the object server is asked for."""
    asked: list[str] = []

    def remember(params: Any, model: Any, **_: Any) -> None:
        asked.append(model.name)

    objects.meta.events.register("before-call.s3", remember)
    return asked
