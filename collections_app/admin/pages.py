"""What the pages of collections have in common: they show, journeys change, and operations keep the audit trail."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from skillmeat_site.admin_pages import OwnedAdmin


class ShownAdmin(OwnedAdmin):
    """Pages of what the operator may see; `shown` says what stands on the page of one row."""

    fields = ()
    change_form_template = "admin/collections_app/change_form.html"

    class Media:
        css = {"all": ("collections_app/console.css",)}

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


class UpdateFilter(admin.SimpleListFilter):
    """Whether upstream was last seen with other content."""

    title, parameter_name = "update", "update"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", "available"), ("no", "none known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(update_available=wanted)
