"""What the pages of both models have in common: they show, and leave changing to journeys and actions."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.admin_pages import ConsoleAdmin, operator


class ShowingAdmin(ConsoleAdmin):
    """Rows of the projects that one is a member of; the audit trail is their only history."""

    fields = ()

    class Media:
        css = {"all": ("marketplace/console.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        mine: QuerySet[Any] = rows.visible_to(operator(request))
        return mine

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _has_role(request, obj, Role.EDITOR)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _has_role(request, obj, Role.ADMIN)

    def require_delete(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Raises PermissionDenied unless one may delete each of them."""
        projects = Project.objects.with_role(operator(request), Role.ADMIN)
        if rows.exclude(project__in=projects.values("pk")).exists():
            raise PermissionDenied

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Listing

    def of_list(self, rows: Any) -> QuerySet[Any]:
        """The rows without the columns that only a page of its own shows: some are large."""
        raise NotImplementedError

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(
            f"{reverse('admin:audit_auditevent_changelist')}?{urlencode({'object_id': object_id})}"
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """There is no field to save."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Operations write the audit trail; Django's own log would be a second one."""

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """See `log_change`."""


def _has_role(request: HttpRequest, obj: Any, role: Role) -> bool:
    """As the API would have it: Django's permissions say what one may do, roles say in which projects."""
    by = operator(request)
    return obj is None or by.is_superuser or obj.project in Project.objects.with_role(by, role)


class _Listing(ChangeList):
    model_admin: ShowingAdmin

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return self.model_admin.of_list(super().get_queryset(request, exclude_parameters))

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Rows that are alike follow in the same direction, so that one index serves both."""
        *named, last = super().get_ordering(request, queryset)
        is_upwards = last in {"-pk", "-id"} and named and not str(named[0]).startswith("-")
        return [*named, "pk" if is_upwards else last]
