"""What people decide day by day, in a browser: what counts, what is taken over, who may call, and what is scanned."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from collections_app.models import Artifact, Collection
from marketplace.models import Entry, Source
from marketplace.operations import sources
from marketplace.operations.readers import locate
from skillmeat_site.accounts.models import Project, Token, User
from skillmeat_site.jobs.models import Job, JobStatus
from tests.browsing import Check, Open, follow, press, row, select, told
from tests.factories import JobFactory, SourceFactory
from tests.github.repositories import Repository
from tests.scanning import FILES, Drain, fresh, skill


@pytest.fixture
def tools(on_github: Any) -> Repository:
    repository = Repository("ada", "tools", FILES)
    on_github.add(repository)
    return repository


@pytest.fixture
def source(operator: User, project: Project, tools: Repository, on_github: Any, drain: Drain) -> Source:
    """ada/tools, scanned: the skills pdf and csv and the command deploy."""
    new = sources.NewSource(location=locate(f"{on_github.web_url}/ada/tools"), ref="main")
    made = sources.create(new=new, project=project, by=None, at=timezone.now())
    drain()
    return fresh(made)


@pytest.fixture
def collection(source: Source, api: APIClient) -> Collection:
    """The default collection with everything of ada/tools."""
    wanted = {"entry_ids": [entry.public_id for entry in source.entries.all()]}
    assert api.post(f"/api/v1/marketplace/sources/{source.public_id}/import", wanted).status_code == 200
    return Collection.objects.get()


def test_what_is_excluded_stays_out_until_it_is_restored(
    visit: Open, sound: Check, source: Source, drain: Drain, screen: Any
) -> None:
    page = visit(reverse("admin:marketplace_source_change", args=[source.pk]), screen)
    follow(page, "Exclude pdf …")
    page.get_by_label("Reason").fill("We have our own.")
    sound(page)
    press(page, "Exclude")
    told(page, "is excluded, whatever scans find.")

    follow(page, "ada/tools@main")
    press(page, "Scan again, reading everything")
    assert drain() == 1
    page.locator("[data-progress]").wait_for(state="detached")
    assert "We have our own." in row(page.locator("#exclusions"), "pdf").inner_text()
    assert row(page.locator("#catalogue"), "pdf").count() == 0
    entry = Entry.objects.get(name="pdf")
    assert (entry.excluded_reason, fresh(source).artifact_count) == ("We have our own.", 2)

    follow(page, "Restore pdf …")
    page.get_by_text("We have our own.").wait_for()
    sound(page)
    press(page, "Restore")
    told(page, "counts again.")
    entry.refresh_from_db()
    assert (entry.excluded_at, fresh(source).artifact_count) == (None, 3)


def test_what_is_new_upstream_is_looked_at_taken_over_and_rolled_back(
    visit: Open, sound: Check, collection: Collection, tools: Repository, screen: Any
) -> None:
    tools.commit({"skills/pdf/SKILL.md": skill("pdf", "It reads scans, too.")})
    pdf = collection.artifacts.select_related("current").get(name="pdf")
    page = visit(reverse("admin:collections_app_collection_change", args=[collection.pk]), screen)
    follow(page, "Refresh…")
    press(page, "Look upstream")
    assert "new content" in row(page, "pdf").inner_text()
    assert row(page, "csv").count() == 0
    sound(page)
    assert pdf.versions.count() == 1

    page.get_by_label("words and new content").check()
    press(page, "Take over")
    assert "refreshed" in row(page, "pdf").inner_text()
    follow(page, "pdf")
    follow(page, "what it changed")
    assert page.locator("ins").all_inner_texts() == ["+It reads scans, too."]
    assert page.locator("del").all_inner_texts() == ["-It reads files."]
    sound(page)

    page.go_back()
    follow(page, "roll back…")
    assert page.locator("ins").all_inner_texts() == ["+It reads files."]
    sound(page)
    press(page, "Roll back")
    told(page, "pdf has the content of version 1 again.")
    now = Artifact.objects.select_related("current").get(pk=pdf.pk).current
    assert (now.number, now.content_digest) == (3, pdf.current.content_digest)


def test_the_secret_of_a_token_is_shown_once(
    visit: Open, sound: Check, multi_user: None, screen: Any
) -> None:
    page = visit(reverse("admin:accounts_token_add"), screen)
    page.get_by_label("User").select_option("operator")
    page.get_by_label("Name").fill("ci")
    press(page, "Save")
    secret = page.get_by_label("The secret of the token").input_value()
    sound(page)
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/me").json()["user"]["username"] == "operator"

    page.reload()
    page.get_by_text("already exists").wait_for()  # the form was sent again, and makes no second token
    assert secret not in page.content()
    page.goto(reverse("admin:accounts_token_changelist"))
    assert secret not in page.content()
    follow(page, "ci")
    assert secret not in page.content()
    assert secret not in str(Token.objects.values().get())


def test_many_sources_are_scanned_and_scheduled_and_each_says_what_became_of_it(
    visit: Open, sound: Check, screen: Any
) -> None:
    idle, busy, _ = (SourceFactory(repo_name=name) for name in ("idle", "busy", "other"))
    JobFactory(source=busy, status=JobStatus.RUNNING)
    page = visit(reverse("admin:marketplace_source_changelist"), screen)
    select(page, "Scan again", "idle", "busy")
    told(page, "Scan queued: ada/idle@main.")
    told(page, "ada/busy@main: A scan is already running")
    sound(page)
    assert [job.subject_id for job in Job.objects.filter(status=JobStatus.QUEUED)] == [idle.pk]

    select(page, "Scan by a schedule…", "idle", "other")
    page.get_by_label("Scan:", exact=True).select_option("every hour")
    sound(page)
    press(page, "Scan by a schedule")
    told(page, "Schedule set: ada/")
    select(page, "Scan only when asked", "other")
    told(page, "Schedule ended: ada/other@main.")
    assert "when asked" in row(page, "other").inner_text()
    intervals = dict(Source.objects.values_list("repo_name", "rescan_interval"))
    assert intervals == {"idle": 3600, "busy": None, "other": None}
