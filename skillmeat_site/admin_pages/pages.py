"""The model admins that ours start from, and one operation done to many rows."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

from skillmeat_site.accounts.models import User
from skillmeat_site.admin_pages import added
from skillmeat_site.errors import DomainError

AnyModel = TypeVar("AnyModel", bound=Model)
NAMED = 5
TOLD = 20


def operator(request: HttpRequest) -> User:
    """Who works in the console; nobody gets there without a login."""
    return cast("User", request.user)


def each_row(
    request: HttpRequest, rows: Iterable[AnyModel], act: Callable[[AnyModel], object], *, done: str
) -> int:
    """Do one operation to each row, and say what became of each; how many worked.

    A DomainError is that row's alone. `done` begins the message about those that worked: "Scan queued".
    """
    worked: list[str] = []
    failed: list[str] = []
    for row in rows:
        try:
            act(row)
        except DomainError as error:
            failed.append(f"{row}: {error.detail} {error.hint}".strip())
        else:
            worked.append(str(row))
    if worked:
        messages.success(request, f"{done}: {_and_more(worked)}.")
    for sentence in failed[:TOLD]:
        messages.warning(request, sentence)
    if len(failed) > TOLD:
        messages.warning(request, f"{len(failed) - TOLD} more could not be done.")
    return len(worked)


def _and_more(names: list[str]) -> str:
    named = ", ".join(names[:NAMED])
    return f"{named} and {len(names) - NAMED} more" if len(names) > NAMED else named


class ConsoleAdmin(admin.ModelAdmin):
    """A model's pages, with the journeys and panels that apps added to them (see `added`).

    Lists count their rows once, not twice: the number without filters is not worth a scan of the table.
    """

    show_full_result_count = False
    list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        """Journeys stand before Django's own addresses, of which one takes any id."""
        own = [journey.route(self) for journey in added.journeys(self.model)]
        return own + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        tools = added.tools(self, request, None)
        return super().changelist_view(request, (extra_context or {}) | {"tools": tools})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        if obj is not None:
            context["tools"] = added.tools(self, request, obj)
            context["panels"] = [panel(request, obj) for panel in added.panels(self.model)]
        return super().render_change_form(request, context, *args, **kwargs)


class ReadOnlyAdmin(ConsoleAdmin):
    """Rows that only the machine writes: to be looked at, not added, changed or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
