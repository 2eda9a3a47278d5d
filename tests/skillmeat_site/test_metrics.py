"""`/metrics`: who may read it, that it can be parsed, what its numbers say, and what they cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from skillmeat_site.jobs.models import JobStatus, Worker
from tests.factories import JobFactory, RefreshRunFactory, SourceFactory

pytestmark = pytest.mark.django_db
Numbers = dict[tuple[str, ...], float]


@pytest.fixture
def numbers(api: APIClient) -> Callable[[], Numbers]:
    """Each sample by its name and its labels' values."""

    def read() -> Numbers:
        response = api.get("/metrics")
        assert response.status_code == 200
        assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return {
            (sample.name.removeprefix("skillmeat_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.content.decode())
            for sample in family.samples
        }

    return read


def test_jobs_are_counted_by_kind_and_status_with_the_age_of_the_oldest(
    numbers: Callable[[], Numbers],
) -> None:
    now = timezone.now()
    JobFactory(run_after=now - timedelta(seconds=90))
    JobFactory(run_after=now - timedelta(seconds=5))
    JobFactory(status=JobStatus.RUNNING, started_at=now - timedelta(seconds=30))
    JobFactory(status=JobStatus.SUCCEEDED, finished_at=now, github_requests=3, github_remaining=4_997)
    found = numbers()
    assert (found["jobs", "scan", "queued"], found["jobs", "scan", "running"]) == (2, 1)
    assert (found["jobs", "refresh", "queued"], found["job_age_seconds", "refresh", "queued"]) == (0, 0)
    assert 90 <= found["job_age_seconds", "scan", "queued"] < 120
    assert 30 <= found["job_age_seconds", "scan", "running"] < 60
    assert (found["jobs_last_day", "scan", "succeeded"], found["jobs_last_day", "scan", "queued"]) == (1, 2)
    assert (found["github_requests_last_day",], found["github_quota_remaining",]) == (3, 4_997)


def test_a_job_that_waits_for_its_time_is_not_late(numbers: Callable[[], Numbers]) -> None:
    JobFactory(run_after=timezone.now() + timedelta(hours=1))
    assert numbers()["job_age_seconds", "scan", "queued"] == 0


def test_the_catalogue_is_summed_up_from_what_sources_hold(numbers: Callable[[], Numbers]) -> None:
    past = timezone.now() - timedelta(minutes=1)
    SourceFactory(counts_by_type={"skill": 2, "hook": 1}, rescan_interval=900, next_rescan_at=past)
    SourceFactory(counts_by_type={"skill": 3}, outcome="error")
    SourceFactory(outcome="")
    found = numbers()
    assert (found["artifacts", "skill"], found["artifacts", "hook"], found["artifacts", "agent"]) == (5, 1, 0)
    assert [found["sources", outcome] for outcome in ("success", "error", "pending")] == [1, 1, 1]
    assert found["sources_due",] == 1


def test_workers_and_refreshes_are_counted(numbers: Callable[[], Numbers]) -> None:
    assert ("worker_heartbeat_age_seconds",) not in numbers()
    now = timezone.now()
    Worker.objects.create(host="a", pid=1, started_at=now, seen_at=now - timedelta(seconds=5))
    Worker.objects.create(host="b", pid=2, started_at=now, seen_at=now - timedelta(hours=1))
    RefreshRunFactory()
    found = numbers()
    assert found["workers",] == 1
    assert 5 <= found["worker_heartbeat_age_seconds",] < 30
    assert (found["collections",], found["refreshes_last_day", "success"]) == (1, 1)


def test_the_numbers_cost_the_same_however_much_there_is(api: APIClient) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            api.get("/metrics")
        return len(captured)

    cost()  # makes the local operator
    before = cost()
    for status in (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.QUEUED):
        JobFactory(status=status, started_at=timezone.now())
    RefreshRunFactory.create_batch(3)
    assert cost() == before <= 12


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("anonymous", 401),
        ("expired token", 401),
        ("stranger", 403),
        ("admin", 403),
        ("superuser", 200),
    ],
)
def test_with_several_users_only_superusers_read_them(
    multi_user: None, caller_named: Callable[[str], APIClient], who: str, status: int
) -> None:
    response = caller_named(who).get("/metrics")
    assert response.status_code == status
    if status != 200:
        assert response["Content-Type"] == "application/problem+json"


def test_in_single_user_mode_only_this_machine_reads_them(api: APIClient) -> None:
    response = api.get("/metrics", REMOTE_ADDR="10.0.0.7")
    assert (response.status_code, response.json()["type"]) == (403, "/problems/not_local")


def test_they_are_no_part_of_the_api(api: APIClient) -> None:
    paths: dict[str, Any] = api.get("/api/schema").json()["paths"]
    assert "/metrics" not in paths
    assert api.post("/metrics").status_code == 405
