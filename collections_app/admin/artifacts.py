"""Artifacts of collections: the list, the page of one, and editing, copying and deleting them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from collections_app.admin.filters import UpdateFilter
from collections_app.admin.forms import ArtifactForm, CollectionChoice
from collections_app.admin.versions import files_table, versions_table
from collections_app.models import Artifact, Collection
from collections_app.operations import artifacts
from collections_app.operations.artifacts import ArtifactExists, UnsuitableName
from skillmeat_site.admin_pages import (
    JourneyPage,
    ShownAdmin,
    added,
    address,
    ago,
    badge,
    chips,
    code,
    facts,
    link,
    operator,
    table,
)

LARGE = ("members", "upstream_metadata", "origin_settings")


@admin.register(Artifact)
class ArtifactAdmin(ShownAdmin):
    list_display = ("name", "type", "namespace", "collection", "labels", "here", "upstream", "changed")
    list_filter = (UpdateFilter, "type", ("collection__project", admin.RelatedOnlyFieldListFilter))
    search_fields = ("name", "title", "description", "origin_path", "origin_url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        mine: Any = super().get_queryset(request)
        known: QuerySet[Any] = mine.with_update_available()
        return known.select_related("collection__project", "current", "source").defer(*LARGE)

    def shown(self, obj: Artifact) -> list[SafeString]:
        return [_facts(obj), versions_table(obj), files_table(obj, obj.current), _members(obj)]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its versions go with an artifact; sets that use it show it as unresolved."""
        counts = {self.opts.verbose_name_plural: len(objs)}
        return [str(artifact) for artifact in objs], counts, self.refused(request, objs), []

    def delete_model(self, request: HttpRequest, obj: Artifact) -> None:
        artifacts.delete(artifact=obj, by=operator(request), at=timezone.now())

    @admin.display(description="tags")
    def labels(self, artifact: Artifact) -> SafeString:
        return chips(artifact.tags)

    @admin.display(description="here", ordering="current__number")
    def here(self, artifact: Artifact) -> str:
        return f"version {artifact.current.number}"

    @admin.display(description="upstream", ordering="update_available")
    def upstream(self, artifact: Artifact) -> SafeString:
        return _upstream(artifact)

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, artifact: Artifact) -> SafeString:
        return ago(artifact.updated_at)


@added.journey(Artifact)
class EditPage(JourneyPage):
    """What is edited here, refreshes keep."""

    slug, label, submit = "edit", "Edit…", "Save"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=ArtifactForm.of(self.object))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = ArtifactForm.of(self.object, request.POST)
        if form.is_valid():
            if not form.changes():
                return self.leave("Nothing was changed.")
            try:
                artifacts.change(
                    artifact=self.object, changes=form.changes(), by=operator(request), at=timezone.now()
                )
            except (ArtifactExists, UnsuitableName) as error:
                form.refuse(error, field="name")
            else:
                return self.leave("Saved. Refreshes leave alone what you changed.")
        return self.show(form=form)


@added.journey(Artifact)
class CopyPage(JourneyPage):
    slug, label, submit = "copy", "Copy…", "Copy"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=CollectionChoice(choices=self._choices()))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        form = CollectionChoice(request.POST, choices=self._choices())
        if not form.is_valid():
            return self.show(form=form)
        into = Collection.objects.select_related("project").get(pk=form.cleaned_data["collection"])
        twin = artifacts.copy(artifact=self.object, collection=into, by=operator(request), at=timezone.now())
        return self.leave(f"{into} has a copy.", to=address(twin))

    def _choices(self) -> list[tuple[str, str]]:
        """The other collections of its project."""
        others = Collection.objects.filter(project=self.object.project).exclude(pk=self.object.collection_id)
        return [(str(pk), name) for pk, name in others.order_by("name").values_list("pk", "name")]


def _facts(artifact: Artifact) -> SafeString:
    source = artifact.source
    return facts(
        [
            ("uuid", code(artifact.public_id)),
            ("collection", link(artifact.collection)),
            ("type", artifact.type),
            ("namespace", artifact.namespace),
            ("title", artifact.title if artifact.title != artifact.name else ""),
            ("description", artifact.description),
            ("tags", chips(artifact.tags)),
            ("version upstream", artifact.version),
            ("license", artifact.license),
            ("author", artifact.author),
            ("edited here", ", ".join(artifact.edited_fields)),
            ("upstream", _upstream(artifact)),
            ("looked at upstream", ago(artifact.upstream_seen_at)),
            ("source", link(source) if source else format_html("{} (deleted)", artifact.origin_url)),
            ("ref", code(artifact.origin_ref)),
            ("path", code(artifact.origin_path)),
            ("commit", code(artifact.current.commit, chars=12)),
            ("changed", ago(artifact.updated_at)),
        ]
    )


def _upstream(artifact: Artifact) -> SafeString:
    if artifact.update_available:
        return badge("update", "update available")
    return badge("missing", "gone") if not artifact.upstream_digest else badge("same")


def _members(artifact: Artifact) -> SafeString:
    if not artifact.members:
        return SafeString()
    rows = ((member["name"], member["type"], code(member["path"])) for member in artifact.members)
    return table(("name", "type", "path"), rows, caption="What belongs to this plugin")
