"""The catalogue: its list, and the page of one artifact with why it is there and what is in it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from marketplace.admin import filters, shown
from marketplace.admin.choosing import asking, each_allowed
from marketplace.admin.pages import FEW, FewFirst, ShowingAdmin
from marketplace.content import store
from marketplace.manifest import ContentKind, is_main
from marketplace.models import Entry, Source
from marketplace.operations import catalogue
from marketplace.search import find
from marketplace.search.words import query_words
from skillmeat_site.accounts.models import User
from skillmeat_site.admin_pages import (
    JourneyPage,
    added,
    ago,
    badge,
    bar,
    chips,
    code,
    facts,
    link,
    operator,
    table,
)
from skillmeat_site.rendering import View, view

FOUND_AT_MOST = 500
FILES_AT_MOST = 500
READABLE = {ContentKind.FILE, ContentKind.EXECUTABLE, ContentKind.LFS}


class SoFar(FewFirst):
    """Counts so far and no further: beyond it one filters instead of leafing."""

    def count_many(self) -> int:
        return FEW + 1


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Why it is left out.",
    )


def exclude(request: HttpRequest, entry: Entry, values: Mapping[str, Any]) -> None:
    catalogue.exclude(entry=entry, reason=values["reason"], by=operator(request), at=timezone.now())


@admin.register(Entry)
class EntryAdmin(ShowingAdmin):
    list_display = ("artifact", "kind", "sure", "state", "checked", "source_page", "changed")
    list_filter = (
        filters.Type,
        filters.EntryStatus,
        filters.Confidence,
        filters.EntryTrust,
        filters.Imported,
        filters.Excluded,
        filters.Findings,
        filters.SourceInProject,
    )
    sortable_by = ("sure",)
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-id",)
    paginator = SoFar
    search_fields = ("search_text",)
    search_help_text = "Words of what the search finds; within one source, any part of a name, text or path."
    actions = (
        asking(ReasonForm, exclude, name="exclude", description="Exclude…", done="Excluded"),
        "restore",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [FilePage.route(self), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        stated: QuerySet[Any] = rows.with_status()
        return stated

    def visible(self, rows: Any, user: User) -> QuerySet[Any]:
        mine: QuerySet[Any] = rows
        if not user.is_superuser:
            mine = rows.of_sources(Source.objects.in_projects(user.project_keys()))
        return mine

    def of_list(self, rows: Any) -> QuerySet[Any]:
        lean: QuerySet[Any] = rows.for_lists()
        return lean

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in {"source__id__exact", "tag_rows__tag"} or super().lookup_allowed(
            lookup, value, request
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Of all entries, by the index; of one source's, by looking into each."""
        known: Any = queryset
        if not search_term:
            return queryset, False
        if "source__id__exact" in request.GET:
            return known.matching(search_term), False
        question = find.Question(words=query_words(search_term))
        return known.filter(pk__in=find.page(question, limit=FOUND_AT_MOST, offset=0)), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry = context["original"]
        main = next((file for file in entry.manifest.files if is_main(entry.path, file["path"])), None)
        context |= {
            "title": f"{entry.name} ({entry.type})",
            "subtitle": None,
            "facts": _facts(entry),
            "signals": shown.signals(entry),
            "findings": shown.findings(entry),
            "frontmatter": shown.frontmatter(entry),
            "files": _files(entry),
            "main": main,
            "view": _view(main) if main else None,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="artifact")
    def artifact(self, entry: Entry) -> SafeString:
        return format_html("{}<br>{}", entry.name, code(entry.path, chars=60))

    @admin.display(description="type")
    def kind(self, entry: Entry) -> SafeString:
        return chips([entry.type])

    @admin.display(description="confidence", ordering="confidence")
    def sure(self, entry: Entry) -> SafeString:
        return bar(entry.confidence)

    @admin.display(description="source")
    def source_page(self, entry: Entry) -> SafeString:
        return link(entry.source)

    @admin.display(description="status")
    def state(self, entry: Entry) -> SafeString:
        said = [
            entry.status,
            "imported" if entry.imported_at else "",
            "excluded" if entry.excluded_at else "",
        ]
        return format_html_join(" ", "{}", ((badge(word),) for word in said if word))

    @admin.display(description="findings")
    def checked(self, entry: Entry) -> SafeString:
        return badge(entry.worst_finding)

    @admin.display(description="changed")
    def changed(self, entry: Entry) -> SafeString:
        return ago(entry.changed_at)

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def act(entry: Entry) -> None:
            catalogue.restore(entry=entry, by=operator(request), at=timezone.now())

        each_allowed(request, queryset, act, done="Restored")


@added.journey(Entry)
class ExcludePage(JourneyPage):
    slug, label, submit = "exclude", "Exclude…", "Exclude"

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and obj.excluded_at is None

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=ReasonForm())

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        exclude(request, self.object, form.cleaned_data)
        return self.leave(f"{self.object} is excluded, whatever scans find.")


@added.journey(Entry)
class RestorePage(JourneyPage):
    slug, label, submit = "restore", "Restore…", "Restore"
    template = "admin/marketplace/entry/restore.html"

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and obj.excluded_at is not None

    def post(self, request: HttpRequest) -> HttpResponseBase:
        catalogue.restore(entry=self.object, by=operator(request), at=timezone.now())
        return self.leave(f"{self.object} counts again.")


class FilePage(JourneyPage):
    """One file of an artifact, by `?path=`; with `?as=text`, Markdown as its source."""

    model = Entry
    slug, label, permission = "file", "File", "view"
    template = "admin/marketplace/entry/file.html"
    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest) -> HttpResponseBase:
        path = request.GET.get("path", "")
        file = next((file for file in self.object.manifest.files if file["path"] == path), None)
        if file is None:
            raise Http404
        as_text = request.GET.get("as") == "text"
        source = f"?{urlencode({'path': path, 'as': 'text'})}"
        return self.show(file=file, view=_view(file, as_text=as_text), as_text=as_text, source=source)


def _view(file: Mapping[str, Any], *, as_text: bool = False) -> View | str:
    """The file as HTML; or a sentence that says why its bytes are not to be had."""
    if file["kind"] not in READABLE:
        return f"A {file['kind']} is never followed."
    if file["digest"] is None:
        return "Its bytes are not stored."
    try:
        data = store.read(file["digest"])
    except store.ContentDamaged as error:
        return f"{error.detail} {error.hint}"
    return view(file["path"], data, as_text=as_text)


def _files(entry: Entry) -> SafeString:
    page = reverse("admin:marketplace_entry_file", args=[entry.pk])
    rows = (
        (
            format_html(
                '<a href="{}?{}">{}</a>', page, urlencode({"path": file["path"]}), code(file["path"])
            ),
            file["kind"],
            f"{file['size']:,}",
        )
        for file in entry.manifest.files[:FILES_AT_MOST]
    )
    return table(("File", "Kind", "Bytes"), rows, empty="It has no file of its own.")


def _facts(entry: Entry) -> SafeString:
    return facts(
        [
            ("Source", link(entry.source)),
            ("Status", badge(entry.status)),
            ("Confidence", bar(entry.confidence)),
            ("Path", code(entry.path)),
            (
                "Upstream",
                shown.outside(entry.upstream_url, "at the scanned commit") if entry.upstream_url else "",
            ),
            ("Title", entry.title),
            ("Version", entry.version),
            ("License", entry.license),
            ("Author", entry.author),
            ("Tags", chips(list(dict.fromkeys([*entry.tags, *entry.path_tags])))),
            ("Part of", link(entry.parent) if entry.parent else ""),
            ("Copy of", link(entry.duplicate_of) if entry.duplicate_of else ""),
            ("First seen", ago(entry.first_seen_at)),
            ("Changed", ago(entry.changed_at)),
            ("Removed", entry.removed_at and ago(entry.removed_at)),
            ("Imported", entry.imported_at and ago(entry.imported_at)),
            ("Excluded", entry.excluded_at and ago(entry.excluded_at)),
            ("Why it is excluded", entry.excluded_reason),
            ("Incomplete", entry.incomplete),
            ("Content", code(entry.content_digest, chars=19)),
            ("Id", code(entry.public_id)),
        ]
    )
