"""Refreshes by workers, schedules and commands."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from collections_app import tasks
from collections_app.models import Artifact, Collection, RefreshRun
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.operations import MAX_LOSSES, claim, lose
from tests.factories import CollectionFactory, RefreshRunFactory
from tests.github.faults import BAD_GATEWAY
from tests.github.repositories import Repository
from tests.github.server import GitHub
from tests.scanning import Capture, Drain, skill

Ask = Callable[..., Any]


def url(collection: Collection) -> str:
    return f"/api/v1/collections/{collection.public_id}/refresh"


@pytest.fixture
def ask(api: APIClient, django_capture_on_commit_callbacks: Capture) -> Ask:
    """Asks for a refresh by a worker."""

    def run(collection: Collection, **body: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return api.post(url(collection), body, headers={"Prefer": "wait=5, Respond-Async"})

    return run


def command(*args: str) -> list[str]:
    out = StringIO()
    call_command("refresh_collections", *args, stdout=out)
    return out.getvalue().splitlines()


def test_a_worker_does_it_with_the_same_result(
    collection: Collection, tools: Repository, ask: Ask, drain: Drain, api: APIClient
) -> None:
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Better.")})
    answer = ask(collection, mode="sync")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["subject_id"], job["status"]) == ("refresh", collection.public_id, "queued")
    assert answer["Location"] == f"/api/v1/jobs/{job['id']}"
    assert answer["Preference-Applied"] == "respond-async"
    drain()
    done = api.get(answer["Location"]).json()
    assert done["status"] == "succeeded", done
    assert done["result"].keys() == {"status", "timestamp", "request_id", "result", "took_ms"}
    assert done["result"]["result"]["refreshed_count"] == 1
    assert done["result"]["request_id"] == answer["X-Request-ID"]
    assert done["github"]["requests"] == 3
    (run,) = api.get(f"{url(collection)}es").json()["items"]
    assert (run["job_id"], run["status"], run["mode"]) == (job["id"], "success", "sync")
    assert collection.artifacts.get(name="pdf").versions.count() == 2


def test_while_one_is_queued_another_is_a_conflict(
    collection: Collection, ask: Ask, api: APIClient, drain: Drain
) -> None:
    job = ask(collection).json()
    assert ask(collection).json()["existing_id"] == job["id"]
    assert api.post(url(collection)).status_code == 409
    drain()
    assert api.post(url(collection)).status_code == 200


def test_a_queued_refresh_waits_for_one_that_runs(collection: Collection, ask: Ask) -> None:
    now = timezone.now()
    RefreshRunFactory(
        collection=collection,
        status="",
        finished_at=None,
        started_at=now,
        alive_until=now + timedelta(seconds=30),
    )
    answer = ask(collection)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/refresh_running")
    assert Job.objects.filter(kind="refresh").count() == 0


def test_a_cancelled_refresh_changes_nothing_and_blocks_nobody(
    collection: Collection, ask: Ask, api: APIClient, drain: Drain
) -> None:
    job = ask(collection).json()
    assert api.post(f"/api/v1/jobs/{job['id']}/cancel").status_code == 202
    assert RefreshRun.objects.get().status == "error"
    drain()
    assert api.post(url(collection)).status_code == 200


def test_a_refresh_whose_worker_dies_is_taken_up_again_and_given_up_in_the_end(
    collection: Collection, ask: Ask, api: APIClient, drain: Drain
) -> None:
    job = Job.objects.get(pk=Job.decode(ask(collection).json()["id"]))
    for _ in range(MAX_LOSSES):
        assert api.post(url(collection)).status_code == 409
        claimed = claim(job.pk, at=timezone.now())
        assert claimed
        lose(claimed, at=timezone.now())
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert api.post(url(collection)).status_code == 200


def test_a_rate_limit_ends_a_job_with_what_was_reached(
    collection: Collection, ask: Ask, api: APIClient, drain: Drain, on_github: GitHub
) -> None:
    job = ask(collection).json()
    on_github.quota.remaining = 0
    drain()
    done = api.get(f"/api/v1/jobs/{job['id']}").json()
    assert (done["status"], done["result"]["status"]) == ("succeeded", "error")


def test_a_collection_that_is_deleted_meanwhile_fails_the_job(
    collection: Collection, ask: Ask, api: APIClient, drain: Drain
) -> None:
    job = ask(collection).json()
    assert api.delete(f"/api/v1/collections/{collection.public_id}").status_code == 204
    drain()
    assert api.get(f"/api/v1/jobs/{job['id']}").json()["error"]["type"] == "/problems/collection_gone"


def test_what_is_due_is_queued_once(project: Any, drain: Drain) -> None:
    now = timezone.now()
    due = CollectionFactory(refresh_interval=900, next_refresh_at=now - timedelta(seconds=1))
    CollectionFactory(refresh_interval=900, next_refresh_at=now + timedelta(seconds=60))
    CollectionFactory()
    for _ in range(2):
        tasks.refresh_due()
    job = Job.objects.get()
    assert (job.subject_id, job.trigger) == (due.pk, Trigger.SCHEDULE)
    due.refresh_from_db()
    assert due.next_refresh_at
    assert due.next_refresh_at > now + timedelta(seconds=890)


def test_the_command_refreshes_here_and_now(collection: Collection, tools: Repository) -> None:
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "Better.")})
    CollectionFactory(name="empty")
    lines = command("--all", "--mode", "sync")
    assert lines == [
        "default/Default: success. 1 refreshed, 2 unchanged, 0 skipped, 0 error",
        "default/empty: success. 0 refreshed, 0 unchanged, 0 skipped, 0 error",
    ]
    assert Artifact.objects.get(name="pdf").versions.count() == 2


def test_the_command_prints_json_and_fails_when_something_was_not_reached(
    collection: Collection, on_github: GitHub
) -> None:
    on_github.fail("/commits/", BAD_GATEWAY, times=9)
    out = StringIO()
    with pytest.raises(CommandError, match="1 of 1 refreshes did not succeed"):
        call_command("refresh_collections", "--collection", collection.public_id, "--json", stdout=out)
    (facts,) = json.loads(out.getvalue())["items"]
    assert (facts["collection"], facts["status"]) == (collection.public_id, "error")
    assert facts["result"]["error_count"] == 3


def test_the_command_refreshes_what_is_due_and_says_what_is_running(project: Any) -> None:
    now = timezone.now()
    past = now - timedelta(seconds=1)
    due = CollectionFactory(name="due", refresh_interval=900, next_refresh_at=past)
    CollectionFactory(name="later", refresh_interval=900, next_refresh_at=now + timedelta(hours=1))
    assert command("--due") == ["default/due: success. 0 refreshed, 0 unchanged, 0 skipped, 0 error"]
    assert command("--due") == []
    RefreshRunFactory(collection=due, status="", finished_at=None, alive_until=now + timedelta(seconds=60))
    assert command("--all")[0].startswith("default/due: running. ")
    with pytest.raises(CommandError):
        command("--collection", due.public_id)
    with pytest.raises(CommandError, match="no collection"):
        command("--collection", "col_none")
