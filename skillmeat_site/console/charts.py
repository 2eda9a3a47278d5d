"""Numbers as pictures: pure functions from data to inline SVG, each with the same numbers as a table.

No script and no inline style. Texts stand outside of the pictures, which are stretched to the page's width.
Tones have a pattern each (see console.css), so that stacked parts differ without colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify

HEIGHT = 100
STEP = 10
GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One part of each column. `tone` is good, bad, warn, busy, new, changed, gone or quiet, as of a badge."""

    name: str
    tone: str
    values: Sequence[int]


def columns(title: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    """Stacked columns, one for each label; `title` says what is counted."""
    tallest = max((sum(parts) for parts in zip(*(each.values for each in series), strict=True)), default=0)
    stacks = format_html_join(
        "", "{}", ((_stack(place, label, series, tallest),) for place, label in enumerate(labels))
    )
    scale = format_html('<span class="chart-top" aria-hidden="true">{}</span>', f"{tallest:,}")
    picture = _picture(title, _said(series), max(1, len(labels)) * STEP, stacks)
    ends = (labels[0], labels[-1]) if labels else ("", "")
    axis = format_html(
        '<div class="chart-axis" aria-hidden="true"><span>{}</span><span>{}</span></div>', *ends
    )
    return _figure(title, (scale, picture, axis, _legend(series)), _table(title, labels, series))


def histogram(title: str, labels: Sequence[str], counts: Sequence[int]) -> SafeString:
    """How many fall into each class; the same as columns of one part."""
    return columns(title, labels, (Series(name="number", tone="plain", values=counts),))


def bars(title: str, rows: Sequence[tuple[str, int]]) -> SafeString:
    """Horizontal bars, a table that shows its numbers as lengths too."""
    longest = max((value for _, value in rows), default=0) or 1
    body = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td class="bars-picture"><svg viewBox="0 0 100 8" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="bar-part" width="{}" height="8"/></svg></td>'
        '<td class="bars-number">{}</td></tr>',
        ((label, round(100 * value / longest, 2), f"{value:,}") for label, value in rows),
    )
    return format_html(
        '<table class="bars"><caption class="visually-hidden">{}</caption><tbody>{}</tbody></table>',
        title,
        body,
    )


def _stack(place: int, label: str, series: Sequence[Series], tallest: int) -> SafeString:
    parts, base = [], float(HEIGHT)
    for each in series:
        height = HEIGHT * each.values[place] / (tallest or 1)
        base -= height
        if height:
            parts.append((each.tone, place * STEP, round(base, 2), STEP - GAP, round(height, 2)))
    said = ", ".join(f"{each.values[place]:,} {each.name}" for each in series)
    rects = format_html_join("", '<rect class="tone-{}" x="{}" y="{}" width="{}" height="{}"/>', parts)
    return format_html(
        '<g><title>{}: {}</title><rect class="chart-hit" x="{}" width="{}" height="{}"/>{}</g>',
        label,
        said,
        place * STEP,
        STEP,
        HEIGHT,
        rects,
    )


def _picture(title: str, said: str, width: int, inside: SafeString) -> SafeString:
    name = slugify(title)
    return format_html(
        '<svg role="img" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}</svg>',
        width,
        HEIGHT,
        name,
        name,
        name,
        title,
        name,
        said,
        inside,
    )


def _said(series: Sequence[Series]) -> str:
    return ", ".join(f"{sum(each.values):,} {each.name}" for each in series)


def _legend(series: Sequence[Series]) -> SafeString:
    if len(series) == 1:
        return SafeString()
    parts = ((each.tone, each.name, f"{sum(each.values):,}") for each in series)
    items = format_html_join(
        "",
        '<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="tone-{}" width="10" height="10"/></svg>'
        "{} <b>{}</b></li>",
        parts,
    )
    return format_html('<ul class="legend">{}</ul>', items)


def _table(title: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    heads = format_html_join("", '<th scope="col">{}</th>', ((each.name,) for each in series))
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (label, format_html_join("", "<td>{}</td>", ((f"{each.values[place]:,}",) for each in series)))
            for place, label in enumerate(labels)
        ),
    )
    return format_html(
        '<table><caption class="visually-hidden">{}</caption><thead><tr><td></td>{}</tr></thead>'
        "<tbody>{}</tbody></table>",
        title,
        heads,
        rows,
    )


def _figure(title: str, parts: Sequence[SafeString], numbers: SafeString) -> SafeString:
    return format_html(
        '<figure class="chart"><figcaption>{}</figcaption>{}<details><summary>Numbers</summary>'
        '<div class="scrolls" tabindex="0" role="region" aria-label="{}">{}</div></details></figure>',
        title,
        format_html_join("", "{}", ((each,) for each in parts)),
        f"Numbers: {title}",
        numbers,
    )
