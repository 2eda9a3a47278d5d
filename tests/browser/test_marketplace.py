"""Sources and the catalogue in a browser: a pasted link becomes a catalogue, and everybody can use each page."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Entry, Manifest, Source
from skillmeat_site.accounts.models import User
from skillmeat_site.jobs.models import Worker
from tests.factories import EntryFactory, JobFactory, SourceFactory, stored
from tests.github.repositories import Repository
from tests.scanning import FILES, Drain

Open = Callable[..., Any]
Check = Callable[[Any], None]
DOCUMENT = b"""---
name: pdf
---
# Read <script>alert(1)</script>

![x](https://evil.example/x.png)

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture(autouse=True)
def a_worker(operator: User) -> None:
    now = timezone.now()
    Worker.objects.create(host="here", pid=1, started_at=now, seen_at=now)


@pytest.fixture
def entry() -> Entry:
    manifest = Manifest.objects.get(digest=stored({"SKILL.md": DOCUMENT, "run.sh": b"echo\n"}).digest)
    source = SourceFactory(
        last_error="GitHub answered 502.", outcome="error", tags=["docs"], counts_by_type={"skill": 2}
    )
    EntryFactory(source=source, excluded_at=timezone.now(), excluded_reason="not ours")
    finding = {"code": "broken_link", "severity": "warning", "detail": "It links to nothing."}
    return EntryFactory(  # type: ignore[no-any-return]
        source=source,
        name="pdf",
        path="skills/pdf",
        locator="skills/pdf",
        manifest=manifest,
        signals=[{"name": "skill_file", "points": 55, "detail": "SKILL.md"}],
        findings=[finding],
        worst_finding="warning",
        frontmatter={"name": "pdf"},
    )


def test_every_page_can_be_used_by_everybody(visit: Open, sound: Check, entry: Entry, screen: Any) -> None:
    JobFactory(source=entry.source, status="running", phase="reading files", done=1, total=4)
    page = visit("/admin/", screen)
    for name in ("source_changelist", "entry_changelist", "source_add"):
        page.goto(reverse(f"admin:marketplace_{name}"))
        sound(page)
    for name in ("source_change", "source_manual-map", "source_settings"):
        page.goto(reverse(f"admin:marketplace_{name}", args=[entry.source_id]))
        sound(page)
    for name in ("entry_change", "entry_exclude", "entry_file"):
        page.goto(reverse(f"admin:marketplace_{name}", args=[entry.pk]) + "?path=SKILL.md")
        sound(page)


def test_a_pasted_link_becomes_a_catalogue_with_the_keyboard_alone(
    visit: Open, sound: Check, on_github: Any, drain: Drain, django_capture_on_commit_callbacks: Any
) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    page = visit("/admin/marketplace/source/add/")
    page.keyboard.type(f"{on_github.web_url}/ada/tools")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add and scan").focus()
    sound(page)
    page.keyboard.press("Enter")
    page.locator("[data-progress]").wait_for()
    assert drain() == 1
    page.locator("#catalogue").get_by_role("link", name="pdf", exact=True).wait_for()  # the page saw the end


def test_a_preview_of_the_map_is_seen_before_it_is_saved(
    visit: Open, sound: Check, on_github: Any, drain: Drain, screen: Any
) -> None:
    on_github.add(Repository("ada", "tools", FILES))
    page = visit("/admin/marketplace/source/add/", screen)
    page.get_by_label("Link").fill(f"{on_github.web_url}/ada/tools")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("button", name="Add and scan").click()
    page.locator("[data-progress]").wait_for()
    drain()
    source = Source.objects.get()
    page.goto(reverse("admin:marketplace_source_manual-map", args=[source.pk]))
    page.get_by_label("What skills/pdf holds").select_option("nothing")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="Preview: 1 change, 2 as before").wait_for()
    sound(page)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/change/")
    source.refresh_from_db()
    assert source.manual_map == {"skills/pdf": None}
