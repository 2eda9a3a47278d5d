"""What apps add to a model's pages, whoever owns the model: journeys, actions and panels.

Said once, in the `admin.py` of the app that adds, and asked for by `ConsoleAdmin`, so that the app that owns the
model need not know who looks at it from above:

    @added.journey(Source)
    class ImportPage(JourneyPage): ...

    @added.action(Source)
    @admin.action(description="Import all", permissions=["view"])
    def import_all(page, request, queryset): ...

    @added.panel(Source)
    def taken(request, source) -> SafeString: ...       # below the form of a source

They are shown in the order in which they were added; apps are loaded from the ground up.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from skillmeat_site.admin_pages.journeys import JourneyPage

Action = Callable[..., Any]
Panel = Callable[[HttpRequest, Any], SafeString]
AnyAction = TypeVar("AnyAction", bound=Action)
AnyPanel = TypeVar("AnyPanel", bound=Panel)
AnyJourney = TypeVar("AnyJourney", bound="type[JourneyPage]")

_journeys: dict[type[Model], list["type[JourneyPage]"]] = defaultdict(list)
_panels: dict[type[Model], list[Panel]] = defaultdict(list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A button above a list or an object: a link, or with `at_once` a form of one button."""

    label: str
    address: str
    at_once: bool


def journey(model: type[Model]) -> Callable[[AnyJourney], AnyJourney]:
    def add(page: AnyJourney) -> AnyJourney:
        page.model = model
        _journeys[model].append(page)
        return page

    return add


def action(model: type[Model]) -> Callable[[AnyAction], AnyAction]:
    def add(function: AnyAction) -> AnyAction:
        page = admin.site.get_model_admin(model)
        page.actions = [*(page.actions or ()), function]
        return function

    return add


def panel(model: type[Model]) -> Callable[[AnyPanel], AnyPanel]:
    def add(function: AnyPanel) -> AnyPanel:
        _panels[model].append(function)
        return function

    return add


def journeys(model: type[Model]) -> list["type[JourneyPage]"]:
    return _journeys[model]


def panels(model: type[Model]) -> list[Panel]:
    return _panels[model]


def tools(model_admin: ModelAdmin, request: HttpRequest, obj: Any | None) -> list[Tool]:
    """The buttons of an object (None: of the list) that this person may press now."""
    return [
        Tool(label=page.label, address=page.address(obj), at_once=page.at_once)
        for page in _journeys[model_admin.model]
        if page.of_object == (obj is not None) and page.is_open(model_admin, request, obj)
    ]
