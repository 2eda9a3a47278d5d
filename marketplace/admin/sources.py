"""The list of sources, and the page of one: how its scans went, what they found, and what was decided about it."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from marketplace.admin import history, shown
from marketplace.admin.adding import AddPage
from marketplace.admin.changing import SettingsPage, pause, resume, set_tags, set_trust
from marketplace.admin.choosing import each_allowed
from marketplace.admin.filters import Access, Holding, InProject, ScanState, Schedule, SourceTrust, Tagged
from marketplace.admin.forms import SettingsForm
from marketplace.admin.pages import ShowingAdmin
from marketplace.models import Source, Visibility
from marketplace.operations import scans, sources
from skillmeat_site.admin_pages import ago, badge, chips, operator
from skillmeat_site.jobs.models import Trigger

NOT_LISTED = ("manual_map", "notes", "repo_description", "repo_readme", "suggested_sources", "suggested_tags")
SHORT = 90


@admin.register(Source)
class SourceAdmin(ShowingAdmin):
    """Whatever is changed here goes through the operations, in journeys; the page itself only shows."""

    list_display = (
        "__str__",
        "state",
        "held",
        "scanned",
        "next_scan",
        "trust",
        "labels",
        "project",
        "problem",
    )
    list_filter = (ScanState, Schedule, Holding, SourceTrust, Access, Tagged, InProject)
    show_facets = admin.ShowFacets.NEVER
    list_select_related = ("project",)
    search_fields = ("search_text",)
    search_help_text = "Owner, repository, description or tags."
    actions = ("rescan", "force_rescan", pause, resume, set_trust, set_tags)

    class Media:
        js = ("skillmeat/live.js",)

    def get_urls(self) -> list[URLPattern]:
        progress = self.admin_site.admin_view(self.progress_view)
        return [
            AddPage.route(self),
            SettingsPage.route(self),
            path("<uuid:pk>/progress/", progress, name="marketplace_source_progress"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return AddPage.is_open(self, request, None)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        stated: QuerySet[Any] = rows.with_scan_status()
        return stated

    def of_list(self, rows: Any) -> QuerySet[Any]:
        lean: QuerySet[Any] = rows.defer(*NOT_LISTED)
        return lean

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        known: Any = queryset
        return known.matching(search_term) if search_term else known, False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        source = context["original"]
        context |= history.of(source) | shown.catalogue(source)
        context |= {
            "facts": shown.source_facts(source),
            "settings": SettingsForm(source=source),
            "subtitle": None,
            "title": str(source),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def progress_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """What of the page changes while a scan runs; a script asks for it until none does."""
        source = self.get_object(request, str(pk))
        if source is None or not self.has_view_permission(request, source):
            return HttpResponse(status=404)
        return TemplateResponse(request, "admin/marketplace/source/live.html", history.live(source))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its catalogue goes with a source, although no entry can be deleted here by itself."""
        counts = {
            self.opts.verbose_name_plural: len(objs),
            "entries": sum(source.artifact_count for source in objs),
        }
        return [str(source) for source in objs], counts, self.refused(request, objs), []

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        sources.delete(source=obj, by=operator(request), at=timezone.now())

    @admin.display(description="scan", ordering="outcome")
    def state(self, source: Source) -> SafeString:
        return badge(source.scan_status)

    @admin.display(description="artifacts", ordering="artifact_count")
    def held(self, source: Source) -> SafeString | str:
        return chips(source.counts_by_type) or "none"

    @admin.display(description="last scan", ordering="last_sync_at")
    def scanned(self, source: Source) -> SafeString:
        return ago(source.last_sync_at)

    @admin.display(description="next scan", ordering="next_rescan_at")
    def next_scan(self, source: Source) -> SafeString:
        return ago(source.next_rescan_at, never="when asked")

    @admin.display(description="trust", ordering="trust_level")
    def trust(self, source: Source) -> SafeString:
        is_private = source.visibility == Visibility.PRIVATE
        return badge(source.trust_level) + (chips([Visibility.PRIVATE]) if is_private else SafeString())

    @admin.display(description="tags")
    def labels(self, source: Source) -> SafeString:
        return chips(source.tags)

    @admin.display(description="problem")
    def problem(self, source: Source) -> str:
        return shown.shortened(source.last_error, SHORT)

    @admin.action(description="Scan again", permissions=["change"])
    def rescan(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._rescan(request, queryset, force=False)

    @admin.action(description="Scan again, reading everything", permissions=["change"])
    def force_rescan(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        self._rescan(request, queryset, force=True)

    def _rescan(self, request: HttpRequest, queryset: QuerySet[Source], *, force: bool) -> None:
        def act(source: Source) -> None:
            scans.request(
                source=source, by=operator(request), at=timezone.now(), trigger=Trigger.MANUAL, force=force
            )

        each_allowed(request, queryset.select_related("project"), act, done="Scan queued")
