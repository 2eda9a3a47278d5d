"""Jobs from being asked for to their end, with whatever can go wrong in between."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Schedule
from django_q.signing import SignedPackage
from rest_framework.test import APIClient

from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.jobs import kinds, operations, queue, runner, watchdog
from skillmeat_site.jobs.errors import JobConflict, JobFinished, LeaseLost, NotYet
from skillmeat_site.jobs.models import Job, JobEvent, JobStatus, Trigger, Worker
from skillmeat_site.jobs.reaper import MAX_DURATION, MAX_SILENCE, RESEND_AFTER, reap
from skillmeat_site.jobs.runner import JobRun
from tests import jobs_for_tests

SECOND = timedelta(seconds=1)
Task = Callable[[JobRun], None]
Ask = Callable[..., Job]


@pytest.fixture(autouse=True)
def _errands() -> Iterator[None]:
    kinds.register(
        kinds.JobKind(
            name=jobs_for_tests.NAME,
            subject_prefix="err",
            task="tests.jobs_for_tests.task",
            ended="tests.jobs_for_tests.ended",
        )
    )
    yield
    del kinds._kinds[jobs_for_tests.NAME]
    jobs_for_tests.behaviours.clear()
    jobs_for_tests.ended_jobs.clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def ask(project: Project, now: datetime) -> Ask:
    """Ask for an errand; `task` is what its worker will do."""

    def make(task: Task | None = None, *, subject: UUID | None = None, at: datetime = now) -> Job:
        subject = subject or uuid4()
        if task:
            jobs_for_tests.behaviours[subject] = task
        return operations.enqueue(
            kind=jobs_for_tests.NAME,
            subject_id=subject,
            project=project,
            trigger=Trigger.MANUAL,
            by=None,
            at=at,
        )

    return make


def claimed(job: Job, *, at: datetime) -> Job:
    taken = operations.claim(job.pk, at=at)
    assert taken is not None
    return taken


def before_update(number: int, act: Callable[[], object]) -> AbstractContextManager[None]:
    """Inside, `act` happens at the last moment before so many times a job's row was to be changed."""
    left = [number]

    def wrapper(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith('UPDATE "jobs_job"'):
            left[0] -= 1
            if left[0] == 0:
                act()
        return execute(sql, *rest)

    return connection.execute_wrapper(wrapper)


def finish(run: JobRun) -> None:
    run.succeed({"done": 1})


def phases(job: Job) -> list[str]:
    return list(JobEvent.objects.filter(job=job).order_by("seq").values_list("phase", flat=True))


# --- Asking ----------------------------------------------------------------------------------------


def test_asking_twice_is_a_conflict_that_names_the_live_job(ask: Ask) -> None:
    job = ask()
    with pytest.raises(JobConflict) as caught:
        ask(subject=job.subject_id)
    assert caught.value.extra == {"existing_id": job.public_id}
    assert Job.objects.count() == 1


def test_a_job_that_ends_while_the_same_is_asked_for_is_no_conflict(ask: Ask, now: datetime) -> None:
    first = ask()

    def ending(
        execute: Callable[..., object], sql: str, params: object, many: bool, context: object
    ) -> object:
        if sql.startswith("SELECT") and first.is_live:
            first.status = JobStatus.CANCELLED
            Job.objects.filter(pk=first.pk).update(status=first.status, finished_at=now)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(ending):
        second = ask(subject=first.subject_id)
    assert second.status == JobStatus.QUEUED
    assert list(Job.objects.live()) == [second]


def test_other_subjects_do_not_conflict(ask: Ask) -> None:
    assert ask().pk != ask().pk


def test_after_its_end_the_same_can_be_asked_again(ask: Ask, now: datetime) -> None:
    job = ask()
    operations.cancel(job, by=None, at=now)
    assert ask(subject=job.subject_id).pk != job.pk


def test_no_message_is_sent_before_the_transaction_is_saved(
    ask: Ask, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        ask()
        assert get_broker().queue_size() == 0
    assert get_broker().queue_size() == 1


# --- Taking up -------------------------------------------------------------------------------------


def test_of_two_workers_only_one_gets_the_job(ask: Ask, now: datetime) -> None:
    job = ask()
    assert claimed(job, at=now).attempt == 1
    assert operations.claim(job.pk, at=now) is None


def test_a_job_that_is_done_is_not_done_again_by_a_second_delivery(ask: Ask) -> None:
    times = []

    def once(run: JobRun) -> None:
        times.append(run.job.attempt)
        finish(run)

    job = ask(once)
    runner.run(str(job.pk))
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert times == [1]
    assert (job.status, job.result, job.percent) == (JobStatus.SUCCEEDED, {"done": 1}, 100)
    assert jobs_for_tests.ended_jobs == []


def test_a_message_of_a_job_that_is_gone_does_nothing(db: None) -> None:
    runner.run(str(uuid4()))
    assert not Job.objects.exists()


def test_the_drained_queue_runs_what_was_asked_for(
    ask: Ask,
    drain: Callable[[], int],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        job = ask(finish)
    assert drain() == 1
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED


# --- Progress --------------------------------------------------------------------------------------


def test_each_phase_is_told_once(ask: Ask) -> None:
    def step(run: JobRun) -> None:
        run.progress("reading", 1, 4)
        run.progress("reading", 2, 4)
        run.progress("saving")
        finish(run)

    job = ask(step)
    runner.run(str(job.pk))
    assert phases(job) == ["queued", "reading", "saving", "succeeded"]


def test_progress_of_a_cancelled_job_stops_the_task(ask: Ask, now: datetime) -> None:
    def cancelled_meanwhile(run: JobRun) -> None:
        operations.cancel(run.job, by=None, at=now)
        run.progress("reading")
        raise AssertionError("the task went on")

    job = ask(cancelled_meanwhile)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    assert jobs_for_tests.ended_jobs == [(job.public_id, "cancelled")]


# --- Ending badly ----------------------------------------------------------------------------------


def test_an_expected_failure_is_shown_as_its_problem(ask: Ask) -> None:
    def fail(_run: JobRun) -> None:
        raise JobConflict("Nothing is left.", hint="Wait.")

    job = ask(fail)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error == {
        "type": "/problems/already_running",
        "title": "Already queued or running",
        "detail": "Nothing is left.",
        "hint": "Wait.",
    }
    assert jobs_for_tests.ended_jobs == [(job.public_id, "failed")]


def test_the_text_of_an_unexpected_exception_is_logged_and_not_shown(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(_run: JobRun) -> None:
        raise ZeroDivisionError("the secret is 12345")

    job = ask(break_down)
    with caplog.at_level(logging.ERROR):
        runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error["type"] == "/problems/internal_error"
    assert "12345" not in str(job.error) + str(list(job.events.values()))
    assert "12345" in caplog.text


def test_a_task_that_the_queue_ends_for_its_time_is_timed_out(ask: Ask) -> None:
    def overrun(_run: JobRun) -> None:
        raise SystemExit

    job = ask(overrun)
    with pytest.raises(SystemExit):
        runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error["type"] == "/problems/job_timed_out"


# --- Waiting ---------------------------------------------------------------------------------------


def test_a_task_that_has_to_wait_parks_its_job(ask: Ask, now: datetime) -> None:
    later = now + timedelta(hours=1)

    def wait(_run: JobRun) -> None:
        raise NotYet(later, JobConflict("Nothing is left."))

    job = ask(wait)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.run_after, job.lease_until) == (JobStatus.QUEUED, later, None)
    assert job.error["detail"] == "Nothing is left."
    assert phases(job) == ["queued", "waiting"]
    assert jobs_for_tests.ended_jobs == []


def test_a_parked_job_is_not_due_before_its_time(ask: Ask, now: datetime) -> None:
    later = now + timedelta(hours=1)
    job = claimed(ask(), at=now)
    operations.park(job, until=later, reason=JobConflict(), at=now)
    assert operations.claim(job.pk, at=later - SECOND) is None
    again = claimed(job, at=later)
    assert (again.attempt, again.error, again.losses) == (2, None, 0)


def test_a_parked_job_is_woken_by_the_reaper_when_its_time_has_come(ask: Ask, now: datetime) -> None:
    later = now + timedelta(hours=1)
    job = claimed(ask(), at=now)
    operations.park(job, until=later, reason=JobConflict(), at=now)
    assert reap(at=later - SECOND) == 0
    assert reap(at=later) == 1
    assert get_broker().queue_size() == 1


# --- Losing workers --------------------------------------------------------------------------------


def test_a_job_whose_lease_ran_out_is_queued_again(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    assert reap(at=now + operations.LEASE) == 0
    assert reap(at=now + operations.LEASE + SECOND) == 1
    job.refresh_from_db()
    assert (job.status, job.losses, job.lease_until) == (JobStatus.QUEUED, 1, None)
    assert phases(job) == ["queued", "worker lost"]


def test_a_renewed_lease_keeps_the_job(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    assert operations.renew_lease(job, at=now + 10 * SECOND)
    assert reap(at=now + operations.LEASE + SECOND) == 0


def test_after_three_lost_workers_the_job_fails(ask: Ask, now: datetime) -> None:
    job, at = ask(), now
    for _ in range(3):
        claimed(job, at=at)
        at += operations.LEASE + SECOND
        assert reap(at=at) == 1
    job.refresh_from_db()
    assert (job.status, job.attempt) == (JobStatus.FAILED, 3)
    assert job.error["type"] == "/problems/worker_lost"
    assert jobs_for_tests.ended_jobs == [(job.public_id, "failed")]


@pytest.mark.parametrize("silence", [MAX_SILENCE, MAX_DURATION])
def test_a_job_that_lives_but_does_not_move_is_timed_out(ask: Ask, now: datetime, silence: timedelta) -> None:
    job = claimed(ask(), at=now)
    at = now + silence + SECOND
    recent = at if silence == MAX_DURATION else now
    Job.objects.filter(pk=job.pk).update(lease_until=at + SECOND, progress_at=recent)
    assert reap(at=at - 2 * SECOND) == 0
    assert reap(at=at) == 1
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error["type"] == "/problems/job_timed_out"


def test_a_worker_that_comes_back_while_the_reaper_decides_keeps_its_job(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    at = now + operations.LEASE + SECOND
    with before_update(1, lambda: operations.renew_lease(job, at=at)):
        assert reap(at=at) == 0
    job.refresh_from_db()
    assert (job.status, job.losses) == (JobStatus.RUNNING, 0)
    assert phases(job) == ["queued"]


def test_a_worker_that_comes_back_before_its_third_loss_is_written_keeps_its_job(
    ask: Ask, now: datetime
) -> None:
    job = claimed(ask(), at=now)
    Job.objects.filter(pk=job.pk).update(losses=operations.MAX_LOSSES - 1)
    at = now + operations.LEASE + SECOND
    with before_update(1, lambda: operations.renew_lease(job, at=at)):
        assert reap(at=at) == 0
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING


def test_a_job_that_moves_on_while_the_reaper_decides_is_not_timed_out(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    at = now + MAX_SILENCE + SECOND
    operations.renew_lease(job, at=at)
    with before_update(1, lambda: Job.objects.filter(pk=job.pk).update(progress_at=at)):
        assert reap(at=at) == 0
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.RUNNING, None)


def test_a_job_whose_machine_was_off_for_an_hour_is_queued_again(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    assert reap(at=now + timedelta(hours=1)) == 1
    job.refresh_from_db()
    assert (job.status, job.losses) == (JobStatus.QUEUED, 1)


def test_an_old_attempt_cannot_write_over_a_newer_one(ask: Ask, now: datetime) -> None:
    old = claimed(ask(), at=now)
    operations.lose(claimed_copy(old), at=now)
    new = claimed(old, at=now)
    with pytest.raises(LeaseLost):
        operations.succeed(old, result={}, at=now)
    with pytest.raises(LeaseLost):
        operations.end(old, JobStatus.FAILED, at=now)
    with pytest.raises(LeaseLost):
        operations.park(old, until=now, reason=JobConflict(), at=now)
    with pytest.raises(LeaseLost):
        JobRun(old).progress("reading")
    assert not operations.renew_lease(old, at=now)
    new.refresh_from_db()
    assert (new.status, new.attempt) == (JobStatus.RUNNING, 2)
    assert jobs_for_tests.ended_jobs == []


def claimed_copy(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_worker_that_comes_back_too_late_changes_nothing(ask: Ask, now: datetime) -> None:
    def slept(run: JobRun) -> None:
        operations.lose(claimed_copy(run.job), at=now)
        finish(run)

    job = ask(slept)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.result, job.losses) == (JobStatus.QUEUED, None, 1)


def test_a_message_that_got_lost_is_sent_again_once(ask: Ask, now: datetime) -> None:
    job = ask()
    assert reap(at=now + RESEND_AFTER) == 0
    assert reap(at=now + RESEND_AFTER + SECOND) == 1
    assert reap(at=now + RESEND_AFTER + 2 * SECOND) == 0
    messages = [SignedPackage.loads(payload) for _, payload in get_broker().dequeue()]
    assert [message["args"] for message in messages] == [(str(job.pk),)]


# --- Cancelling ------------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_at_once(api: APIClient, ask: Ask) -> None:
    job = ask()
    response = api.post(f"/api/v1/jobs/{job.public_id}/cancel")
    assert response.status_code == 202
    assert response.json()["status"] == "cancelled"
    assert jobs_for_tests.ended_jobs == [(job.public_id, "cancelled")]
    assert AuditEvent.objects.get(verb="job.cancelled").object_id == job.pk


def test_a_running_job_is_asked_to_stop(api: APIClient, ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    response = api.post(f"/api/v1/jobs/{job.public_id}/cancel")
    assert (response.status_code, response.json()["status"]) == (202, "running")
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_a_job_that_has_ended_cannot_be_cancelled(api: APIClient, ask: Ask) -> None:
    job = ask(finish)
    runner.run(str(job.pk))
    response = api.post(f"/api/v1/jobs/{job.public_id}/cancel")
    assert (response.status_code, response.json()["type"]) == (409, "/problems/job_finished")
    assert not AuditEvent.objects.exists()
    with pytest.raises(JobFinished):
        operations.cancel(job, by=None, at=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_cancel_that_arrives_while_saving_still_counts(ask: Ask, now: datetime) -> None:
    def save(run: JobRun) -> None:
        run.progress("saving")
        operations.cancel(run.job, by=None, at=now)
        with transaction.atomic():
            Project.objects.create(slug="saved", name="What the job was for")
            finish(run)

    job = ask(save)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.result) == (JobStatus.CANCELLED, None)
    assert not Project.objects.filter(slug="saved").exists()
    assert phases(job) == ["queued", "saving", "cancelled"]
    assert jobs_for_tests.ended_jobs == [(job.public_id, "cancelled")]


@pytest.mark.parametrize("failure", [JobConflict, ZeroDivisionError])
def test_a_cancelled_job_that_fails_is_cancelled(ask: Ask, now: datetime, failure: type[Exception]) -> None:
    def fail(run: JobRun) -> None:
        operations.cancel(run.job, by=None, at=now)
        raise failure

    job = ask(fail)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    assert jobs_for_tests.ended_jobs == [(job.public_id, "cancelled")]


@pytest.mark.parametrize("losses", [0, operations.MAX_LOSSES - 1])
def test_a_cancelled_job_whose_worker_is_lost_is_cancelled(ask: Ask, now: datetime, losses: int) -> None:
    job = claimed(ask(), at=now)
    Job.objects.filter(pk=job.pk).update(losses=losses)
    operations.cancel(job, by=None, at=now)
    assert reap(at=now + operations.LEASE + SECOND) == 1
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    assert jobs_for_tests.ended_jobs == [(job.public_id, "cancelled")]
    assert get_broker().queue_size() == 0


def test_a_cancelled_job_that_does_not_move_is_cancelled(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    operations.cancel(job, by=None, at=now)
    at = now + MAX_SILENCE + SECOND
    operations.renew_lease(job, at=at)
    assert reap(at=at) == 1
    job.refresh_from_db()
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)


def test_a_cancel_that_arrives_at_the_moment_of_parking_still_counts(ask: Ask, now: datetime) -> None:
    def wait(_run: JobRun) -> None:
        raise NotYet(now + timedelta(hours=1), JobConflict("Nothing is left."))

    job = ask(wait)
    parking = 3  # after the claim and the costs
    with before_update(parking, lambda: operations.cancel(claimed_copy(job), by=None, at=now)):
        runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert phases(job) == ["queued", "cancelled"]


def test_a_job_that_is_parked_at_the_moment_of_a_cancel_is_cancelled(ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    later = now + timedelta(hours=1)
    asking = 2  # after the try to cancel it as a queued one
    with before_update(
        asking, lambda: operations.park(claimed_copy(job), until=later, reason=JobConflict(), at=now)
    ):
        operations.cancel(job, by=None, at=now)
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


def test_a_job_that_is_to_be_cancelled_is_not_parked(ask: Ask, now: datetime) -> None:
    def wait(run: JobRun) -> None:
        operations.cancel(run.job, by=None, at=now)
        raise NotYet(now + timedelta(hours=1), JobConflict("Nothing is left."))

    job = ask(wait)
    runner.run(str(job.pk))
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


# --- Looking ---------------------------------------------------------------------------------------


def test_a_job_shows_what_it_is_about_and_how_far_it_is(api: APIClient, ask: Ask, now: datetime) -> None:
    job = claimed(ask(), at=now)
    JobRun(job).progress("reading", 1, 4)
    shown = api.get(f"/api/v1/jobs/{job.public_id}").json()
    assert shown["id"] == job.public_id
    assert shown["subject_id"].startswith("err_")
    assert shown["progress"] == {"phase": "reading", "done": 1, "total": 4, "percent": 25}


def test_events_are_given_after_a_number(api: APIClient, ask: Ask) -> None:
    job = ask(finish)
    runner.run(str(job.pk))
    events = f"/api/v1/jobs/{job.public_id}/events"
    assert [item["seq"] for item in api.get(events).json()["items"]] == [1, 2]
    assert [item["phase"] for item in api.get(events, {"after": 1}).json()["items"]] == ["succeeded"]
    assert api.get(events, {"after": 2}).json() == {"items": []}


@pytest.mark.parametrize("after", ["", "-1", "x", "1.5", "9999999999999"])
def test_events_after_no_number_is_refused(api: APIClient, ask: Ask, after: str) -> None:
    response = api.get(f"/api/v1/jobs/{ask().public_id}/events", {"after": after})
    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "?after"


def test_jobs_are_listed_newest_first_and_by_status(api: APIClient, ask: Ask, now: datetime) -> None:
    first, second = ask(), ask()
    claimed(first, at=now)
    assert [row["id"] for row in api.get("/api/v1/jobs").json()["items"]] == [
        second.public_id,
        first.public_id,
    ]
    running = api.get("/api/v1/jobs", {"status": "running"}).json()
    assert [row["id"] for row in running["items"]] == [first.public_id]
    assert running["page_info"]["total_count"] == 1


@pytest.mark.usefixtures("multi_user")
def test_jobs_of_projects_one_is_not_in_are_not_there(
    member: Callable[..., object], client_of: Callable[..., APIClient], ask: Ask
) -> None:
    job = ask()
    stranger, viewer = client_of(member(None)), client_of(member(Role.VIEWER))
    assert stranger.get("/api/v1/jobs").json()["items"] == []
    for path in ("", "/events"):
        assert stranger.get(f"/api/v1/jobs/{job.public_id}{path}").status_code == 404
        assert viewer.get(f"/api/v1/jobs/{job.public_id}{path}").status_code == 200
    assert stranger.post(f"/api/v1/jobs/{job.public_id}/cancel").status_code == 404
    assert viewer.post(f"/api/v1/jobs/{job.public_id}/cancel").status_code == 403


# --- Watching --------------------------------------------------------------------------------------


def seen(at: datetime) -> Worker:
    return Worker.objects.create(host="here", pid=1, started_at=at, seen_at=at)


def test_a_server_without_workers_is_up_but_not_ready(api: APIClient) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    response = api.get("/readyz")
    assert response.status_code == 503
    assert list(response.json()["wrong"]) == ["worker"]
    assert "manage.py worker" in response.json()["wrong"]["worker"]


def test_a_server_with_a_worker_is_ready(api: APIClient, now: datetime) -> None:
    seen(now)
    response = api.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_worker_that_is_silent_for_long_does_not_count(api: APIClient, now: datetime) -> None:
    seen(now - timedelta(seconds=31))
    assert api.get("/readyz").status_code == 503


def test_a_cluster_that_takes_nothing_up_is_stalled(ask: Ask, now: datetime) -> None:
    ask(at=now - watchdog.PATIENCE)
    assert watchdog.is_stalled(at=now, since=now - watchdog.PATIENCE)


def test_a_cluster_with_nothing_to_do_is_not_stalled(ask: Ask, now: datetime) -> None:
    ask(at=now - watchdog.PATIENCE + SECOND)
    assert not watchdog.is_stalled(at=now, since=now - timedelta(hours=1))


def test_a_cluster_that_just_came_up_is_not_stalled(ask: Ask, now: datetime) -> None:
    ask(at=now - timedelta(hours=1))
    assert not watchdog.is_stalled(at=now, since=now - watchdog.PATIENCE + SECOND)


def test_a_cluster_that_took_something_up_lately_is_not_stalled(ask: Ask, now: datetime) -> None:
    ask(at=now - timedelta(hours=1))
    claimed(ask(at=now - timedelta(hours=1)), at=now - SECOND)
    assert not watchdog.is_stalled(at=now, since=now - timedelta(hours=1))


def test_a_cluster_whose_processes_are_all_busy_is_not_stalled(ask: Ask, now: datetime) -> None:
    long_ago = now - timedelta(minutes=5)
    waiting = ask(at=long_ago)
    busy = [ask(at=long_ago) for _ in range(django_settings.Q_CLUSTER["workers"])]
    for job in busy[1:]:
        claimed(job, at=long_ago)
    assert watchdog.is_stalled(at=now, since=long_ago)
    claimed(busy[0], at=long_ago)
    assert not watchdog.is_stalled(at=now, since=long_ago)
    assert waiting.is_live


def test_a_schedule_that_two_workers_added_at_once_is_there_once(db: None) -> None:
    queue.install_schedules()
    before = list(Schedule.objects.order_by("pk"))
    Schedule.objects.create(name=before[0].name, func=before[0].func)
    queue.install_schedules()
    assert list(Schedule.objects.order_by("pk")) == before


def test_schedules_of_the_queue_become_what_is_registered(db: None) -> None:
    Schedule.objects.create(name="of an older version", func="gone.away")
    queue.install_schedules()
    queue.install_schedules()
    assert set(Schedule.objects.values_list("name", "func", "minutes")) == {
        ("prune history", "skillmeat_site.jobs.tasks.prune_history", 24 * 60),
        ("refresh what is due", "collections_app.tasks.refresh_due", 1),
        ("rescan what is due", "marketplace.tasks.rescan_due", 1),
    }
