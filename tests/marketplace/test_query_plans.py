"""How SQLite finds what lists show, without the statistics that nothing makes it gather."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from tests.factories import EntryFactory, JobFactory, SourceFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "sqlite", reason="PostgreSQL plans by statistics, which tests lack"
    ),
]
SOURCES = "/api/v1/marketplace/sources"


def plans(client: Client, address: str) -> str:
    """Of all reads of catalogue and jobs that an answer takes."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, *rest: Any) -> Any:
        asked.append((sql, parameters))
        return execute(sql, parameters, *rest)

    with connection.execute_wrapper(note):
        assert client.get(address).status_code == 200
    steps = []
    with connection.cursor() as cursor:
        for sql, parameters in asked:
            if sql.startswith("SELECT") and any(table in sql for table in ("marketplace_", "jobs_job")):
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)
                steps += [step for *_, step in cursor.fetchall()]
    assert steps
    return "\n".join(steps)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?artifact_type=skill",
        "?trust_level=basic",
        "?tags=a&tags=b",
        "?scan_status=scanning&tags=a",
        "?search=t",
    ],
)
def test_a_page_of_sources_looks_up_their_live_scans(api: APIClient, query: str) -> None:
    JobFactory(source=SourceFactory(tags=["a", "b"], counts_by_type={"skill": 1}))
    found = plans(api, SOURCES + query)
    assert "one_live_job_per_subject (kind=? AND subject_id=?)" in found
    assert "job_ends (kind=?)" not in found  # all scans that ever were
    assert "job_history" not in found
    assert "SCAN" not in found


@pytest.mark.parametrize(
    "query", ["?artifact_type=skill", "?trust_level=basic", "?tags=a&tags=b", "?artifact_type=skill&tags=a"]
)
def test_filtered_sources_are_counted_and_found_in_the_index_alone(api: APIClient, query: str) -> None:
    SourceFactory(tags=["a", "b"], counts_by_type={"skill": 1})
    found = plans(api, SOURCES + query)
    assert found.count("COVERING INDEX source_filtered (project_id=?)") == 2


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "entry_by_confidence (source_id=?)"),
        (
            "?type=skill&min_confidence=60&ordering=name",
            "entry_counted (source_id=? AND type=? AND confidence>?)",
        ),
        ("?status=new&ordering=type", "INDEX entry_by_status (source_id=? AND first_seen_at>?)"),
        ("?tags=a&ordering=-date", "(tag=? AND source_id=?)"),
    ],
)
def test_a_page_of_entries_is_found_within_the_source(api: APIClient, query: str, index: str) -> None:
    source = EntryFactory().source
    found = plans(api, f"{SOURCES}/{source.public_id}/artifacts{query}")
    assert index in found
    assert "SCAN" not in found


def test_the_console_finds_live_jobs_among_all_that_ever_were(console: Client) -> None:
    JobFactory()
    found = plans(console, "/admin/jobs/job/?state=live")
    assert "job_queue (status=?)" in found
    assert "SCAN jobs_job" not in found
