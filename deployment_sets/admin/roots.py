"""Directories of the server into which projects may deploy."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from deployment_sets.models import ProjectRoot
from skillmeat_site.admin_pages import operator
from skillmeat_site.console.admin import AuditedAdmin


@admin.register(ProjectRoot)
class ProjectRootAdmin(AuditedAdmin):
    """Only superusers grant directories of the server to projects."""

    list_display = ("path", "project")
    list_filter = ("project",)
    list_select_related = ("project",)
    search_fields = ("path",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return operator(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator(request).is_superuser

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission
