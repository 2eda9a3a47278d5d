"""What pages show of sources and entries, as pieces of HTML."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from marketplace.models import Entry, Source
from skillmeat_site.admin_pages import ago, badge, bar, chips, code, facts, link, list_address, table
from skillmeat_site.rendering import preformatted

BEST, EXCLUSIONS, SUGGESTED, REASONS = 25, 25, 10, 3


def shortened(text: str, chars: int) -> SafeString | str:
    """The beginning of a text, with the whole as its title."""
    return text if len(text) <= chars else format_html('<span title="{}">{}…</span>', text, text[:chars])


def outside(address: str, text: str) -> SafeString:
    """A link to the host, which learns nothing from it."""
    return format_html('<a href="{}" rel="noopener noreferrer">{}</a>', address, text)


def source_facts(source: Source) -> SafeString:
    remote = not source.repo_url.startswith("file:")
    return facts(
        [
            ("State", badge(source.scan_status)),
            ("Last scan", ago(source.last_sync_at)),
            ("Next scan", ago(source.next_rescan_at, never="when asked")),
            ("Artifacts", chips(source.counts_by_type) or "none"),
            ("Trust", badge(source.trust_level)),
            ("Visibility", source.visibility),
            ("Repository", outside(source.repo_url, source.repo_url) if remote else code(source.repo_url)),
            ("Commit", code(source.resolved_sha, chars=12)),
            ("Tags", chips(source.tags)),
            ("Topics upstream", chips(source.suggested_tags)),
            ("Project", source.project.slug),
            ("Id", code(source.public_id)),
        ]
    )


def catalogue(source: Source) -> dict[str, Any]:
    """The surest of what counts, everything that was excluded, and repositories that a manifest points to."""
    entries = source.entries.defer("frontmatter", "search_text")
    best = list(entries.counted().order_by("-confidence", "path", "id")[:BEST])
    excluded = list(entries.exclude(excluded_at=None).order_by("-excluded_at")[:EXCLUSIONS])
    return {
        "catalogue": table(("Artifact", "Confidence", "Why", "Findings", ""), map(_entry_row, best)),
        "catalogue_address": list_address(Entry, source__id__exact=source.pk),
        "exclusions": table(
            ("Artifact", "Excluded", "Reason", ""),
            map(_exclusion_row, excluded),
            empty="Nothing is excluded.",
        ),
        "suggested": table(
            ("Name", "Where", "Description"),
            (
                (each["name"], code(each["url"]), each["description"])
                for each in source.suggested_sources[:SUGGESTED]
            ),
        )
        if source.suggested_sources
        else "",
    }


def _entry_row(entry: Entry) -> tuple[Any, ...]:
    address = reverse("admin:marketplace_entry_exclude", args=[entry.pk])
    return (
        format_html("{} {}<br>{}", link(entry, entry.name), chips([entry.type]), code(entry.path)),
        bar(entry.confidence),
        reasons(entry.signals),
        worst(entry),
        format_html('<a href="{}">Exclude<span class="visually-hidden"> {}</span>…</a>', address, entry.name),
    )


def _exclusion_row(entry: Entry) -> tuple[Any, ...]:
    address = reverse("admin:marketplace_entry_restore", args=[entry.pk])
    return (
        format_html("{} {}<br>{}", link(entry, entry.name), chips([entry.type]), code(entry.path)),
        ago(entry.excluded_at),
        entry.excluded_reason or "—",
        format_html('<a href="{}">Restore<span class="visually-hidden"> {}</span>…</a>', address, entry.name),
    )


def worst(entry: Entry) -> SafeString | str:
    """How many findings there are, and how bad the worst is."""
    return badge(entry.worst_finding, f"{len(entry.findings)} ({entry.worst_finding})") or "none"


def reasons(signals: Iterable[Mapping[str, Any]]) -> SafeString:
    """The weightiest signals, in short."""
    heavy = sorted(signals, key=lambda signal: -abs(signal["points"]))[:REASONS]
    return format_html_join(
        " ", '<span class="reason">{} {}</span>', ((each["name"], f"{each['points']:+}") for each in heavy)
    )


def signals(entry: Entry) -> SafeString:
    rows = ((each["name"], f"{each['points']:+}", each["detail"] or "—") for each in entry.signals)
    return table(("Signal", "Points", "What was seen"), rows, empty="There is none.")


def findings(entry: Entry) -> SafeString:
    rows = ((each["code"], badge(each["severity"]), each["detail"]) for each in entry.findings)
    return table(("Rule", "Severity", "What was found"), rows, empty="It breaks no rule of its format.")


def frontmatter(entry: Entry) -> SafeString | str:
    if not entry.frontmatter:
        return ""
    return preformatted(json.dumps(entry.frontmatter, indent=2, ensure_ascii=False, default=str))
