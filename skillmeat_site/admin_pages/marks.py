"""Small pieces of HTML that say one thing each; whatever is passed in is escaped.

They use classes only, because the content security policy allows no inline style, and say with words and shapes
what they say with colours.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.timesince import timesince

# Tone -> its shape, and the words that have it. A word that is not listed is quiet.
TONES: Mapping[str, tuple[str, frozenset[str]]] = {
    "good": (
        "✓",
        frozenset(
            {"success", "succeeded", "imported", "refreshed", "official", "verified", "alive", "valid"}
        ),
    ),
    "bad": ("✕", frozenset({"error", "failed", "conflict", "missing", "danger"})),
    "warn": (
        "!",
        frozenset(
            {"partial", "incomplete", "untrusted", "warning", "edited", "outdated", "missed", "silent"}
        ),
    ),
    "busy": ("▸", frozenset({"scanning", "running", "queued", "waiting"})),
    "new": ("+", frozenset({"new", "create", "created", "extra", "info"})),
    "changed": ("~", frozenset({"updated", "update", "merge", "merged", "changed"})),
    "gone": ("⊘", frozenset({"removed", "remove", "deleted", "excluded", "revoked", "expired"})),
}
QUIET = ("quiet", "○")
MOMENT = timedelta(minutes=1)


def tone(word: str) -> tuple[str, str]:
    """(tone, shape) of a state, outcome or trust level."""
    for name, (shape, words) in TONES.items():
        if word in words:
            return name, shape
    return QUIET


def badge(status: str, text: str = "") -> SafeString:
    """A state as a word with a colour and a shape; `text` is shown instead of the word."""
    if not status:
        return SafeString()
    name, shape = tone(status)
    return format_html(
        '<span class="badge badge-{}"><span class="shape" aria-hidden="true">{}</span>{}</span>',
        name,
        shape,
        text or status,
    )


def bar(percent: int | None, label: str = "confidence") -> SafeString:
    """A part of a whole: a bar and its number. `label` says of what, to those who do not see the page.

    None is a whole of unknown size.
    """
    if percent is None:
        return format_html('<span class="quiet">{}</span>', "—")
    width = max(0, min(100, percent))
    return format_html(
        '<span class="bar" title="{}"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-whole" width="100" height="8"/><rect class="bar-part" width="{}" height="8"/></svg>'
        '<span class="visually-hidden">{} </span><span class="bar-number">{}%</span></span>',
        label,
        width,
        label,
        percent,
    )


def ago(at: datetime | None, now: datetime | None = None, *, never: str = "never") -> SafeString:
    """When something was or will be, in words; the exact UTC time is its title."""
    if at is None:
        return format_html('<span class="quiet">{}</span>', never)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        _in_words(at, now or timezone.now()),
    )


def _in_words(at: datetime, now: datetime) -> str:
    distance = now - at
    if abs(distance) < MOMENT:
        return "just now" if distance >= timedelta(0) else "in a moment"
    past = distance > timedelta(0)
    words = timesince(*((at, now) if past else (now, at)), depth=1)
    return f"{words} ago" if past else f"in {words}"


def chips(words: Mapping[str, int] | Iterable[str]) -> SafeString:
    """Short words side by side: tags, or counts by type, the largest first."""
    if isinstance(words, Mapping):
        counted = sorted(words.items(), key=lambda item: (-item[1], item[0]))
        items = format_html_join("", "<li>{} <b>{}</b></li>", ((word, f"{n:,}") for word, n in counted if n))
    else:
        items = format_html_join("", "<li>{}</li>", ((word,) for word in words))
    return format_html('<ul class="chips">{}</ul>', items) if items else SafeString()


def code(text: str, *, chars: int | None = None) -> SafeString:
    """A path, a commit, an id: in the machine's font; cut after `chars`, with the whole as its title."""
    if not text:
        return SafeString()
    if chars is None or len(text) <= chars:
        return format_html("<code>{}</code>", text)
    return format_html('<code title="{}">{}…</code>', text, text[:chars])


def facts(rows: Iterable[tuple[str, Any]]) -> SafeString:
    """Names and values; a value that is empty is left out."""
    shown = ((capfirst(name), value) for name, value in rows if value not in (None, ""))
    return format_html(
        '<dl class="facts">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", shown)
    )


def table(
    headings: Iterable[str], rows: Iterable[Iterable[Any]], *, caption: str = "", empty: str = "Nothing."
) -> SafeString:
    """A table that becomes a list of cards on a narrow screen; the first cell of a row names the row."""
    titles = [capfirst(heading) for heading in headings]
    body = format_html_join("", "{}", ((_row(titles, list(cells)),) for cells in rows))
    if not body:
        return format_html('<p class="quiet">{}</p>', empty)
    return format_html(
        '<table class="rows">{}<thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        format_html("<caption>{}</caption>", caption) if caption else "",
        format_html_join("", '<th scope="col">{}</th>', ((title,) for title in titles)),
        body,
    )


def _row(titles: list[str], cells: list[Any]) -> SafeString:
    first, *others = cells
    named = zip(titles[1:], others, strict=True)
    return format_html(
        '<tr><th scope="row">{}</th>{}</tr>',
        first,
        format_html_join("", '<td data-label="{}">{}</td>', named),
    )
