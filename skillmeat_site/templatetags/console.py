"""The kit's marks in templates: `{% load console %}`, then `{{ job.status|badge }}`."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from skillmeat_site.admin_pages import marks

register = template.Library()
for mark in (marks.ago, marks.badge, marks.bar, marks.chips, marks.code):
    register.filter(mark.__name__, mark)


@register.filter
def attribute(obj: object, name: str) -> object:
    return getattr(obj, name)


@register.filter
def labelled(cells: Iterable[SafeString], headers: Iterable[dict[str, Any]]) -> list[SafeString]:
    """Django's cells of a list's row, each with the name of its column, which a card shows."""
    names = (strip_tags(str(header["text"])).strip() for header in headers)
    return [_named(cell, capfirst(name)) for cell, name in zip(cells, names, strict=False)]


def _named(cell: SafeString, name: str) -> SafeString:
    label = format_html('<td data-label="{}"', name)
    return mark_safe(cell.replace("<td", label, 1)) if cell.startswith("<td") and name else cell  # noqa: S308  both are
