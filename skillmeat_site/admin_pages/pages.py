"""The model admins that ours start from, and one operation done to many rows."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from skillmeat_site.accounts.models import Role, User
from skillmeat_site.admin_pages import added
from skillmeat_site.admin_pages.roles import has_role, operator
from skillmeat_site.errors import DomainError

AnyModel = TypeVar("AnyModel", bound=Model)
NAMED = 5
TOLD = 20


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
    show_facets = admin.ShowFacets.NEVER  # a count for each answer of each filter
    list_per_page = 50

    def get_urls(self) -> list[URLPattern]:
        """Journeys stand before Django's own addresses, of which one takes any id."""
        own = [journey.route(self) for journey in added.journeys(self.model)]
        return own + super().get_urls()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Django's two inputs of a time have no label of their own, and nobody could tell them apart."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, AdminSplitDateTime):
            for part, widget in zip(("date", "time"), field.widget.widgets, strict=True):
                widget.attrs["aria-label"] = f"{capfirst(field.label)}: {part}"
        return field

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        ours = {"title": capfirst(self.opts.verbose_name_plural), "tools": added.tools(self, request, None)}
        return super().changelist_view(request, (extra_context or {}) | ours)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context.get("original")
        if obj is not None:
            context["tools"] = added.tools(self, request, obj)
            context["panels"] = [panel(request, obj) for panel in added.panels(self.model)]
        return super().render_change_form(request, context, *args, **kwargs)


class OwnedAdmin(ConsoleAdmin):
    """Rows of projects: Django's permissions say what one may do, roles in which projects, as in the API.

    One sees the rows of one's own projects, an editor of a project changes them, and an admin of it deletes them.
    The audit trail, which the operations write, is their only history.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.visible(super().get_queryset(request), operator(request))

    def visible(self, rows: Any, user: User) -> QuerySet[Any]:
        """Those of the rows that this user may see."""
        mine: QuerySet[Any] = rows.visible_to(user)
        return mine

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and has_role(request, obj, Role.EDITOR)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and has_role(request, obj, Role.ADMIN)

    def refused(self, request: HttpRequest, objs: Iterable[Any]) -> set[str]:
        """What of these one may not delete, as Django's page of deletions wants it."""
        return {str(obj) for obj in objs if not self.has_delete_permission(request, obj)}

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        events = reverse("admin:audit_auditevent_changelist")
        return redirect(f"{events}?{urlencode({'object_id': object_id})}")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Operations write the audit trail; Django's own log would be a second one."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """See `log_change`."""


class ShownAdmin(OwnedAdmin):
    """Pages that show; journeys change. `shown` says what stands on the page of one row, above the panels."""

    fields = ()
    change_form_template = "admin/shown.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def shown(self, obj: Any) -> list[SafeString]:
        """The parts of the page, from top to bottom."""
        raise NotImplementedError

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context["original"]
        context |= {"title": str(obj), "subtitle": None, "shown": self.shown(obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The page has no field of its own."""


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
