"""A page of a list, and what is shown by itself, costs the same number of queries however much there is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from marketplace.content.store import ContentStore
from marketplace.models import Entry, Source
from marketplace.search import index
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs.models import Job, JobStatus
from tests.contract.test_matrix import FILE, OPERATIONS, is_list
from tests.factories import (
    LONG_AGO,
    SHA,
    EntryFactory,
    JobFactory,
    ManifestFactory,
    ProjectFactory,
    SourceFactory,
    UserFactory,
)

MANY = 100
AT_MOST = 6  # queries
API, MARKET = "/api/v1", "/api/v1/marketplace"
Add = Callable[[int], object]


def cost(api: APIClient, address: str, *, rows: int | None = None) -> int:
    """How many queries the answer took; the list has `rows` items."""
    with CaptureQueriesContext(connection) as captured:
        response = api.get(address)
    assert response.status_code == 200
    assert rows is None or len(response.json()["items"]) == rows
    return len(captured)


# --- Lists -----------------------------------------------------------------------------------------------


@pytest.fixture
def operator(api: APIClient) -> User:
    """The local operator; the request makes him, so that no request that is measured does."""
    api.get(f"{API}/me")
    return User.objects.local_operator()


@pytest.fixture
def source(operator: User) -> Source:
    """The one below whose address its artifacts and jobs are listed; it is not counted among sources."""
    return SourceFactory(owner="below", repo_name="below")


def add_sources(count: int) -> None:
    for source in SourceFactory.create_batch(count, tags=["a", "b"], counts_by_type={"skill": 1}):
        EntryFactory(source=source)
        JobFactory(source=source)


def add_entries(source: Source, count: int) -> None:
    parent = EntryFactory(source=source, type="plugin", excluded_at=LONG_AGO)
    EntryFactory.create_batch(count, source=source, tags=["a"], parent=parent, duplicate_of=parent)
    index.refresh(source, texts={}, at=LONG_AGO)


def add_jobs(source: Source, count: int) -> None:
    JobFactory.create_batch(count, source=source, status=JobStatus.SUCCEEDED, finished_at=LONG_AGO)


def add_members(count: int) -> None:
    for user in UserFactory.create_batch(count):
        Membership.objects.create(project=Project.objects.default(), user=user, role=Role.VIEWER)


def add_projects(operator: User, count: int) -> None:
    for project in ProjectFactory.create_batch(count):
        Membership.objects.create(project=project, user=operator, role=Role.ADMIN)


def add_tokens(operator: User, count: int) -> None:
    for _ in range(count):
        Token.objects.issue(user=operator, name=f"t{Token.objects.count()}", scope=TokenScope.READ)


def add_events(operator: User, source: Source, count: int) -> None:
    with transaction.atomic():
        for _ in range(count):
            record("source.changed", source, project=source.project, by=operator, at=LONG_AGO)


@pytest.fixture
def adders(operator: User, source: Source) -> dict[str, Add]:
    """What adds rows to each list of the schema."""
    return {
        f"{API}/audit-events": lambda count: add_events(operator, source, count),
        f"{API}/jobs": lambda count: add_jobs(source, count),
        f"{API}/projects": lambda count: add_projects(operator, count),
        f"{API}/projects/{{id}}/members": add_members,
        f"{API}/tokens": lambda count: add_tokens(operator, count),
        f"{MARKET}/search": lambda count: add_entries(source, count),
        f"{MARKET}/sources": add_sources,
        f"{MARKET}/sources/{{id}}/artifacts": lambda count: add_entries(source, count),
        f"{MARKET}/sources/{{id}}/jobs": lambda count: add_jobs(source, count),
    }


# Each list with queries under which all that is added is found.
LISTS: dict[str, tuple[str, ...]] = {
    f"{API}/audit-events": ("", "project=default", "verb=source.changed", "after=2020-01-01T00:00:00Z"),
    f"{API}/jobs": ("", "status=succeeded", "project=default", "kind=scan"),
    f"{API}/projects": ("",),
    f"{API}/projects/{{id}}/members": ("",),
    f"{API}/tokens": ("",),
    f"{MARKET}/search": ("q=skill", "q=skill&tags=a&type=skill&min_confidence=1&trust_level=basic"),
    f"{MARKET}/sources": (
        "",
        "project=default",
        "search=ada",
        "tags=a&tags=b",
        "artifact_type=skill",
        "scan_status=scanning",
    ),
    f"{MARKET}/sources/{{id}}/artifacts": ("", "type=skill&tags=a", "search=skill", "ordering=-name"),
    f"{MARKET}/sources/{{id}}/jobs": ("", "status=succeeded"),
}


def test_every_list_of_the_schema_is_measured() -> None:
    listed = {name for name, operation in OPERATIONS.items() if is_list(operation)}
    assert listed == {f"GET {address}" for address in LISTS}


@pytest.mark.parametrize(
    ("address", "query"), [(address, query) for address, queries in LISTS.items() for query in queries]
)
def test_a_page_of_one_costs_as_much_as_a_page_of_a_hundred(
    api: APIClient, adders: dict[str, Add], source: Source, address: str, query: str
) -> None:
    place = source.project.slug if "/projects/" in address else source.public_id
    asked = f"{address.format(id=place)}?{query}&limit="
    adders[address](1)
    costs = {cost(api, f"{asked}1", rows=1)}
    adders[address](MANY)
    costs |= {cost(api, f"{asked}{limit}", rows=limit) for limit in (1, MANY)}
    assert len(costs) == 1
    assert max(costs) <= AT_MOST


@pytest.mark.parametrize(
    "address", [address for address in LISTS if not address.endswith(("search", "artifacts"))]
)
def test_a_later_page_costs_one_query_more_at_most(
    api: APIClient, adders: dict[str, Add], source: Source, address: str
) -> None:
    adders[address](MANY)
    asked = address.format(id=source.project.slug if "/projects/" in address else source.public_id)
    first = cost(api, f"{asked}?limit=10")
    cursor = api.get(f"{asked}?limit=10").json()["page_info"]["end_cursor"]
    assert cost(api, f"{asked}?limit=10&cursor={cursor}", rows=10) <= first + 1


# --- Single resources ------------------------------------------------------------------------------------


def files(count: int) -> list[dict[str, Any]]:
    (digest,) = ContentStore(at=LONG_AGO).put([b"text"])
    file = {"kind": "file", "mode": "100644", "size": 4, "sha": SHA, "digest": digest}
    return [file | {"path": path} for path in [FILE, *map(str, range(count - 1))]]


def entry_with(source: Source, count: int) -> Entry:
    """An artifact with that many files, signals, findings and members."""
    entry: Entry = EntryFactory(
        source=source,
        type="plugin",
        tags=[f"t{number}" for number in range(count)],
        manifest=ManifestFactory(digest=f"{count:064}", files=files(count)),
        signals=[{"name": "a", "points": 1, "detail": "b"}] * count,
        findings=[{"code": "a", "severity": "warning", "detail": "b"}] * count,
    )
    EntryFactory.create_batch(count, source=source, parent=entry, duplicate_of=entry)
    return entry


def source_with(count: int) -> Source:
    source: Source = SourceFactory(tags=[f"t{number}" for number in range(count)])
    entry_with(source, count)
    add_jobs(source, count)
    return source


def job_with(source: Source, count: int) -> Job:
    job: Job = JobFactory(source=source, status=JobStatus.SUCCEEDED, finished_at=LONG_AGO)
    for seq in range(1, count + 1):
        job.events.create(seq=seq, at=LONG_AGO, phase="reading")
    return job


def project_with(operator: User, count: int) -> Project:
    project: Project = ProjectFactory()
    add_projects(operator, count)
    for user in [operator, *UserFactory.create_batch(count)]:
        Membership.objects.create(project=project, user=user, role=Role.ADMIN)
    SourceFactory.create_batch(count, project=project)
    return project


SINGLE = [
    "/jobs/{job}",
    "/jobs/{job}/events",
    "/marketplace/artifacts/{entry}",
    "/marketplace/artifacts/{entry}/files/{path}",
    "/marketplace/sources/{source}",
    "/me",
    "/projects/{project}",
]


def test_every_single_resource_of_the_schema_is_measured() -> None:
    read = [
        name for name, operation in OPERATIONS.items() if name.startswith("GET ") and not is_list(operation)
    ]
    assert len(read) == len(SINGLE)


@pytest.mark.parametrize("address", SINGLE)
def test_what_is_shown_by_itself_costs_the_same_with_one_and_with_fifty_children(
    api: APIClient, operator: User, address: str
) -> None:
    costs = set()
    for count in (1, 50):
        source = source_with(count)
        rows = {
            "source": source,
            "entry": entry_with(source, count),
            "job": job_with(source, count),
            "project": project_with(operator, count),
        }
        names = {name: row.public_id for name, row in rows.items()}
        costs.add(cost(api, API + address.format(**names, path=FILE)))
    assert len(costs) == 1
    assert max(costs) <= AT_MOST
