"""Versions of an artifact: their files as text to be looked at, how two of them differ, and going back to one."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from collections_app import comparing
from collections_app.models import Artifact, ArtifactVersion
from collections_app.operations import artifacts
from marketplace.content import store
from marketplace.manifest import ContentKind
from skillmeat_site import rendering
from skillmeat_site.admin_pages import JourneyPage, added, ago, code, operator, table
from skillmeat_site.errors import DomainError

MAX_NUMBER = 9  # digits
VERSIONS_SHOWN = 50
FILES_SHOWN = 500
NEVER_SHOWN = {ContentKind.SYMLINK, ContentKind.SUBMODULE}
MARKS = {"+": "ins", "-": "del"}


class VersionsPage(JourneyPage):
    """A page that its address tells which versions it is about."""

    def version(self, parameter: str) -> ArtifactVersion:
        """The version whose number the address gives; without one, the current one. Raises Http404."""
        text = self.request.GET.get(parameter, "")
        if not text:
            number = self.object.current.number
        elif text.isdecimal() and len(text) <= MAX_NUMBER:
            number = int(text)
        else:
            raise Http404
        found: ArtifactVersion | None = (
            self.object.versions.select_related("manifest").filter(number=number).first()
        )
        if found is None:
            raise Http404
        return found


@added.journey(Artifact)
class FilesPage(VersionsPage):
    """One file of a version: Markdown rendered and made safe, other text as it is; nothing runs or loads."""

    slug, label, permission = "files", "Files", "view"
    template = "admin/collections_app/files.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        version = self.version("version")
        path = request.GET.get("path") or _first(version)
        file = next((file for file in version.manifest.files if file["path"] == path), None)
        if file is None and path:
            raise Http404
        return self.show(
            version=version,
            path=path,
            file=file and _shown(file, as_text="source" in request.GET),
            source=f"?{urlencode({'version': version.number, 'path': path, 'source': 1})}",
            files=files_table(self.object, version),
        )


@added.journey(Artifact)
class DifferencesPage(VersionsPage):
    """How the files of two versions differ."""

    slug, label, permission = "differences", "Differences", "view"
    template = "admin/collections_app/differences.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        new = self.version("to")
        old = self.version("from") if "from" in request.GET else self._before(new)
        numbers = self.object.versions.values_list("number", flat=True)
        return self.show(
            old=old, new=new, numbers=list(numbers), comparison=comparison(self.object, old, new)
        )

    def _before(self, version: ArtifactVersion) -> ArtifactVersion:
        """The one before it; of the first, itself."""
        earlier = self.object.versions.select_related("manifest").filter(number__lt=version.number)
        found: ArtifactVersion | None = earlier.order_by("-number").first()
        return found or version


@added.journey(Artifact)
class RollbackPage(VersionsPage):
    """What going back would change, and going back."""

    slug, label, submit = "rollback", "Roll back…", "Roll back"
    template = "admin/collections_app/rollback.html"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if "version" not in request.GET:
            return self.show(versions=versions_table(self.object))
        wanted, current = self.version("version"), self.version("")
        return self.show(wanted=wanted, current=current, comparison=comparison(self.object, current, wanted))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        wanted = self.version("version")
        artifacts.roll_back(
            artifact=self.object, number=wanted.number, by=operator(request), at=timezone.now()
        )
        return self.leave(f"{self.object} has the content of version {wanted.number} again.")


def versions_table(artifact: Artifact) -> SafeString:
    versions = artifact.versions.select_related("created_by")[:VERSIONS_SHOWN]
    return table(
        ("version", "why", "when", "by", "commit", "look"),
        (
            (
                f"{version.number}" + (" (current)" if version.pk == artifact.current_id else ""),
                version.reason,
                ago(version.created_at),
                version.created_by or "the server",
                code(version.commit, chars=10),
                _ways(artifact, version),
            )
            for version in versions
        ),
        caption="Versions",
    )


def _ways(artifact: Artifact, version: ArtifactVersion) -> SafeString:
    ways = [(FilesPage.address(artifact), {"version": version.number}, "files")]
    if version.number > 1:
        ways.append((DifferencesPage.address(artifact), {"to": version.number}, "what it changed"))
    if version.content_digest != artifact.current.content_digest:
        ways.append((RollbackPage.address(artifact), {"version": version.number}, "roll back…"))
    return format_html_join(
        " · ", '<a href="{}?{}">{}</a>', ((where, urlencode(query), text) for where, query, text in ways)
    )


def files_table(artifact: Artifact, version: ArtifactVersion) -> SafeString:
    files = version.manifest.files
    rows = (
        (_file_link(artifact, version, file["path"]), file["kind"], f"{file['size']:,}")
        for file in files[:FILES_SHOWN]
    )
    number = f"{FILES_SHOWN:,} of {len(files):,}" if len(files) > FILES_SHOWN else f"{len(files):,}"
    return table(
        ("path", "kind", "bytes"),
        rows,
        caption=f"{number} file{pluralize(len(files))} of version {version.number}",
        empty="No files.",
    )


def _file_link(artifact: Artifact, version: ArtifactVersion, path: str) -> SafeString:
    query = urlencode({"version": version.number, "path": path})
    return format_html('<a href="{}?{}">{}</a>', FilesPage.address(artifact), query, rendering.revealed(path))


def _first(version: ArtifactVersion) -> str:
    """The document that says what the artifact is, or whatever comes first."""
    paths = [file["path"] for file in version.manifest.files]
    documents = [path for path in paths if path.lower().endswith(rendering.MARKDOWN_NAMES)]
    return next((path for path in paths if path == "SKILL.md"), next(iter([*documents, *paths]), ""))


def _shown(file: dict[str, Any], *, as_text: bool) -> rendering.View:
    if file["kind"] in NEVER_SHOWN:
        return _unseen(f"A {file['kind']}, which is never followed.")
    if not file["digest"]:
        return _unseen("Its bytes are not stored.")
    try:
        return rendering.view(file["path"], store.read(file["digest"]), as_text=as_text)
    except DomainError as error:
        return _unseen(f"{error.detail} {error.hint}")


def _unseen(sentence: str) -> rendering.View:
    return rendering.View(form=rendering.Form.BINARY, html=format_html("<p>{}</p>", sentence))


def comparison(artifact: Artifact, old: ArtifactVersion, new: ArtifactVersion) -> SafeString:
    """How the files differ, with a sign and a colour on each line that does."""
    try:
        found = comparing.compare(old.manifest.files, new.manifest.files, read=store.read)
    except DomainError as error:
        return format_html('<p class="errornote">{} {}</p>', error.detail, error.hint)
    if found == comparing.NO_DIFFERENCE:
        return format_html('<p class="quiet">{}</p>', "Their files are the same.")
    parts = [
        *(("+", _file_link(artifact, new, path), "") for path in found.added),
        *(("-", _file_link(artifact, old, path), "") for path in found.removed),
        *(("~", _file_link(artifact, new, each.path), _diff(each)) for each in found.changed),
    ]
    body = format_html_join("", "<h3>{} {}</h3>{}", parts)
    return format_html('<div class="comparison">{}</div>', body)


def _diff(change: comparing.FileChange) -> SafeString:
    if change.diff is None:
        return format_html('<p class="quiet">{}</p>', change.reason or "")
    lines = change.diff.split("\n")[2:]  # the first two name the file
    body = format_html_join("\n", "{}", ((_line(line),) for line in lines))
    return format_html('<pre class="file diff" tabindex="0">{}</pre>', body)


def _line(line: str) -> SafeString:
    element = MARKS.get(line[:1], "span")
    kind = "hunk" if line.startswith("@@") else "line"
    return format_html('<{} class="{}">{}</{}>', element, kind, rendering.revealed(line), element)
