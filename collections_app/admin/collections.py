"""Collections: the list, the page of one, and making, changing and deleting them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from collections_app.admin.forms import CollectionForm, NewCollectionForm
from collections_app.drift import Options
from collections_app.models import Artifact, Collection, RefreshRun
from collections_app.operations import collections, refreshes
from collections_app.operations.collections import CollectionExists
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.accounts.scoping import require_role
from skillmeat_site.admin_pages import (
    AddingPage,
    JourneyPage,
    ShownAdmin,
    added,
    address,
    ago,
    badge,
    chips,
    each_row,
    facts,
    link,
    list_address,
    operator,
    table,
)
from skillmeat_site.jobs.models import Trigger

ARTIFACTS_SHOWN, RUNS_SHOWN = 50, 10


class DueFilter(admin.SimpleListFilter):
    title, parameter_name = "refresh", "refresh"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("due", "due"), ("scheduled", "scheduled"), ("asked", "only when asked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "due":
                return queryset.filter(next_refresh_at__lte=timezone.now())
            case "scheduled":
                return queryset.exclude(refresh_interval=None)
            case "asked":
                return queryset.filter(refresh_interval=None)
        return queryset


@admin.register(Collection)
class CollectionAdmin(ShownAdmin):
    list_display = ("name", "project", "artifacts", "updates", "refreshed", "due", "changed")
    list_filter = (DueFilter, ("project", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("project",)
    search_fields = ("search_text",)
    search_help_text = "Name or description."
    actions = ("queue_refresh",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine: Any = super().get_queryset(request)
        found: QuerySet[Any] = mine.with_numbers().select_related("project")
        return found

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        known: Any = queryset
        return known.matching(search_term), False

    def shown(self, obj: Collection) -> list[SafeString]:
        return [_facts(obj), _runs(obj), _artifacts(obj)]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What belongs to a collection goes with it, although none of it is deleted by itself here."""
        counts = {
            self.opts.verbose_name_plural: len(objs),
            "artifacts": Artifact.objects.filter(collection__in=objs).count(),
        }
        return [str(collection) for collection in objs], counts, self.refused(request, objs), []

    def delete_model(self, request: HttpRequest, obj: Collection) -> None:
        collections.delete(collection=obj, by=operator(request), at=timezone.now())

    @admin.action(description="Refresh in the background, words only", permissions=["change"])
    def queue_refresh(self, request: HttpRequest, queryset: QuerySet[Collection]) -> None:
        def act(collection: Collection) -> None:
            require_role(operator(request), collection.project, Role.EDITOR)
            refreshes.request(
                collection=collection,
                options=Options(),
                by=operator(request),
                at=timezone.now(),
                trigger=Trigger.MANUAL,
            )

        each_row(request, queryset, act, done="Refresh queued")

    @admin.display(description="artifacts", ordering="artifact_count")
    def artifacts(self, collection: Any) -> SafeString:
        return _counted(collection, collection.artifact_count)

    @admin.display(description="updates", ordering="update_count")
    def updates(self, collection: Any) -> SafeString:
        return _updates(collection)

    @admin.display(description="last refresh", ordering="refreshed_at")
    def refreshed(self, collection: Any) -> SafeString:
        return _last_refresh(collection)

    @admin.display(description="next refresh", ordering="next_refresh_at")
    def due(self, collection: Collection) -> SafeString:
        return ago(collection.next_refresh_at, never="when asked")

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, collection: Collection) -> SafeString:
        return ago(collection.updated_at)


@added.journey(Collection)
class NewPage(AddingPage):
    """An empty collection; imports make the default one by themselves."""

    slug, label, submit = "new", "Add collection…", "Add"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=NewCollectionForm(projects=self.projects))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = NewCollectionForm(request.POST, projects=self.projects)
        if form.is_valid():
            try:
                values = dict(form.changes())
                project = Project.objects.get(slug=values.pop("project"))
                made = collections.create(**values, project=project, by=operator(request), at=timezone.now())
            except CollectionExists as error:
                form.refuse(error, field="name")
            else:
                return self.leave(f"{made} is there.", to=address(made))
        return self.show(form=form)


@added.journey(Collection)
class EditPage(JourneyPage):
    slug, label, submit = "edit", "Edit…", "Save"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=CollectionForm.of(self.object))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = CollectionForm.of(self.object, request.POST)
        if form.is_valid():
            if not form.changes():
                return self.leave("Nothing was changed.")
            try:
                collections.change(
                    collection=self.object, changes=form.changes(), by=operator(request), at=timezone.now()
                )
            except CollectionExists as error:
                form.refuse(error, field="name")
            else:
                return self.leave("Saved.")
        return self.show(form=form)


def _counted(collection: Collection, count: int) -> SafeString:
    return format_html(
        '<a href="{}">{}</a>', list_address(Artifact, collection__id__exact=collection.pk), f"{count:,}"
    )


def _updates(collection: Any) -> SafeString:
    if not collection.update_count:
        return format_html('<span class="quiet">{}</span>', "none")
    where = list_address(Artifact, collection__id__exact=collection.pk, update="yes")
    return format_html('<a href="{}">{}</a>', where, badge("update", f"{collection.update_count:,}"))


def _last_refresh(collection: Any) -> SafeString:
    return format_html("{} {}", ago(collection.refreshed_at), badge(collection.refresh_status or ""))


def _facts(collection: Any) -> SafeString:
    return facts(
        [
            ("id", collection.public_id),
            ("project", collection.project),
            ("description", collection.description),
            ("artifacts", _counted(collection, collection.artifact_count)),
            ("updates available", _updates(collection)),
            ("last refresh", _last_refresh(collection)),
            ("next refresh", ago(collection.next_refresh_at, never="when asked")),
            ("made", ago(collection.created_at)),
            ("changed", ago(collection.updated_at)),
        ]
    )


def _artifacts(collection: Any) -> SafeString:
    known = collection.artifacts.with_update_available().select_related("current")
    found = known.order_by("-update_available", "type", "name")
    rows = (
        (
            link(each, each.name),
            each.type,
            each.namespace,
            chips(each.tags),
            f"version {each.current.number}",
            badge("update", "update") if each.update_available else "",
        )
        for each in found.defer("description", "members", "upstream_metadata")[:ARTIFACTS_SHOWN]
    )
    more = collection.artifact_count - ARTIFACTS_SHOWN
    caption = f"Artifacts, the first {ARTIFACTS_SHOWN}" if more > 0 else "Artifacts"
    return table(
        ("name", "type", "namespace", "tags", "here", "upstream"),
        rows,
        caption=caption,
        empty="It has no artifacts yet. Import some from the page of a source.",
    )


def _runs(collection: Collection) -> SafeString:
    runs = collection.refreshes.select_related("started_by").defer("entries")[:RUNS_SHOWN]
    return table(
        ("started", "mode", "status", "refreshed", "unchanged", "skipped", "errors", "by"),
        (run_row(run) for run in runs),
        caption="Refreshes",
        empty="It was never refreshed.",
    )


def run_row(run: RefreshRun) -> tuple[Any, ...]:
    names = ("refreshed_count", "unchanged_count", "skipped_count", "error_count")
    return (
        link(run, ago(run.started_at)),
        run.options["mode"] + (" (dry run)" if run.options["dry_run"] else ""),
        badge(run.status or "running"),
        *(run.counts.get(name, "") for name in names),
        run.started_by or "the server",
    )
