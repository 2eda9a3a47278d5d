"""What the home page shows: each app registers panels of its own facts, so this room knows none of them.

    panels.register(Panel(name="due", title="Due", order=50, template="admin/panels/due.html", facts=due))

said in the `admin.py` of the app; the ground's own (jobs, workers) are in this room. `facts(request)` gives the
template's context, or None when there is nothing to show. Each has to cost a constant number of queries, and to
stay quick with 10,000 sources and 500,000 entries.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from skillmeat_site.admin_pages import operator

Facts = Callable[[HttpRequest], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """`needs` is the permission without which it is not shown; `width` is 1 to 3 of the page's columns."""

    name: str
    title: str
    order: int
    template: str
    facts: Facts
    needs: str = ""
    width: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    panel: Panel
    body: SafeString


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    _panels[panel.name] = panel


def shown(request: HttpRequest) -> list[Shown]:
    """The panels that this person may see and that have something to show, in their order."""
    user = operator(request)
    panels = sorted(_panels.values(), key=lambda panel: (panel.order, panel.name))
    found = (
        (panel, panel.facts(request)) for panel in panels if not panel.needs or user.has_perm(panel.needs)
    )
    return [
        Shown(panel=panel, body=render_to_string(panel.template, dict(facts), request))
        for panel, facts in found
        if facts is not None
    ]
