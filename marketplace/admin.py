"""Sources and the catalogue in the console."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from marketplace.models import Entry, Source
from marketplace.operations import scans, sources
from skillmeat_site.admin_pages import ReadOnlyAdmin, badge, operator
from skillmeat_site.errors import DomainError
from skillmeat_site.jobs.models import Trigger

SOURCE_SETTINGS = ("trust_level", "visibility_set", "description", "notes")


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    """Sources are added with `add_source` or the API, which look at the repository first."""

    list_display = ("__str__", "project", "state", "artifact_count", "trust_level", "last_sync_at", "problem")
    list_filter = ("outcome", "trust_level", "project")
    list_select_related = ("project",)
    search_fields = ("search_text",)
    actions = ("rescan", "force_rescan")
    fieldsets = (
        (None, {"fields": ("public_id", "project", "repo_url", "ref", "root_hint", "state")}),
        ("Settings", {"fields": SOURCE_SETTINGS}),
        (
            "Findings",
            {"fields": ("artifact_count", "counts_by_type", "resolved_sha", "last_sync_at", "last_error")},
        ),
        ("Schedule", {"fields": ("rescan_interval", "next_rescan_at")}),
        ("Upstream", {"fields": ("repo_description", "suggested_tags", "suggested_sources", "tags")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).with_scan_status()  # type: ignore[attr-defined,no-any-return]

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        shown = [str(name) for _, options in self.fieldsets for name in options["fields"]]
        return [name for name in shown if name not in SOURCE_SETTINGS]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        stored = Source.objects.select_related("project").get(pk=obj.pk)  # the form has changed `obj` already
        sources.change(source=stored, changes=changes, by=operator(request), at=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its catalogue goes with a source, although no entry can be deleted here by itself."""
        deleted, counts, _, protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), protected

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        sources.delete(source=obj, by=operator(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset.select_related("project"):
            self.delete_model(request, source)

    @admin.display(description="scan", ordering="outcome")
    def state(self, source: Source) -> SafeString:
        return badge(source.scan_status)

    @admin.display(description="problem")
    def problem(self, source: Source) -> str:
        return source.last_error[:120]

    @admin.action(description="Scan again")
    def rescan(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._rescan(request, queryset, force=False)

    @admin.action(description="Scan again, reading everything")
    def force_rescan(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._rescan(request, queryset, force=True)

    def _rescan(self, request: HttpRequest, queryset: QuerySet[Source], *, force: bool) -> None:
        """Each selected source for itself: one that is being scanned does not stop the others."""
        for source in queryset.select_related("project"):
            try:
                scans.request(
                    source=source,
                    by=operator(request),
                    at=timezone.now(),
                    trigger=Trigger.MANUAL,
                    force=force,
                )
            except DomainError as error:
                self.message_user(request, f"No scan of {source}: {error.detail}", messages.WARNING)
            else:
                self.message_user(request, f"Scan of {source} queued.")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "confidence", "source", "path", "state", "changed_at")
    list_filter = ("type", "source__trust_level", "source__project")
    list_select_related = ("source",)
    search_fields = ("name", "description", "path")
    readonly_fields = ("public_id", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).with_status()  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="status")
    def state(self, entry: Entry) -> SafeString:
        return badge(entry.status)
