"""What admin pages have in common: facts that the machine writes are shown, never edited."""

from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from skillmeat_site.accounts.models import User


class ReadOnlyAdmin(admin.ModelAdmin):
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


def badge(status: str) -> SafeString:
    """A state as a word with a colour."""
    return format_html('<span class="badge badge-{}">{}</span>', status, status)


def operator(request: HttpRequest) -> User:
    """Who works in the console; nobody gets there without a login."""
    return cast("User", request.user)
