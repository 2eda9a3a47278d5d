"""The editor of a source's manual map: the repository's folders, what each holds, and what a change would do."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.safestring import SafeString

from marketplace.admin.changing import change
from marketplace.api.serializers import SourceChangesSerializer
from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Source
from marketplace.models.entry import DIRECTORY_TYPES
from marketplace.operations import explaining, scans, snapshots
from marketplace.operations.explaining import Change, Preview
from skillmeat_site.admin_pages import JourneyPage, added, badge, bar, chips, code, operator, table
from skillmeat_site.admin_pages.forms import sentences
from skillmeat_site.api.errors import InvalidValue
from skillmeat_site.jobs.models import Trigger

FOLDERS_AT_MOST, CHANGES_AT_MOST = 300, 100
DEEPEST = 8
FIELD = "type:"
AS_ABOVE, NOTHING = "", "nothing"
CHOICES = [
    (AS_ABOVE, "as above"),
    *((each.value, each.value) for each in ArtifactType),
    (NOTHING, "nothing here"),
]

Map = Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One row of the editor. `held`: artifacts that stand right in it; `more`: folders that are not shown."""

    path: str
    files: int
    held: SafeString
    chosen: str
    more: bool

    @property
    def field(self) -> str:
        return FIELD + self.path

    @property
    def name(self) -> str:
        return f"{self.path.rpartition('/')[2]}/" if self.path else "the whole repository"

    @property
    def depth(self) -> int:
        return min(self.path.count("/") + bool(self.path), DEEPEST)


@added.journey(Source)
class MapPage(JourneyPage):
    """Nothing is saved before it is asked for: looking into a folder and the preview carry the choices along."""

    slug, label, submit = "manual-map", "Manual map…", "Save"
    template = "admin/marketplace/source/map.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._show(self.object.manual_map)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        chosen = _posted(request)
        if "_preview" in request.POST:
            return self._show(chosen, foreseen=_foreseen(explaining.preview(self.object, manual_map=chosen)))
        if "below" in request.POST:
            return self._show(chosen, below=request.POST["below"])
        change(request, self.object, {"manual_map": chosen})
        if "_scan" not in request.POST:
            return self.leave("Saved. The next scan goes by it.")
        scans.request(source=self.object, by=operator(request), at=timezone.now(), trigger=Trigger.MANUAL)
        return self.leave("Saved; a scan is queued.")

    def _show(self, chosen: Map, *, below: str = "", **context: Any) -> HttpResponseBase:
        folders, hidden = _folders(self.object, chosen, below)
        shown = {folder.path for folder in folders}
        return self.show(
            folders=folders,
            hidden=hidden,
            below=below,
            choices=CHOICES,
            elsewhere=[(FIELD + path, path, _choice(chosen, path)) for path in chosen if path not in shown],
            **context,
        )


def _posted(request: HttpRequest) -> dict[str, str | None]:
    """The map as the form has it. Raises InvalidValue for what no map can be."""
    said = {
        name.removeprefix(FIELD): None if value == NOTHING else value
        for name, value in request.POST.items()
        if name.startswith(FIELD) and value != AS_ABOVE
    }
    shape = SourceChangesSerializer(data={"manual_map": said})
    if not shape.is_valid():
        raise InvalidValue(" ".join(sentences(shape.errors)), hint="")
    return dict(shape.validated_data["manual_map"])


def _choice(chosen: Map, path: str) -> str:
    return (chosen[path] or NOTHING) if path in chosen else AS_ABOVE


def _folders(source: Source, chosen: Map, below: str) -> tuple[list[Folder], int]:
    """The folders below one, in the order of the tree; where there are many, those on top. How many are hidden."""
    tree = snapshots.recall_tree(source)
    sizes = tree.directories() if tree else Counter[str]()
    inside = [path for path in sizes if not below or f"{path}/".startswith(f"{below}/")]
    nearest = sorted(inside, key=lambda path: (path.count("/") + bool(path), path))[:FOLDERS_AT_MOST]
    shown = set(nearest)
    parents = {path.rpartition("/")[0] for path in inside if path and path not in shown}
    held = _held(source)
    folders = [
        Folder(
            path=path,
            files=sizes[path],
            held=chips(held.get(path, {})),
            chosen=_choice(chosen, path),
            more=path in parents,
        )
        for path in sorted(shown, key=lambda path: path.split("/"))
    ]
    return folders, len(inside) - len(nearest)


def _held(source: Source) -> dict[str, Counter[str]]:
    """How many artifacts of each type stand in each directory now."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, path in source.entries.filter(removed_at=None).values_list("type", "path"):
        is_directory = kind in DIRECTORY_TYPES
        found["" if path == "." else path if is_directory else path.rpartition("/")[0]][kind] += 1
    return found


def _foreseen(preview: Preview) -> dict[str, Any]:
    rows = [_row(each) for each in preview.changes[:CHANGES_AT_MOST]]
    return {
        "table": table(("Artifact", "What", "Now", "Then"), rows, empty="The catalogue would stay as it is."),
        "changes": len(preview.changes),
        "more": max(0, len(preview.changes) - CHANGES_AT_MOST),
        "unchanged": preview.unchanged,
        "unread": preview.unread,
    }


def _row(change: Change) -> tuple[Any, ...]:
    found = change.after or change.before
    word = "removed" if change.after is None else "new" if change.before is None else "changed"
    path = code(found.path) if found else ""
    return path, badge(word), _judged(change.before), _judged(change.after)


def _judged(found: DetectedArtifact | None) -> Any:
    if found is None:
        return "—"
    return chips([f"{found.type} {found.name}"]) + bar(found.confidence)
