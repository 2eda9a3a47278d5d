"""What the console's home page says about sources and the catalogue.

Each panel costs one or two queries that an index answers, whatever the number of entries.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from marketplace.models import Entry, Source
from marketplace.models.source import SCAN
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.admin_pages import operator
from skillmeat_site.console import charts
from skillmeat_site.console.panels import Panel, register
from skillmeat_site.jobs.models import Job, JobStatus

DAYS = 30
OUTCOMES = ((JobStatus.SUCCEEDED, "good"), (JobStatus.FAILED, "bad"), (JobStatus.CANCELLED, "quiet"))
CLASS = 10  # percent
SHOWN = 6
QUOTA_PERIOD = timedelta(hours=1)  # of GitHub, as of its documentation on rate limits


def failing(request: HttpRequest) -> dict[str, Any] | None:
    sources = Source.objects.visible_to(operator(request)).failing()
    number = sources.count()
    if not number:
        return None
    first = sources.with_scan_status().defer("repo_readme", "manual_map")[:SHOWN]
    mine = Project.objects.with_role(operator(request), Role.EDITOR)
    may_rescan = mine if request.user.has_perm("marketplace.change_source") else mine.none()
    return {
        "sources": first,
        "more": number - SHOWN,
        "may_rescan": set(may_rescan.values_list("pk", flat=True)),
    }


def scans_per_day(request: HttpRequest) -> dict[str, Any]:
    today = timezone.now().astimezone(UTC).date()
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    counted = Job.objects.visible_to(operator(request)).ended_per_day(SCAN, since)
    series = [
        charts.Series(name=way.value, tone=tone, values=[counted.get(day, {}).get(way, 0) for day in days])
        for way, tone in OUTCOMES
    ]
    return {
        "chart": charts.columns(f"Scans that ended, {DAYS} days", [f"{day:%d %b}" for day in days], series)
    }


def catalogue(request: HttpRequest) -> dict[str, Any]:
    types: Counter[str] = Counter()
    classes: Counter[int] = Counter()
    for (kind, confidence), n in Entry.objects.visible_to(operator(request)).confidences().items():
        types[kind] += n
        classes[min(confidence, 99) // CLASS] += n
    labels = [f"{low}-{low + CLASS - 1}%" for low in range(0, 90, CLASS)] + ["90-100%"]
    return {
        "total": types.total(),
        "types": charts.bars("Artifacts by type", types.most_common()),
        "confidence": charts.histogram("By confidence", labels, [classes[n] for n in range(len(labels))]),
    }


def github(request: HttpRequest) -> dict[str, Any]:
    """What GitHub said last of the quota, if that was said in the present period of it."""
    now = timezone.now()
    recent = Job.objects.filter(kind=SCAN, finished_at__gte=now - QUOTA_PERIOD, github_resets_at__gt=now)
    last = (
        recent.order_by("-finished_at").values("github_remaining", "github_resets_at", "finished_at").first()
    )
    return {"last": last, "has_token": bool(settings.GITHUB_TOKEN), "now": now}


def due(request: HttpRequest) -> dict[str, Any]:
    scheduled = Source.objects.visible_to(operator(request)).exclude(next_rescan_at=None)
    return {"sources": scheduled.order_by("next_rescan_at").only(*_NAMES, "next_rescan_at")[:SHOWN]}


def newest(request: HttpRequest) -> dict[str, Any]:
    entries = Entry.objects.visible_to(operator(request)).counted().order_by("-id")
    return {"entries": _short(entries), "at": "first_seen_at", "none": "None yet: add a source to see some."}


def removed(request: HttpRequest) -> dict[str, Any]:
    entries = Entry.objects.visible_to(operator(request)).exclude(removed_at=None).order_by("-removed_at")
    return {"entries": _short(entries), "at": "removed_at", "none": "Whatever was found is still there."}


_NAMES = ("owner", "repo_name", "ref", "root_hint")


def _short(entries: Any) -> list[Entry]:
    """The first few: found by themselves, because a join leads SQLite to sort the whole table."""
    found = {pk: place for place, pk in enumerate(entries.values_list("pk", flat=True)[:SHOWN])}
    shown = ("name", "type", "first_seen_at", "removed_at", *(f"source__{name}" for name in _NAMES))
    rows = Entry.objects.filter(pk__in=found).select_related("source").only(*shown)
    return sorted(rows, key=lambda entry: found[entry.pk])


SOURCES, ENTRIES, JOBS = "marketplace.view_source", "marketplace.view_entry", "jobs.view_job"
for panel in (
    Panel(name="failing", title="Failing sources", order=10, facts=failing, needs=SOURCES, width=3),
    Panel(name="github", title="GitHub's quota", order=30, facts=github, needs=JOBS),
    Panel(name="due", title="Due next", order=40, facts=due, needs=SOURCES),
    Panel(name="catalogue", title="Catalogue", order=50, facts=catalogue, needs=ENTRIES, width=2),
    Panel(name="scans", title="Scans", order=60, facts=scans_per_day, needs=JOBS),
    Panel(name="newest", title="Newest artifacts", order=70, facts=newest, needs=ENTRIES),
    Panel(name="removed", title="Gone upstream", order=80, facts=removed, needs=ENTRIES),
):
    register(panel)
