"""The catalogue in the console: why things are there, what is in them, and leaving them out."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.admin import entries, pages
from marketplace.models import Entry, Manifest, Source, entry as entry_rows
from skillmeat_site.accounts.models import Role, User
from skillmeat_site.audit.models import AuditEvent
from tests.factories import EntryFactory, ProjectFactory, SourceFactory, stored

LIST = "/admin/marketplace/entry/"
SIGNALS = [{"name": "skill_file", "points": 55, "detail": "SKILL.md in a directory of its own"}]
FINDINGS = [{"code": "broken_link", "severity": "warning", "detail": "It links to nothing."}]
HOSTILE = b"# <script>alert(1)</script>\n\n![x](https://evil.example/x.png)\n"


def page(entry: Entry, name: str = "change") -> str:
    return reverse(f"admin:marketplace_entry_{name}", args=[entry.pk])


def with_files(**contents: bytes) -> Entry:
    """A skill with these files; `x_md` is called `x.md`."""
    files = {name.replace("_", "."): data for name, data in contents.items()}
    return EntryFactory(manifest=Manifest.objects.get(digest=stored(files).digest))


def listed(console: Client, **query: str) -> set[str]:
    return {entry.name for entry in console.get(LIST, query).context["cl"].result_list}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({"type": "hook"}, {"type": "hook"}),
        ({"status": "removed"}, {"removed_at": timezone.now()}),
        ({"status": "new"}, {"first_seen_at": timezone.now()}),
        ({"status": "updated"}, {"changed_at": timezone.now()}),
        ({"trust": "official"}, {"source__trust_level": "official"}),
        ({"sure": "low"}, {"confidence": 40}),
        ({"imported": "yes"}, {"imported_at": timezone.now()}),
        ({"excluded": "yes"}, {"excluded_at": timezone.now()}),
        ({"findings": "warning"}, {"findings": FINDINGS, "worst_finding": "warning"}),
    ],
    ids=lambda value: "-".join(map(str, value)),
)
def test_the_list_answers_a_question(console: Client, query: dict[str, str], values: dict[str, Any]) -> None:
    EntryFactory(name="meant", **values)
    EntryFactory(name="other")
    assert listed(console, **query) == {"meant"}


def test_what_is_gone_upstream_is_only_listed_when_asked_for(console: Client) -> None:
    EntryFactory(name="gone", removed_at=timezone.now())
    EntryFactory(name="there")
    assert (listed(console), listed(console, status="any")) == ({"there"}, {"gone", "there"})


def test_words_find_entries_of_all_sources_and_parts_of_names_those_of_one(
    console: Client, source: Source
) -> None:
    assert listed(console, q="pdf") == {"pdf"}
    assert listed(console, q="df") == set()
    assert listed(console, q="df", source__id__exact=str(source.pk)) == {"pdf"}


def test_a_scan_notes_the_worst_finding(source: Source) -> None:
    worst = {entry.worst_finding for entry in source.entries.all()}
    said = {entry.findings[0]["severity"] if entry.findings else "" for entry in source.entries.all()}
    assert worst == said


@pytest.mark.parametrize(("few", "counted"), [(3, 4), (10, 6)])
def test_the_number_of_rows_is_counted_so_far_and_no_further(
    console: Client, monkeypatch: pytest.MonkeyPatch, few: int, counted: int
) -> None:
    for module in (entries, pages):
        monkeypatch.setattr(module, "FEW", few)
    EntryFactory.create_batch(6, source=SourceFactory())
    listing = console.get(LIST).context["cl"]
    assert (listing.result_count, len(listing.result_list)) == (counted, 6)


def test_where_nobody_counts_the_page_does_not_say_a_number(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    EntryFactory.create_batch(6)
    assert "6 results" in console.get(LIST).content.decode()
    monkeypatch.setattr(pages, "FEW", 3)  # but as many are said as usual
    page = console.get(LIST).content.decode()
    assert "more than 1,000 entries" in page
    assert not re.search(r"\b1001 (results|entries|selected)", page)  # ids may have these digits, too


def test_the_list_costs_the_same_for_one_row_and_for_many(console: Client) -> None:
    EntryFactory()
    console.get(LIST)
    one = _cost(console, LIST)
    EntryFactory.create_batch(40)
    assert _cost(console, LIST) == one


def test_rows_are_ordered_by_confidence_and_age_both_ways(console: Client) -> None:
    """In one direction each, because an index of half a million rows has to serve it."""
    source = SourceFactory()
    low, first, second = (EntryFactory(source=source, confidence=each) for each in (40, 90, 90))
    shown = [list(console.get(LIST, {"o": order}).context["cl"].result_list) for order in ("3", "-3")]
    assert shown == [[low, first, second], [second, first, low]]


@pytest.mark.parametrize("few", [0, 200])
def test_the_entries_of_a_project_are_found_whether_it_has_few_sources_or_many(
    console: Client,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
) -> None:
    monkeypatch.setattr(entry_rows, "FEW_SOURCES", few)
    EntryFactory(name="theirs", source__project=ProjectFactory(slug="docs"))
    EntryFactory(name="ours")
    assert listed(console, project="docs") == {"theirs"}


@pytest.mark.parametrize("few", [0, 200])
def test_staff_see_the_entries_of_their_projects(
    member: Callable[..., User], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(entry_rows, "FEW_SOURCES", few)
    viewer = member(Role.VIEWER, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(content_type__app_label="marketplace"))
    client = Client()
    client.force_login(viewer)
    theirs, ours = EntryFactory(source__project=ProjectFactory()), EntryFactory(name="ours")
    assert listed(client) == {"ours"}
    assert (client.get(page(theirs)).status_code, client.get(page(ours)).status_code) == (302, 200)


def _cost(console: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert console.get(address).status_code == 200
    return len(captured)


def test_the_page_says_why_and_what_is_wrong(console: Client) -> None:
    parent = EntryFactory(type="plugin", name="pack")
    entry = EntryFactory(
        signals=SIGNALS,
        findings=FINDINGS,
        worst_finding="warning",
        frontmatter={"name": "<b>"},
        parent=parent,
    )
    shown = console.get(page(entry)).content.decode()
    assert "SKILL.md in a directory of its own" in shown
    assert "It links to nothing." in shown
    assert "&lt;b&gt;" in shown
    assert page(parent) in shown


def test_files_are_looked_at_safely(console: Client) -> None:
    entry = with_files(SKILL_md=HOSTILE, run_html=b"<b onclick=x>")
    for address in (page(entry), f"{page(entry, 'file')}?path=SKILL.md"):
        shown = console.get(address).content.decode()
        assert "&lt;script&gt;alert(1)" in shown
        assert "<img" not in shown
    assert "&lt;b onclick=x&gt;" in console.get(f"{page(entry, 'file')}?path=run.html").content.decode()
    assert "# &lt;script&gt;" in console.get(f"{page(entry, 'file')}?path=SKILL.md&as=text").content.decode()


@pytest.mark.parametrize("path", ["", "none.md", "../../etc/passwd"])
def test_a_file_that_an_artifact_does_not_have_is_absent(console: Client, path: str) -> None:
    assert console.get(page(with_files(SKILL_md=b"x"), "file"), {"path": path}).status_code == 404


def test_what_cannot_be_shown_says_why(console: Client) -> None:
    entry = with_files(SKILL_md=b"x")
    rows = [
        entry.manifest.files[0] | {"path": "link", "kind": "symlink"},
        entry.manifest.files[0] | {"path": "large", "digest": None},
        entry.manifest.files[0] | {"path": "lost", "digest": "f" * 64},
    ]
    Manifest.objects.filter(pk=entry.manifest_id).update(files=rows)
    said = [console.get(page(entry, "file"), {"path": row["path"]}).context["view"] for row in rows]
    assert [text.split()[0:3] for text in said] == [
        ["A", "symlink", "is"],
        ["Its", "bytes", "are"],
        ["The", "file", "f" * 64],
    ]


def test_an_entry_is_excluded_with_a_reason_and_restored(console: Client) -> None:
    entry = EntryFactory()
    console.post(page(entry, "exclude"), {"reason": "not ours"})
    entry.refresh_from_db()
    assert (bool(entry.excluded_at), entry.excluded_reason) == (True, "not ours")
    assert console.get(page(entry, "exclude")).status_code == 403
    assert b"not ours" in console.get(page(entry, "restore")).content
    console.post(page(entry, "restore"))
    entry.refresh_from_db()
    assert entry.excluded_at is None
    assert list(AuditEvent.objects.order_by("id").values_list("verb", flat=True)) == [
        "entry.excluded",
        "entry.restored",
    ]


def test_many_are_excluded_with_one_reason_and_restored_one_by_one(console: Client) -> None:
    chosen = EntryFactory.create_batch(2)
    sent = {"action": "exclude", "_selected_action": [str(entry.pk) for entry in chosen]}
    assert b'name="reason"' in console.post(LIST, sent).content
    console.post(LIST, sent | {"_sent": "1", "reason": "samples"})
    assert set(Entry.objects.values_list("excluded_reason", flat=True)) == {"samples"}
    console.post(LIST, sent | {"action": "restore"})
    assert not Entry.objects.exclude(excluded_at=None).exists()


def test_a_page_of_an_entry_changes_nothing(console: Client) -> None:
    entry = EntryFactory()
    console.post(page(entry), {"name": "other"})
    entry.refresh_from_db()
    assert entry.name != "other"
    assert console.post(page(entry, "delete"), {"post": "yes"}).status_code == 403
