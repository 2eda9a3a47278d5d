"""Collections and their artifacts in the console, to be looked at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from collections_app.models import Artifact, ArtifactVersion, Collection, RefreshRun
from collections_app.operations import collections
from skillmeat_site.admin_pages import ReadOnlyAdmin, ReadOnlyInline, badge, operator

EDITABLE = ("description", "refresh_interval")


@admin.register(Collection)
class CollectionAdmin(admin.ModelAdmin):
    """Collections are made by imports or the API."""

    list_display = ("name", "project", "refresh_interval", "next_refresh_at", "updated_at")
    list_filter = ("project",)
    list_select_related = ("project",)
    search_fields = ("search_text",)
    fields = ("public_id", "project", "name", *EDITABLE, "next_refresh_at", "created_at", "updated_at")
    readonly_fields = ("public_id", "project", "name", "next_refresh_at", "created_at", "updated_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Collection, form: object, change: bool) -> None:
        changes = {name: getattr(obj, name) for name in EDITABLE}
        collections.change(collection=obj, changes=changes, by=operator(request), at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Collection) -> None:
        collections.delete(collection=obj, by=operator(request), at=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to a collection goes with it, although nothing of it can be deleted here by itself."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        for collection in queryset.select_related("project"):
            self.delete_model(request, collection)


class VersionInline(ReadOnlyInline):
    model = ArtifactVersion
    fk_name = "artifact"
    fields = ("number", "commit", "content_digest", "reason", "created_by", "created_at")
    readonly_fields = fields
    show_change_link = False


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "namespace", "collection", "version", "origin_url", "updated_at")
    list_filter = ("type", "collection__project")
    list_select_related = ("collection",)
    search_fields = ("name", "description", "origin_path")
    readonly_fields = ("public_id",)
    inlines = (VersionInline,)


@admin.register(RefreshRun)
class RefreshRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "collection", "state", "duration_ms", "started_by", "request_id")
    list_filter = ("status", "collection__project")
    list_select_related = ("collection", "started_by")
    date_hierarchy = "started_at"

    @admin.display(description="status", ordering="status")
    def state(self, run: RefreshRun) -> SafeString:
        return badge(run.status or "running")
