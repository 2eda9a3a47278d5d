"""`/marketplace/sources/{id}/artifacts`: a source's catalogue, filtered, ordered, in pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from marketplace.models import Source, Status
from tests.factories import LONG_AGO, EntryFactory, SourceFactory

SCANNED = datetime(2026, 2, 1, tzinfo=UTC)
EARLIER, EARLIEST = datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 1, 10, tzinfo=UTC)
List = Callable[..., Any]


@pytest.fixture
def source(db: None) -> Source:
    """Five present entries of all kinds, one removed, one excluded, and another source's."""
    source = SourceFactory(advanced_at=SCANNED)

    def entry(name: str, confidence: int, **values: Any) -> None:
        EntryFactory(source=source, name=name, confidence=confidence, **values)

    entry("pdf", 95, tags=["docs"], path_tags=["office"], description="Reads PÄPERS", changed_at=EARLIER)
    entry("csv", 80, tags=["docs"], first_seen_at=SCANNED, changed_at=SCANNED)
    entry("deploy", 70, type="command", changed_at=SCANNED, path="commands/deploy.md")
    entry("reviewer", 95, type="agent", changed_at=EARLIEST, path="agents/reviewer.md")
    entry("files", 60, type="mcp_server", imported_at=SCANNED, title="All files", path=".mcp.json#files")
    entry("gone", 99, removed_at=SCANNED, tags=["docs"])
    entry("hidden", 98, excluded_at=SCANNED, excluded_reason="a copy")
    EntryFactory(name="foreign")
    return source


@pytest.fixture
def ask(api: APIClient, source: Source) -> List:
    def get(query: str = "") -> Any:
        return api.get(f"/api/v1/marketplace/sources/{source.public_id}/artifacts?{query}")

    return get


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [item["name"] for item in answer.json()["items"]]


PRESENT = ["reviewer", "pdf", "csv", "deploy", "files"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", PRESENT),
        ("type=skill", ["pdf", "csv"]),
        ("type=skills", ["pdf", "csv"]),
        ("type=mcp", ["files"]),
        ("type=plugin", []),
        ("status=new", ["csv"]),
        ("status=updated", ["deploy"]),
        ("status=unchanged", ["reviewer", "pdf", "files"]),
        ("status=removed", ["gone"]),
        ("min_confidence=80", ["reviewer", "pdf", "csv"]),
        ("max_confidence=80", ["csv", "deploy", "files"]),
        ("min_confidence=70&max_confidence=80", ["csv", "deploy"]),
        ("min_confidence=96", []),
        ("imported=true", ["files"]),
        ("imported=false", ["reviewer", "pdf", "csv", "deploy"]),
        ("excluded=true", ["hidden"]),
        ("excluded=false", PRESENT),
        ("tags=docs", ["pdf", "csv"]),
        ("tags=docs&tags=office", ["pdf"]),
        ("tags=DOCS&status=removed", ["gone"]),
        ("search=PDF", ["pdf"]),
        ("search=all+files", ["files"]),
        ("search=agents/", ["reviewer"]),
        ("search=reads", ["pdf"]),
        ("search=", PRESENT),
        ("search=%25", []),
    ],
)
def test_filters(ask: List, query: str, expected: list[str]) -> None:
    answer = ask(query)
    assert names(answer) == expected
    assert answer.json()["page_info"]["total_count"] == len(expected)


def test_search_knows_no_case_beyond_ascii(ask: List) -> None:
    assert names(ask("search=p%C3%A4pers")) == ["pdf"]


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("confidence", ["files", "deploy", "csv", "reviewer", "pdf"]),
        ("-confidence", PRESENT),
        ("by_confidence", PRESENT),
        ("date", ["files", "reviewer", "pdf", "deploy", "csv"]),
        ("-date", ["deploy", "csv", "pdf", "reviewer", "files"]),
        ("by_date", ["deploy", "csv", "pdf", "reviewer", "files"]),
        ("type", ["reviewer", "deploy", "files", "pdf", "csv"]),
        ("by_type", ["reviewer", "deploy", "files", "pdf", "csv"]),
        ("-type", ["pdf", "csv", "files", "deploy", "reviewer"]),
        ("name", ["csv", "deploy", "files", "pdf", "reviewer"]),
        ("-name", ["reviewer", "pdf", "files", "deploy", "csv"]),
    ],
)
def test_orderings(ask: List, ordering: str, expected: list[str]) -> None:
    assert names(ask(f"ordering={ordering}")) == expected


@pytest.mark.parametrize(
    ("offset", "expected", "has_next", "has_previous"),
    [
        (0, ["reviewer", "pdf"], True, False),
        (2, ["csv", "deploy"], True, True),
        (4, ["files"], False, True),
        (5, [], False, True),
        (900, [], False, True),
    ],
)
def test_pages(  # noqa: PLR0917, RUF100
    ask: List,
    offset: int,
    expected: list[str],
    has_next: bool,  # noqa: FBT001, RUF100
    has_previous: bool,  # noqa: FBT001, RUF100
) -> None:
    answer = ask(f"limit=2&offset={offset}")
    assert names(answer) == expected
    assert answer.json()["page_info"] == {
        "total_count": 5,
        "limit": 2,
        "offset": offset,
        "has_next_page": has_next,
        "has_previous_page": has_previous,
    }


def test_a_page_has_fifty_entries_unless_asked_otherwise(ask: List) -> None:
    assert ask().json()["page_info"]["limit"] == 50


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("type=spell", "type"),
        ("type=", "type"),
        ("status=gone", "status"),
        ("min_confidence=101", "min_confidence"),
        ("min_confidence=-1", "min_confidence"),
        ("max_confidence=1.5", "max_confidence"),
        ("max_confidence=", "max_confidence"),
        ("imported=yes", "imported"),
        ("excluded=1", "excluded"),
        ("ordering=path", "ordering"),
        ("ordering=-by_date", "ordering"),
        ("ordering=", "ordering"),
        ("tags=docs&tags=", "tags"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("offset=1&offset=2", "offset"),
        ("cursor=", "cursor"),
        ("trust_level=basic", "trust_level"),
    ],
)
def test_a_bad_query_is_400_and_named(ask: List, query: str, name: str) -> None:
    answer = ask(query)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"?{name}"]


def test_several_bad_filters_are_all_named(ask: List) -> None:
    errors = ask("type=spell&imported=yes").json()["errors"]
    assert {error["pointer"] for error in errors} == {"?type", "?imported"}


def test_an_entry_shows_what_is_promised(ask: List, source: Source) -> None:
    item = ask("search=pdf").json()["items"][0]
    assert " ".join(item) == (
        "id source_id type name namespace title description path upstream_url confidence status version "
        "license author tags path_tags content_digest detected_sha first_seen_at changed_at removed_at "
        "imported_at excluded_at excluded_reason duplicate_of parent_id"
    )
    assert item["id"].startswith("ent_")
    assert item["source_id"] == source.public_id
    assert item["upstream_url"] == f"{source.repo_url}/tree/{source.resolved_sha}/skills/pdf"
    assert (item["namespace"], item["removed_at"], item["parent_id"]) == (None, None, None)


def test_a_member_names_its_plugin(ask: List, source: Source) -> None:
    plugin = EntryFactory(source=source, type="plugin", name="suite")
    EntryFactory(source=source, name="member", parent=plugin)
    assert ask("search=member").json()["items"][0]["parent_id"] == plugin.public_id


def test_the_number_of_queries_does_not_grow_with_the_page(ask: List, source: Source) -> None:
    ask()  # makes the local operator
    with CaptureQueriesContext(connection) as few:
        assert len(names(ask())) == 5
    EntryFactory.create_batch(30, source=source)
    with CaptureQueriesContext(connection) as many:
        assert len(names(ask())) == 35
    assert len(many) == len(few)


@pytest.mark.parametrize("advanced_at", [None, LONG_AGO])
def test_the_filter_by_status_finds_what_lists_show(api: APIClient, advanced_at: datetime | None) -> None:
    source = SourceFactory(advanced_at=advanced_at)
    before, after = LONG_AGO - timedelta(days=1), LONG_AGO + timedelta(days=1)
    for first, changed in ((before, before), (before, LONG_AGO), (LONG_AGO, LONG_AGO), (after, after)):
        for removed in (None, after):
            EntryFactory(source=source, first_seen_at=first, changed_at=changed, removed_at=removed)
    shown = dict(source.entries.with_status().values_list("pk", "status"))
    for status in Status.values:
        found = source.entries.of_status(status).values_list("pk", flat=True)
        assert set(found) == {pk for pk, said in shown.items() if said == status}
