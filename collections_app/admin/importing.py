"""Imports from the pages of sources and entries: choose, see what is there already, decide, take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString

from collections_app.admin.forms import RESOLUTIONS, CollectionChoice, EntriesForm
from collections_app.api.importing import MAX_ENTRIES
from collections_app.models import Artifact, Collection
from collections_app.operations import imports
from collections_app.operations.collections import DEFAULT
from collections_app.operations.imports import ImportConflicts, ImportResult, Outlook
from collections_app.planning import NO_WISH, Resolution, Wish
from marketplace.models import Entry, Source
from marketplace.operations.trust import ConfirmationRequired
from skillmeat_site import ids
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.accounts.scoping import require_role
from skillmeat_site.admin_pages import JourneyPage, added, badge, code, link, operator, table
from skillmeat_site.errors import DomainError

HANDED_OVER = "entries_to_import"  # in the session
ROWS_SHOWN = 200
"""Of conflicts, that many can be decided one by one: a form has at most 1,000 fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What can be decided about one entry, and what was."""

    entry: Entry
    reason: str
    choices: Sequence[tuple[str, str]]
    names: Sequence[str]
    chosen: str = ""
    name: str = ""


class ImportPage(JourneyPage):
    """The steps that follow once it is clear which entries are meant; they travel in the form, by their ids."""

    slug, label, permission = "import", "Import…", "view"
    steps = ("Choose", "See what is there", "Done")
    template = "admin/collections_app/import.html"
    nothing: ClassVar[str] = "Select entries in the list first."

    @classmethod
    def is_open(cls, model_admin: admin.ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        may = request.user.has_perm("collections_app.change_collection")
        return may and super().is_open(model_admin, request, obj)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        entries = _entries(request, request.POST.get("entries", "").split())
        if not entries or len({entry.source.project_id for entry in entries}) > 1:
            return self.leave(self.nothing, level=messages.WARNING)
        project = entries[0].source.project
        require_role(operator(request), project, Role.EDITOR)
        form = CollectionChoice(request.POST, choices=collection_choices(project))
        if not form.is_valid():
            return self.choosing(form, entries)
        collection = _chosen(form)
        if "take" not in request.POST:
            return self._plan(entries, collection, wishes={})
        wishes = _wishes(request, entries)
        try:
            return self._take(entries, collection, wishes)
        except DomainError as error:
            messages.error(request, f"{error.detail} {error.hint}")
            return self._plan(entries, collection, wishes=wishes)

    def choosing(self, form: Any, entries: Sequence[Entry]) -> HttpResponseBase:
        return self.show(form=form, packed=_packed(entries), count=len(entries), does="See what is there")

    def _plan(
        self, entries: Sequence[Entry], collection: Collection | None, *, wishes: Mapping[str, Wish]
    ) -> HttpResponseBase:
        trusted = "confirm_untrusted" in self.request.POST
        outlooks = [
            imports.preview(
                source=source,
                entry_ids=_ids(chosen),
                collection=collection,
                wishes={},
                confirm_untrusted=trusted,
            )
            for source, chosen in _by_source(entries)
        ]
        errors = [error for outlook in outlooks for error in outlook.errors]
        decisions = [one for outlook in outlooks for one in _decisions(outlook, wishes)]
        return self.show(
            step=1,
            packed=_packed(entries),
            into=collection.pk if collection else DEFAULT,
            name=collection or DEFAULT,
            new=sum(len(outlook.plan.new) for outlook in outlooks),
            same=sum(len(outlook.plan.skipped) for outlook in outlooks),
            listed=_listed(outlooks),
            decisions=decisions[:ROWS_SHOWN],
            undecided=max(0, len(decisions) - ROWS_SHOWN),
            resolutions=RESOLUTIONS,
            errors=_errors(entries, errors),
            asks_for_trust=trusted or any(isinstance(error, ConfirmationRequired) for _, error in errors),
            trusted=trusted,
        )

    def _take(
        self, entries: Sequence[Entry], collection: Collection | None, wishes: Mapping[str, Wish]
    ) -> HttpResponseBase:
        results: list[ImportResult] = []
        for source, chosen in _by_source(entries):
            names = _ids(chosen)
            try:
                results.append(
                    imports.import_entries(
                        source=source,
                        entry_ids=names,
                        collection=collection,
                        wishes={name: wishes[name] for name in names if name in wishes},
                        confirm_untrusted="confirm_untrusted" in self.request.POST,
                        by=operator(self.request),
                        at=timezone.now(),
                    )
                )
            except ImportConflicts as conflicts:
                results.append(conflicts.result)
        left = [one.candidate.id for result in results for one in result.conflicts]
        return self.show(
            step=2,
            imported=_imported(results),
            skipped=_skipped(results),
            errors=_errors(entries, [error for result in results for error in result.errors]),
            packed=" ".join(ids.encode(Entry.id_prefix, pk) for pk in left),
            left_count=len(left),
            into=collection.pk if collection else DEFAULT,
        )


@added.journey(Source)
class FromSource(ImportPage):
    """Entries of one source, chosen by type and confidence."""

    nothing = "No entry of this source is like that."

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self.show(form=EntriesForm(choices=collection_choices(self.object.project)), does="Choose")

    def post(self, request: HttpRequest) -> HttpResponseBase:
        if "entries" in request.POST:
            return super().post(request)
        form = EntriesForm(request.POST, choices=collection_choices(self.object.project))
        if not form.is_valid():
            return self.show(form=form, does="Choose")
        found = self._matching(**form.cleaned_data)
        if len(found) > MAX_ENTRIES:
            messages.warning(request, f"The {MAX_ENTRIES:,} surest were taken. Repeat it with other types.")
        if not found:
            return self.leave(self.nothing, level=messages.WARNING)
        collection = _chosen(form)
        return self._plan(found[:MAX_ENTRIES], collection, wishes={})

    def _matching(self, *, types: Sequence[str], min_confidence: int, **_: Any) -> list[Entry]:
        """One more than can be imported at once, to tell that there are more."""
        entries = Entry.objects.counted().filter(source=self.object, confidence__gte=min_confidence)
        if types:
            entries = entries.filter(type__in=types)
        return list(_whole(entries).order_by("-confidence", "path")[: MAX_ENTRIES + 1])


@added.journey(Entry)
class FromEntries(ImportPage):
    """Entries that were selected in the list, which its action has left in the session."""

    of_object = False

    @classmethod
    def is_open(cls, model_admin: admin.ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        """There is no button above the list: without a selection it would lead nowhere."""
        return request.path == cls.address() and super().is_open(model_admin, request, obj)

    def get(self, request: HttpRequest) -> HttpResponseBase:
        entries = _entries(request, request.session.get(HANDED_OVER, []))
        if not entries:
            return self.leave(self.nothing, level=messages.WARNING)
        choices = collection_choices(entries[0].source.project)
        return self.choosing(CollectionChoice(choices=choices), entries)


@added.action(Entry)
@admin.action(description="Import…", permissions=["view"])
def import_entries(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet[Entry]) -> Any:
    """Hands the selection over to the journey, which asks what to do with it."""
    chosen = list(queryset.values_list("pk", "source__project")[: MAX_ENTRIES + 1])
    if len(chosen) > MAX_ENTRIES or len({project for _, project in chosen}) > 1:
        messages.warning(request, f"Select at most {MAX_ENTRIES:,} entries, all of one project.")
        return None
    request.session[HANDED_OVER] = [ids.encode(Entry.id_prefix, pk) for pk, _ in chosen]
    return redirect(FromEntries.address())


@added.panel(Source)
def taken(request: HttpRequest, source: Source) -> SafeString:
    """Which collections have artifacts of this source."""
    mine = Collection.objects.visible_to(operator(request)).filter(artifacts__source=source)
    counted: Any = mine.annotate(count=Count("artifacts")).order_by("name")
    return _shown_if_any(
        [(link(each), f"{each.count:,}") for each in counted], ("collection", "artifacts"), "Taken by"
    )


@added.panel(Entry)
def taken_as(request: HttpRequest, entry: Entry) -> SafeString:
    """The artifacts that this entry has become."""
    mine = Artifact.objects.visible_to(operator(request)).filter(entry=entry)
    artifacts = mine.select_related("collection", "current").order_by("collection__name", "name")
    rows = [
        (link(each, each.name), link(each.collection), f"version {each.current.number}") for each in artifacts
    ]
    return _shown_if_any(rows, ("artifact", "collection", "here"), "Taken as")


def _shown_if_any(rows: list[tuple[Any, ...]], headings: Sequence[str], caption: str) -> SafeString:
    return table(headings, rows, caption=caption) if rows else SafeString()


def collection_choices(project: Project) -> list[tuple[str, str]]:
    """The project's collections, the default one first, which is made when first needed."""
    others = project.collections.exclude(name=DEFAULT).order_by("name").values_list("pk", "name")
    return [(DEFAULT, DEFAULT), *((str(pk), name) for pk, name in others)]


def _chosen(form: CollectionChoice) -> Collection | None:
    """None for the default one, which may not be there yet."""
    into = form.cleaned_data["collection"]
    return None if into == DEFAULT else Collection.objects.select_related("project").get(pk=into)


def _entries(request: HttpRequest, names: Iterable[str]) -> list[Entry]:
    """Those with these ids that the operator may see."""
    chosen = [pk for name in list(names)[:MAX_ENTRIES] if (pk := Entry.decode(name))]
    mine = Entry.objects.visible_to(operator(request))
    return list(_whole(mine.filter(pk__in=chosen)).order_by("source", "type", "path"))


def _whole(entries: Any) -> Any:
    return entries.for_lists().select_related("source__project")


def _by_source(entries: Iterable[Entry]) -> list[tuple[Source, list[Entry]]]:
    found: dict[UUID, tuple[Source, list[Entry]]] = {}
    for entry in entries:
        found.setdefault(entry.source_id, (entry.source, []))[1].append(entry)
    return list(found.values())


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [entry.public_id for entry in entries]


def _packed(entries: Iterable[Entry]) -> str:
    """One field instead of a thousand."""
    return " ".join(_ids(entries))


def _listed(outlooks: Iterable[Outlook]) -> SafeString:
    """What is new, and what is there already."""
    rows = [
        (new.name, outlook.entries[new.candidate.id], "new")
        for outlook in outlooks
        for new in outlook.plan.new
    ]
    rows += [
        (skipped.candidate.name, outlook.entries[skipped.candidate.id], "identical")
        for outlook in outlooks
        for skipped in outlook.plan.skipped
    ]
    return table(
        ("name", "type", "path", "what"),
        ((name, entry.type, code(entry.path), badge(what)) for name, entry, what in rows[:ROWS_SHOWN]),
        caption=f"The first {ROWS_SHOWN} of them" if len(rows) > ROWS_SHOWN else "",
    )


def _decisions(outlook: Outlook, wishes: Mapping[str, Wish]) -> Iterable[Decision]:
    for conflict in outlook.plan.conflicts:
        entry = outlook.entries[conflict.candidate.id]
        reason = "Another is there." if conflict.present else "Several entries want this name."
        yield _decision(entry, reason, RESOLUTIONS, conflict.suggestions, wishes)
    without_force = [choice for choice in RESOLUTIONS if choice[0] in {"", Resolution.RENAME}]
    for one in outlook.plan.unsuitable:
        entry = outlook.entries[one.candidate.id]
        yield _decision(entry, one.reason, without_force, [one.suggestion], wishes)


def _decision(
    entry: Entry,
    reason: str,
    choices: Sequence[tuple[str, str]],
    names: Sequence[str],
    wishes: Mapping[str, Wish],
) -> Decision:
    wish = wishes.get(entry.public_id, NO_WISH)
    chosen = Resolution.RENAME if wish.name else wish.resolution or ""
    return Decision(
        entry=entry, reason=reason, choices=choices, names=names, chosen=chosen, name=wish.name or names[0]
    )


def _wishes(request: HttpRequest, entries: Iterable[Entry]) -> dict[str, Wish]:
    """What was decided about each, and about those that have no row of their own."""
    known = set(Resolution)
    others = request.POST.get("others", "")
    found = {}
    for name in _ids(entries):
        chosen = request.POST.get(f"do-{name}", others)
        wanted = request.POST.get(f"name-{name}", "").strip()
        if chosen == Resolution.RENAME and wanted:
            found[name] = Wish(name=wanted)
        elif chosen in known:
            found[name] = Wish(resolution=Resolution(chosen))
    return found


def _errors(entries: Iterable[Entry], errors: Iterable[tuple[str, DomainError]]) -> SafeString:
    by_id = {entry.public_id: entry for entry in entries}
    found = ((by_id[name], _said(error)) for name, error in errors)
    rows = [(entry.name, entry.type, code(entry.path), why) for entry, why in found]
    return _shown_if_any(rows, ("name", "type", "path", "why"), "Left out")


def _said(error: DomainError) -> str:
    return error.title if error.detail in {"", error.title} else f"{error.title}: {error.detail}"


def _imported(results: Iterable[ImportResult]) -> SafeString:
    rows = (
        (link(artifact, artifact.name), artifact.type, badge("imported"))
        for result in results
        for entry, artifact in result.imported
    )
    return table(("name", "type", "outcome"), rows, caption="Imported", empty="Nothing was imported.")


def _skipped(results: Sequence[ImportResult]) -> SafeString:
    rows: list[tuple[Any, ...]] = [
        (link(Artifact(pk=same), entry.name) if same else entry.name, entry.type, reason)
        for result in results
        for entry, same, reason in result.skipped
    ]
    return _shown_if_any(rows, ("name", "type", "why"), "Skipped")
