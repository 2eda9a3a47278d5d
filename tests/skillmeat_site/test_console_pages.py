"""What operators see of work, people and the past: home, jobs and the audit trail."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Source
from skillmeat_site.accounts.models import Project, Role, Token, TokenScope, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.models import Job, JobStatus, Worker
from tests.factories import EntryFactory, JobFactory, ProjectFactory, SourceFactory

HOME = "/admin/"
JOBS = "/admin/jobs/job/"
AUDIT = "/admin/audit/auditevent/"
MANY = 12


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def shown(client: Client, panel: str) -> str:
    """One panel of the home page."""
    page = text(client, HOME)
    return page.partition(f'<h2 id="panel-{panel}">')[2].partition("</section>")[0]


def ended(source: Source, status: str, *, days: int = 0, **values: Any) -> Job:
    at = timezone.now() - timedelta(days=days)
    values = {"source": source, "status": status, "started_at": at, "finished_at": at} | values
    return JobFactory(**values)  # type: ignore[no-any-return]


def add_work(number: int) -> None:
    """So many of everything that home and the lists show."""
    now = timezone.now()
    for _ in range(number):
        source = SourceFactory(outcome="error", last_error="No.", next_rescan_at=now, rescan_interval=900)
        EntryFactory(source=source)
        EntryFactory(source=source, removed_at=now)
        jobs.cancel(JobFactory(source=source), by=None, at=now)
        ended(source, JobStatus.FAILED)
        JobFactory(source=source, run_after=now + timedelta(hours=1))
        user = User.objects.create_user(f"user-{User.objects.count()}")
        Token.objects.issue(user=user, name="ci", scope=TokenScope.READ)
        Worker.objects.create(host="here", pid=number, started_at=now, seen_at=now)
        ProjectFactory()


@pytest.mark.parametrize(
    "address",
    [HOME, JOBS, AUDIT, "/admin/accounts/user/", "/admin/accounts/token/", "/admin/accounts/project/"],
)
def test_a_page_costs_the_same_for_one_row_and_for_many(console: Client, address: str) -> None:
    add_work(1)
    console.get(address)
    costs = []
    for more in (0, MANY):
        add_work(more)
        with CaptureQueriesContext(connection) as captured:
            console.get(address)
        costs.append(len(captured))
    assert costs[0] == costs[1]


def test_home_says_which_sources_fail_and_why(console: Client) -> None:
    assert shown(console, "failing") == ""
    source = SourceFactory(outcome="error", last_error="GitHub answered <b>451</b>.")
    SourceFactory()
    panel = shown(console, "failing")
    assert panel.count("<tr>") == 2
    assert "GitHub answered &lt;b&gt;451&lt;/b&gt;." in panel
    assert f'action="/admin/marketplace/source/{source.pk}/rescan/"' in panel


def test_home_counts_the_sources_that_fail_beyond_the_first_few(console: Client) -> None:
    SourceFactory.create_batch(9, outcome="error", last_error="No.")
    assert ">3 more</a>" in shown(console, "failing")


def test_home_counts_what_is_there_and_not_excluded_by_type_and_confidence(console: Client) -> None:
    now = timezone.now()
    EntryFactory(confidence=100)
    EntryFactory(confidence=35, type="hook")
    EntryFactory(removed_at=now)
    EntryFactory(excluded_at=now)
    panel = shown(console, "catalogue")
    assert '<span class="big">2</span> artifacts' in panel
    assert "<title>30-39%: 1 number</title>" in panel
    assert "<title>90-100%: 1 number</title>" in panel


def test_home_counts_scans_by_the_utc_day_on_which_they_ended(console: Client) -> None:
    source = SourceFactory()
    ended(source, JobStatus.SUCCEEDED)
    ended(source, JobStatus.FAILED, days=1)
    ended(source, JobStatus.FAILED, days=1)
    ended(source, JobStatus.FAILED, days=31)
    ended(source, JobStatus.SUCCEEDED, kind="refresh")
    panel = shown(console, "scans")
    today = datetime.now(UTC)
    assert f"<title>{today:%d %b}: 1 succeeded, 0 failed, 0 cancelled</title>" in panel
    assert f"<title>{today - timedelta(days=1):%d %b}: 0 succeeded, 2 failed, 0 cancelled</title>" in panel
    assert "1 succeeded, 2 failed, 0 cancelled</desc>" in panel


def test_home_says_what_is_left_of_githubs_quota_until_it_begins_anew(console: Client) -> None:
    now = timezone.now()
    job = ended(
        SourceFactory(),
        "succeeded",
        github_remaining=41,
        github_resets_at=now + timedelta(minutes=9, seconds=30),
    )
    panel = shown(console, "github")
    assert '<span class="big">41</span>' in panel
    assert ">in 9\xa0minutes</time>" in panel
    Job.objects.filter(pk=job.pk).update(github_resets_at=now - timedelta(seconds=1))
    assert "41" not in shown(console, "github")


def test_home_tells_what_runs_what_is_due_and_what_waits(console: Client) -> None:
    now = timezone.now()
    JobFactory(status=JobStatus.RUNNING)
    JobFactory(run_after=now - timedelta(hours=3))
    JobFactory(run_after=now + timedelta(minutes=20, seconds=30))
    panel = shown(console, "work")
    assert panel.count('<dd class="big">1</dd>') == 3
    assert ">3\xa0hours ago</time>" in panel
    assert ">in 20\xa0minutes</time>" in panel
    assert "No worker has reported yet." in panel


def test_home_shows_a_member_only_what_his_projects_have(member: Callable[..., User]) -> None:
    clerk = member(Role.VIEWER, is_staff=True)
    for name in ("view_source", "view_entry", "view_job"):
        clerk.user_permissions.add(_permission(name))
    hidden = SourceFactory(
        project=ProjectFactory(), repo_name="concealed", outcome="error", next_rescan_at=timezone.now()
    )
    EntryFactory(source=hidden, name="secret-skill")
    JobFactory(source=hidden, status=JobStatus.RUNNING)
    page = text(logged_in(clerk), HOME)
    assert "concealed" not in page
    assert "secret-skill" not in page
    assert '<dd class="big">1</dd>' not in page


def _permission(name: str) -> Any:
    return Permission.objects.get(codename=name)


# --- jobs ------------------------------------------------------------------------------------------------


@pytest.fixture
def running(operator: User) -> Job:
    now = timezone.now()
    values = {"started_at": now, "phase": "reading files", "done": 1, "total": 4, "attempt": 1}
    job: Job = JobFactory(status=JobStatus.RUNNING, source=SourceFactory(repo_name="tools"), **values)
    jobs.tell(job, "reading files", at=now, done=1, total=4, message="<i>half</i>")
    return job


def page_of(job: Job, page: str = "change") -> str:
    return reverse(f"admin:jobs_job_{page}", args=[job.pk])


def test_the_list_names_what_a_job_works_on_and_how_far_it_is(console: Client, running: Job) -> None:
    page = text(console, JOBS)
    assert ">ada/tools@main</a>" in page
    assert ">25%<" in page


def test_a_job_whose_subject_is_gone_is_listed_by_its_id(console: Client, running: Job) -> None:
    Source.objects.all().delete()
    assert running.subject_public_id in text(console, JOBS)
    assert running.subject_public_id in text(console, page_of(running))


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("state=live", {"running", "queued", "parked"}),
        ("state=waiting", {"parked"}),
        ("state=late", {"queued"}),
        ("state=failed", {"failed"}),
        ("state=lost", {"failed"}),
        ("ended=day", {"failed"}),
        ("kind=refresh", set()),
        ("project=nowhere", set()),
    ],
)
def test_the_filters_of_jobs_answer_their_questions(
    console: Client, question: str, answers: set[str]
) -> None:
    JobFactory(status=JobStatus.RUNNING, source__repo_name="running")
    JobFactory(source__repo_name="queued")
    JobFactory(source__repo_name="parked", run_after=timezone.now() + timedelta(hours=1))
    ended(SourceFactory(repo_name="failed"), JobStatus.FAILED, losses=1)
    ended(SourceFactory(repo_name="old"), JobStatus.SUCCEEDED, days=40)
    page = text(console, f"{JOBS}?{question}")
    assert {
        name for name in ("running", "queued", "parked", "failed", "old") if f"ada/{name}@" in page
    } == answers


def test_jobs_are_found_by_the_ids_that_people_see(console: Client, running: Job) -> None:
    JobFactory(source__repo_name="other")
    Job.objects.filter(pk=running.pk).update(request_id="req-7")
    for term in (running.public_id, running.subject_public_id, "req-7"):
        page = text(console, f"{JOBS}?q={term}")
        assert "ada/tools@" in page
        assert "ada/other@" not in page


def test_the_page_of_a_job_that_runs_asks_for_what_is_new(console: Client, running: Job) -> None:
    page = text(console, page_of(running))
    live = page_of(running, "live")
    assert f'data-progress="{live}"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    assert "&lt;i&gt;half&lt;/i&gt;" in page
    assert 'data-progress="' in text(console, live)
    jobs.end(running, JobStatus.CANCELLED, at=timezone.now())
    assert "data-progress" not in text(console, live)


def test_a_job_is_stopped_on_its_page_by_those_who_may(
    console: Client, running: Job, operator: User, member: Callable[..., User]
) -> None:
    for role, allowed in ((Role.ADMIN, ["view_job"]), (Role.VIEWER, ["view_job", "change_job"])):
        clerk = member(role, is_staff=True)
        clerk.user_permissions.set(map(_permission, allowed))
        assert "Stop" not in text(logged_in(clerk), page_of(running))
        assert logged_in(clerk).post(page_of(running, "stop")).status_code == 403
        logged_in(clerk).post(JOBS, {"action": "cancel", "_selected_action": [str(running.pk)]})
    console.post(page_of(running, "stop"))
    running.refresh_from_db()
    assert running.cancel_requested_at is not None
    assert AuditEvent.objects.get().verb == "job.cancelled"


def test_several_jobs_are_stopped_each_for_itself(console: Client, running: Job) -> None:
    over = ended(SourceFactory(repo_name="over"), JobStatus.SUCCEEDED)
    form = {"action": "cancel", "_selected_action": [str(running.pk), str(over.pk)]}
    answer = console.post(JOBS, form)
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert said[0] == f"Being stopped: {running}."
    assert "has already ended" in said[1]


def test_the_jobs_of_other_projects_are_not_shown(running: Job, member: Callable[..., User]) -> None:
    stranger = member(None, is_staff=True)
    stranger.user_permissions.add(_permission("view_job"))
    assert "ada/tools@" not in text(logged_in(stranger), JOBS)
    assert logged_in(stranger).get(page_of(running, "live")).status_code == 404


# --- the audit trail ---------------------------------------------------------------------------------------


@pytest.fixture
def events(project: Project, operator: User) -> Source:
    """Somebody changed a source, and the system deleted another."""
    kept, gone = (
        SourceFactory(repo_name="kept"),
        SourceFactory(repo_name="gone", project=ProjectFactory(slug="lab")),
    )
    for verb, source, by in (("source.updated", kept, operator), ("source.deleted", gone, None)):
        record(verb, source, project=source.project, by=by, at=timezone.now(), tags="<new>")
    return kept  # type: ignore[no-any-return]


def test_an_event_leads_to_what_it_is_about_while_that_is_there(console: Client, events: Source) -> None:
    page = text(console, AUDIT)
    assert f'<a href="/admin/marketplace/source/{events.pk}/change/">{events}</a>' in page
    assert "ada/gone@main</a>" not in page
    assert "tags: &lt;new&gt;" in page


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("when=hour", {"kept", "gone"}),
        ("who=people", {"kept"}),
        ("who=system", {"gone"}),
        ("who=beyond", set()),
        ("project=lab", {"gone"}),
        ("verb=source.updated", {"kept"}),
    ],
)
def test_the_filters_of_events_answer_their_questions(
    console: Client, events: Source, question: str, answers: set[str]
) -> None:
    page = text(console, f"{AUDIT}?{question}")
    assert {name for name in ("kept", "gone") if f"ada/{name}@" in page} == answers


def test_the_page_of_an_object_leads_to_its_own_events(console: Client, events: Source) -> None:
    address = f"{AUDIT}?object_id={events.pk}"
    assert f'href="{address}">History</a>' in text(console, f"/admin/marketplace/source/{events.pk}/change/")
    page = text(console, address)
    assert "ada/kept@" in page
    assert "ada/gone@" not in page


def test_cells_of_lists_name_their_columns_for_narrow_screens(console: Client, events: Source) -> None:
    assert '<td data-label="Who" class="field-who">the system</td>' in text(console, AUDIT)


def test_people_who_may_not_change_anything_see_no_menu_of_it(member: Callable[..., User]) -> None:
    clerk = member(Role.ADMIN, is_staff=True)
    clerk.user_permissions.add(_permission("view_job"))
    page = text(logged_in(clerk), HOME)
    assert "/admin/jobs/job/" in page
    assert "/admin/accounts/token/" not in page
