"""People and projects in the console."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from skillmeat_site.accounts.models import Membership, Project, Token, TokenScope, User


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(User)
class OperatorAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    list_display = ("slug", "name", "created_at")
    search_fields = ("slug", "name")
    readonly_fields = ("public_id", "created_at")
    inlines = (MembershipInline,)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ("user", "project", "role")
    list_filter = ("role", "project")
    autocomplete_fields = ("user", "project")


@admin.register(Token)
class TokenAdmin(admin.ModelAdmin):
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
