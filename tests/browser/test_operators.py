"""What operators do all day, in a browser: log in, see how it goes, find what fails, mend it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Source
from marketplace.operations import scans, sources
from marketplace.operations.readers import locate
from skillmeat_site.accounts.models import Project, Token, TokenScope, User
from skillmeat_site.jobs.models import Job, JobStatus, Trigger, Worker
from tests.factories import EntryFactory, JobFactory, SourceFactory
from tests.github.faults import Respond
from tests.github.repositories import Repository
from tests.scanning import FILES, Drain

Open = Callable[..., Any]
Check = Callable[[Any], None]
SHORT = ("index", "jobs_job_changelist", "audit_auditevent_changelist", "accounts_project_changelist")
LISTS = (*SHORT, "accounts_user_changelist", "accounts_token_changelist", "accounts_token_add")


@pytest.fixture
def busy(operator: User, project: Project) -> Job:
    """An installation in the middle of its work; the job that runs."""
    now = timezone.now()
    Worker.objects.create(host="here", pid=1, started_at=now, seen_at=now)
    failing = SourceFactory(
        outcome="error", last_error="GitHub answered 502 three times.", repo_name="broken"
    )
    EntryFactory.create_batch(3, source=failing, first_seen_at=now)
    EntryFactory(source=failing, removed_at=now, type="hook")
    for days, status in enumerate((JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)):
        ended = now - timedelta(days=days)
        JobFactory(source=failing, status=status, started_at=ended, finished_at=ended)
    Token.objects.issue(user=operator, name="ci", scope=TokenScope.READ)
    running = JobFactory(
        status=JobStatus.RUNNING, started_at=now, phase="reading files", done=1, total=4, attempt=1
    )
    scans.request(source=failing, by=operator, at=now, trigger=Trigger.MANUAL)
    return running  # type: ignore[no-any-return]


def test_every_page_can_be_used_by_everybody(visit: Open, sound: Check, busy: Job, screen: Any) -> None:
    page = visit("/admin/", screen)
    addresses = [reverse(f"admin:{name}") for name in LISTS]
    addresses += [reverse("admin:jobs_job_change", args=[busy.pk])]
    for address in addresses:
        page.goto(address)
        sound(page)


def test_one_logs_in_with_the_keyboard_alone(visit: Open, sound: Check, screen: Any) -> None:
    page = visit("/admin/", screen, logged_in=False)
    sound(page)
    page.keyboard.type("operator")
    page.keyboard.press("Tab")
    page.keyboard.type("a good secret")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Console").wait_for()


def test_the_menu_opens_with_the_keyboard_and_leads_to_the_list(visit: Open, screen: Any) -> None:
    page = visit("/admin/", screen)
    summary = page.get_by_role("navigation", name="Pages").get_by_text("Jobs", exact=True).first
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/jobs/job/")


def test_a_failing_source_is_found_on_the_home_page_and_mended(
    visit: Open, sound: Check, on_github: Any, project: Project, drain: Drain
) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    new = sources.NewSource(location=locate(f"{on_github.web_url}/ada/tools"), ref="main")
    on_github.fail("/commits/", Respond(451, b'{"message": "Repository access blocked"}'), times=9)
    source = sources.create(new=new, project=project, by=None, at=timezone.now())
    drain()
    page = visit("/admin/")
    failing = page.get_by_role("region", name="Failing sources")
    assert "Repository access blocked" in failing.inner_text()
    on_github.mend()
    failing.get_by_role("button", name="Scan again").click()
    page.locator(".messagelist").get_by_text("queued").wait_for()
    drain()
    page.reload()
    assert page.get_by_role("region", name="Failing sources").count() == 0
    assert "3 artifacts" in page.get_by_role("region", name="Catalogue").inner_text()
    assert Source.objects.get(pk=source.pk).outcome == "success"
    sound(page)


def test_a_job_is_watched_until_it_has_ended(
    visit: Open, on_github: Any, project: Project, drain: Drain
) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    new = sources.NewSource(location=locate(f"{on_github.web_url}/ada/tools"), ref="main")
    sources.create(new=new, project=project, by=None, at=timezone.now())
    page = visit("/admin/jobs/job/")
    assert "ada/tools@main" in page.locator("#result_list").inner_text()
    page.get_by_role("link", name="ada/tools@main").click()
    page.locator("#live").get_by_text("queued").first.wait_for()
    drain()
    page.locator("#live .badge").get_by_text("succeeded").wait_for()
    assert page.locator("#live[data-progress]").count() == 0


def test_a_job_is_stopped_with_one_button(visit: Open, busy: Job) -> None:
    queued = Job.objects.get(status=JobStatus.QUEUED)
    page = visit(reverse("admin:jobs_job_change", args=[queued.pk]))
    page.get_by_role("button", name="Stop").click()
    page.locator("#live .badge").get_by_text("cancelled").wait_for()
    queued.refresh_from_db()
    assert queued.status == JobStatus.CANCELLED
