"""People and projects in the console; every edit is an audit event too."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from skillmeat_site.access.operations import members
from skillmeat_site.accounts.models import Membership, Project, Role, Token, TokenScope, User
from skillmeat_site.admin_pages import ConsoleAdmin, ReadOnlyInline, operator
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError


class AuditedAdmin(ConsoleAdmin):
    """Whatever Django notes in the console's own log is an audit event in the same transaction."""

    response_action = transaction.atomic(
        admin.ModelAdmin.response_action
    )  # the other views are by themselves

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry = super().log_addition(request, obj, message)
        self._record("created", request, obj, change=entry.get_change_message())
        return entry

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        entry = super().log_change(request, obj, message)
        self._record("updated", request, obj, change=entry.get_change_message())
        return entry

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[LogEntry]:
        for obj in queryset:
            self._record("deleted", request, obj)
        return super().log_deletions(request, queryset)

    def _record(self, done: str, request: HttpRequest, obj: Any, **facts: str) -> None:
        project = obj if isinstance(obj, Project) else getattr(obj, "project", None)
        verb = f"{self.opts.model_name}.{done}"
        record(verb, obj, project=project, by=operator(request), at=timezone.now(), **facts)


def told_when_refused(view: Callable[..., Any]) -> Callable[..., Any]:
    """A view of the console in which what an operation refuses is said on its page; nothing was changed."""

    @wraps(view)
    def shown(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | None:
        try:
            answer: HttpResponse | None = view(self, request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, f"{error.detail} {error.hint}")
            return redirect(request.path)
        return answer

    return shown


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("user", "role")


@admin.register(User)
class OperatorAdmin(AuditedAdmin, UserAdmin):
    """Whoever is deleted leaves his projects first, which the last admin of one cannot."""

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    user_change_password = transaction.atomic(UserAdmin.user_change_password)
    delete_view = told_when_refused(UserAdmin.delete_view)
    response_action = told_when_refused(AuditedAdmin.response_action)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        for membership in obj.memberships.all():
            members.remove(membership=membership, by=operator(request), at=timezone.now())
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    list_display = ("slug", "name", "created_at")
    search_fields = ("slug", "name")
    readonly_fields = ("public_id", "created_at")
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its sources would go with it, past the operation that ends their scans


@admin.register(Membership)
class MembershipAdmin(ConsoleAdmin):
    """Its buttons are the API's operations, which keep every project an admin and tell of each change."""

    list_display = ("user", "project", "role")
    list_filter = ("role", "project")
    autocomplete_fields = ("user", "project")
    changeform_view = told_when_refused(ConsoleAdmin.changeform_view)
    delete_view = told_when_refused(ConsoleAdmin.delete_view)
    response_action = told_when_refused(transaction.atomic(ConsoleAdmin.response_action))

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "project") if obj else ()

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: Any) -> None:
        membership, _ = members.put(
            project=obj.project,
            user=obj.user,
            role=Role(obj.role),
            by=operator(request),
            at=timezone.now(),
        )
        obj.pk = membership.pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove(membership=obj, by=operator(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            self.delete_model(request, membership)


@admin.register(Token)
class TokenAdmin(AuditedAdmin):
    """Making a token shows its secret once; afterwards it can be looked at and revoked (deleted)."""

    list_display = ("name", "user", "scope", "created_at", "expires_at", "last_used_at")
    list_filter = ("scope",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "scope", "expires_at")
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Token, form: Any, change: Any) -> None:
        issued, secret = Token.objects.issue(
            user=obj.user, name=obj.name, scope=TokenScope(obj.scope), expires_at=obj.expires_at
        )
        obj.pk = issued.pk
        messages.warning(request, f"Copy this token now, it is not shown again: {secret}")
