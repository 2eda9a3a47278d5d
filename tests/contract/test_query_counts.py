"""A page of a list, and what is shown by itself, costs the same number of queries however much there is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from collections_app.models import Artifact, Collection, Group
from deployment_sets.models import DeploymentSet
from marketplace.content.store import ContentStore
from marketplace.models import Entry, Source
from marketplace.search import index
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs.models import Job, JobStatus
from tests.contract.schema import LISTS as LISTED, READ
from tests.contract.world import FILE
from tests.factories import (
    LONG_AGO,
    SHA,
    ArtifactFactory,
    CollectionFactory,
    DeploymentFactory,
    DeploymentSetFactory,
    EntryFactory,
    GroupFactory,
    JobFactory,
    ManifestFactory,
    ProjectFactory,
    RefreshRunFactory,
    SourceFactory,
    UserFactory,
    taken,
)

MANY = 100
PAGE = 10
AT_MOST = 6  # queries
OF_SETS = 11  # what sets hold is counted level by level, for a whole page at once
API, MARKET = "/api/v1", "/api/v1/marketplace"
Add = Callable[[int], object]


def cost(api: APIClient, address: str, *, rows: int | None = None) -> int:
    """How many queries the answer took; the list has `rows` items."""
    with CaptureQueriesContext(connection) as captured:
        response = api.get(address)
    response.getvalue()  # what is streamed is closed when it was read
    assert response.status_code == 200
    assert rows is None or len(response.json()["items"]) == rows
    return len(captured)


def assert_steady(costs: Mapping[str, set[int]], *, at_most: int) -> None:
    """What was asked cost as many queries each time, and no more than that."""
    assert {asked: found for asked, found in costs.items() if len(found) > 1 or max(found) > at_most} == {}


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


def add_artifacts(collection: Collection, count: int) -> None:
    entries = EntryFactory.create_batch(count)
    for entry in entries:
        ArtifactFactory(collection=collection, entry=entry)


def add_collections(count: int) -> None:
    for collection in CollectionFactory.create_batch(count):
        ArtifactFactory(collection=collection)


def add_groups(artifact: Artifact, count: int) -> None:
    GroupFactory.create_batch(count, collection=artifact.collection, artifacts=[artifact])


def add_versions(artifact: Artifact, count: int) -> None:
    for _ in range(count):
        taken(artifact, {FILE: f"{artifact.versions.count()}".encode()})


def add_sets(artifact: Artifact, group: Group, count: int) -> None:
    DeploymentSetFactory.create_batch(count, tags=["a"], holding=[artifact, group])


def add_set_members(outer: DeploymentSet, count: int) -> None:
    for inner in DeploymentSetFactory.create_batch(count):
        position = outer.members.count()
        outer.members.create(member_set=inner, position=position, created_at=LONG_AGO)


def add_runs(collection: Collection, count: int) -> None:
    RefreshRunFactory.create_batch(count, collection=collection)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The rows below whose addresses lists stand."""

    source: Source
    project: Project
    collection: Collection
    artifact: Artifact
    outer: DeploymentSet

    def address(self, listed: str) -> str:
        name = {
            "projects": self.project.slug,
            "collections": self.collection.public_id,
            "artifacts": self.artifact.public_id,
            "deployment-sets": self.outer.public_id,
            "sources": self.source.public_id,
        }
        above = listed.partition("/{id}")[0].rpartition("/")[2]
        return listed.format(id=name.get(above))


@pytest.fixture
def places(source: Source) -> Places:
    return Places(
        source=source,
        project=source.project,
        collection=CollectionFactory(),
        artifact=ArtifactFactory(),
        outer=DeploymentSetFactory(),
    )


@pytest.fixture
def adders(operator: User, source: Source, places: Places) -> dict[str, Add]:
    """What adds rows to each list of the schema."""
    held = ArtifactFactory(collection=places.collection)
    group = GroupFactory(collection=places.collection, artifacts=[held])
    return {
        f"{API}/artifacts/{{id}}/versions": lambda count: add_versions(places.artifact, count),
        f"{API}/collections": add_collections,
        f"{API}/collections/{{id}}/artifacts": lambda count: add_artifacts(places.collection, count),
        f"{API}/collections/{{id}}/groups": lambda count: add_groups(held, count),
        f"{API}/collections/{{id}}/refreshes": lambda count: add_runs(places.collection, count),
        f"{API}/deployment-sets": lambda count: add_sets(held, group, count),
        f"{API}/deployment-sets/{{id}}/members": lambda count: add_set_members(places.outer, count),
        f"{API}/deployments": DeploymentFactory.create_batch,
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
    f"{API}/artifacts/{{id}}/versions": ("",),
    f"{API}/collections": ("", "project=default", "search=collection"),
    f"{API}/collections/{{id}}/artifacts": ("", "type=skill", "update_available=false"),
    f"{API}/collections/{{id}}/groups": ("",),
    f"{API}/collections/{{id}}/refreshes": ("",),
    f"{API}/deployment-sets": ("", "tags=a", "visibility=project", "search=set"),
    f"{API}/deployment-sets/{{id}}/members": ("",),
    f"{API}/deployments": ("", "project=default", "project_path=/srv/projects/shop"),
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


BY_OFFSET = {
    f"{API}/deployment-sets/{{id}}/members",
    f"{MARKET}/search",
    f"{MARKET}/sources/{{id}}/artifacts",
}


def test_every_list_of_the_schema_is_measured() -> None:
    assert set(LISTED) == {f"GET {address}" for address in LISTS}


@pytest.mark.parametrize("address", LISTS)
def test_a_page_of_one_costs_as_much_as_a_page_of_a_hundred(
    api: APIClient, adders: dict[str, Add], places: Places, address: str
) -> None:
    asked = {query: f"{places.address(address)}?{query}&limit=" for query in LISTS[address]}
    adders[address](1)
    costs = {query: {cost(api, f"{start}1", rows=1)} for query, start in asked.items()}
    adders[address](MANY)
    for query, start in asked.items():
        costs[query] |= {cost(api, f"{start}{limit}", rows=limit) for limit in (1, MANY)}
    assert_steady(costs, at_most=OF_SETS if address.endswith("/deployment-sets") else AT_MOST)


@pytest.mark.parametrize("address", [address for address in LISTS if address not in BY_OFFSET])
def test_a_later_page_costs_one_query_more_at_most(
    api: APIClient, adders: dict[str, Add], places: Places, address: str
) -> None:
    adders[address](2 * PAGE)
    asked = f"{places.address(address)}?limit={PAGE}"
    first = cost(api, asked)
    cursor = api.get(asked).json()["page_info"]["end_cursor"]
    assert cost(api, f"{asked}&cursor={cursor}", rows=PAGE) <= first + 1


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


def collection_with(count: int) -> Collection:
    collection: Collection = CollectionFactory()
    artifacts = ArtifactFactory.create_batch(count, collection=collection)
    add_versions(artifacts[0], count)
    GroupFactory(collection=collection, artifacts=artifacts)
    return collection


def set_with(collection: Collection) -> DeploymentSet:
    inner = DeploymentSetFactory(holding=collection.groups.all())
    made: DeploymentSet = DeploymentSetFactory(holding=[inner, *collection.artifacts.all()])
    return made


# Every GET of the schema that is no list.
SINGLE = [
    "/artifacts/{artifact}",
    "/artifacts/{artifact}/files",
    "/artifacts/{artifact}/files/{path}",
    "/artifacts/{artifact}/versions/{number}/diff",
    "/collections/{collection}",
    "/collections/{collection}/groups/{group}",
    "/collections/{collection}/refreshes/{run}",
    "/deployment-sets/{set}",
    "/deployment-sets/{set}/bundle",
    "/deployment-sets/{set}/resolve",
    "/deployments/{deployment}",
    "/jobs/{job}",
    "/jobs/{job}/events",
    "/marketplace/artifacts/{entry}",
    "/marketplace/artifacts/{entry}/files/{path}",
    "/marketplace/sources/{source}",
    "/me",
    "/projects/{project}",
]


def test_every_single_resource_of_the_schema_is_measured() -> None:
    read = {re.sub("{.*?}", "{}", name) for name in READ if name not in LISTED}
    assert read == {re.sub("{.*?}", "{}", f"GET {API}{address}") for address in SINGLE}


def test_what_is_shown_by_itself_costs_the_same_with_one_and_with_fifty_children(
    api: APIClient, operator: User
) -> None:
    costs: dict[str, set[int]] = {address: set() for address in SINGLE}
    for count in (1, 50):
        source = source_with(count)
        rows = {
            "source": source,
            "entry": entry_with(source, count),
            "job": job_with(source, count),
            "project": project_with(operator, count),
            "collection": (collection := collection_with(count)),
            "artifact": collection.artifacts.latest("id"),
            "group": collection.groups.get(),
            "run": RefreshRunFactory(collection=collection),
            "set": (held := set_with(collection)),
            "deployment": DeploymentFactory(deployment_set=held),
        }
        names = {name: row.public_id for name, row in rows.items()}
        for address in SINGLE:
            costs[address].add(cost(api, API + address.format(**names, path=FILE, number=1)))
    of_sets = {address for address in SINGLE if "/deployment-sets/" in address}
    assert_steady({address: costs[address] for address in of_sets}, at_most=OF_SETS)
    assert_steady({address: costs[address] for address in costs.keys() - of_sets}, at_most=AT_MOST)
