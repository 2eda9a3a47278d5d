"""What the pages of collections have in common: they show, journeys change, and operations keep the audit trail."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.admin_pages import ConsoleAdmin, operator


class ShownAdmin(ConsoleAdmin):
    """Pages of what the operator may see; `shown` says what stands on the page of one row."""

    fields = ()
    change_form_template = "admin/collections_app/change_form.html"

    class Media:
        css = {"all": ("collections_app/console.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine: Any = super().get_queryset(request)
        found: QuerySet[Any] = mine.visible_to(operator(request))
        return found

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of a row, only with the role that the API asks for."""
        may = super().has_change_permission(request, obj)
        return may and (obj is None or has_role(request, obj, Role.EDITOR))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or has_role(request, obj, Role.ADMIN))

    def refused(self, request: HttpRequest, objs: Iterable[Any]) -> set[str]:
        """What of these the operator may not delete, as Django's page of deletions wants it."""
        return {str(obj) for obj in objs if not self.has_delete_permission(request, obj)}

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

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        events = reverse("admin:audit_auditevent_changelist")
        return redirect(f"{events}?{urlencode({'object_id': object_id})}")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit trail has what happened; Django's own log would be a second one."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """See `log_change`."""

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for each in queryset:
            self.delete_model(request, each)


class HistoryAdmin(ShownAdmin):
    """Rows that are never changed or deleted by people."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def has_role(request: HttpRequest, obj: Any, role: Role) -> bool:
    return Project.objects.with_role(operator(request), role).filter(pk=obj.project.pk).exists()


def link(obj: Model, text: object = "") -> SafeString:
    """To the page of a row."""
    return format_html('<a href="{}">{}</a>', address(obj), text or obj)


def address(obj: Model) -> str:
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])


def list_address(model: type[Model], **filters: object) -> str:
    """Of the list of such rows, under these filters."""
    meta = model._meta
    return f"{reverse(f'admin:{meta.app_label}_{meta.model_name}_changelist')}?{urlencode(filters)}"


class UpdateFilter(admin.SimpleListFilter):
    """Whether upstream was last seen with other content."""

    title, parameter_name = "update", "update"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "available"), ("no", "none known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(update_available=wanted)
