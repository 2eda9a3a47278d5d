"""People and projects in the console; every edit is an audit event too."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from skillmeat_site.accounts.models import Membership, Project, Token, TokenScope, User
from skillmeat_site.admin_pages import ConsoleAdmin, operator
from skillmeat_site.audit.recording import record


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


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(User)
class OperatorAdmin(AuditedAdmin, UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    user_change_password = transaction.atomic(UserAdmin.user_change_password)


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    list_display = ("slug", "name", "created_at")
    search_fields = ("slug", "name")
    readonly_fields = ("public_id", "created_at")
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its sources would go with it, past the operation that ends their scans


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    list_display = ("user", "project", "role")
    list_filter = ("role", "project")
    autocomplete_fields = ("user", "project")


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
