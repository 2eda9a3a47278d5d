"""Imports: entries of a source become artifacts of a collection, from content that is stored already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from collections_app.drift import Metadata
from collections_app.models import BATCH, Artifact, ArtifactVersion, Collection, Reason
from collections_app.operations import collections
from collections_app.operations.artifacts import UnsuitableName, require_name
from collections_app.planning import (
    Candidate,
    Conflict,
    New,
    Plan,
    Present,
    Replacement,
    Skipped,
    Unsuitable,
    Wish,
    plan_import,
)
from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Entry, Source
from marketplace.operations import catalogue
from marketplace.operations.trust import ConfirmationRequired, needs_confirmation
from skillmeat_site import ids
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

# These run by themselves once they are deployed.
NOT_NEEDED = ("search_text", "frontmatter", "signals", "findings")
WRITTEN = (
    *("title", "description", "version", "license", "author", "tags", "members", "edited_fields"),
    *("source", "entry", "origin_url", "origin_ref", "origin_locator", "origin_path", "origin_settings"),
    *("current", "upstream_sha", "upstream_etag", "upstream_digest", "upstream_locator"),
    *("upstream_metadata", "upstream_seen_at", "updated_at"),
)


class EntryNotFound(DomainError):
    """The source has no such entry."""

    code = "entry_not_found"
    kind = Kind.NOT_FOUND
    title = "No such entry in this source"
    hint = "GET /api/v1/marketplace/sources/{id}/artifacts lists what there is."


class EntryRemoved(DomainError):
    """The artifact is not in the repository any more."""

    code = "entry_removed"
    kind = Kind.CONFLICT
    title = "Removed upstream"
    hint = "Import what the latest scan found."


class EntryExcluded(DomainError):
    """Somebody excluded the artifact from the catalogue; its excluded_reason may say why."""

    code = "entry_excluded"
    kind = Kind.CONFLICT
    title = "Excluded from the catalogue"
    hint = "DELETE its /exclude first, if the reason does not hold any more."


class EntryIncomplete(DomainError):
    """Not all files of the artifact are stored, because they are too large or could not be read."""

    code = "entry_incomplete"
    kind = Kind.CONFLICT
    title = "Not all files are stored"
    hint = "Raise the limits or scan again, then import it."


@dataclass(slots=True, kw_only=True)
class ImportResult:
    """What became of every entry that was named."""

    imported: list[tuple[Entry, Artifact]] = field(default_factory=list)
    skipped: list[tuple[Entry, UUID | None, str]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    errors: list[tuple[str, DomainError]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The members of the answer."""
        return {
            "imported_count": len(self.imported),
            "skipped_count": len(self.skipped),
            "conflict_count": len(self.conflicts),
            "error_count": len(self.errors),
            "imported": [
                {
                    "entry_id": entry.public_id,
                    "artifact_uuid": artifact.public_id,
                    "type": artifact.type,
                    "name": artifact.name,
                }
                for entry, artifact in self.imported
            ],
            "skipped": [
                {"entry_id": entry.public_id, "artifact_uuid": same and str(same), "reason": reason}
                for entry, same, reason in self.skipped
            ],
            "conflicts": [_conflict_as_json(conflict) for conflict in self.conflicts],
            "errors": [
                {"entry_id": entry_id, "problem": error.as_problem() | error.extra}
                for entry_id, error in self.errors
            ],
        }

    def as_problem(self, entry_ids: Sequence[str]) -> dict[str, Any]:
        """The same members; each error also says in a problem's way which part of the request it is about."""
        members = self.as_json()
        for (entry_id, error), said in zip(self.errors, members["errors"], strict=True):
            pointer = f"/entry_ids/{entry_ids.index(entry_id)}"
            said |= {"pointer": pointer, "code": error.code, "detail": error.detail}
        return members


class ImportConflicts(DomainError):
    """Nothing was imported: each entry's type, namespace and name is taken, or several want the same.

    `conflicts` lists them with names that are free. Send conflict_resolution: `skip`, `rename`, `force` (a new
    version of what is there), or a map from entry_id to one of these or `{"rename": "name"}`.
    """

    code = "import_conflicts"
    kind = Kind.CONFLICT
    title = "The names are taken"
    hint = "Send conflict_resolution, or rename what is there."

    def __init__(self, result: ImportResult, entry_ids: Sequence[str]) -> None:
        super().__init__(**result.as_problem(entry_ids))
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What an import would do: the entries that can be imported with their plan, and the others' errors."""

    entries: Mapping[UUID, Entry]
    plan: Plan
    errors: list[tuple[str, DomainError]]


def _conflict_as_json(conflict: Conflict) -> dict[str, Any]:
    candidate, present = conflict.candidate, conflict.present
    what = f"{candidate.type} {candidate.name!r}"
    reason = f"The collection has another {what}." if present else f"Several entries want to be the {what}."
    return {
        "entry_id": ids.encode(Entry.id_prefix, candidate.id),
        "existing_artifact": present and str(present.id),
        "reason": reason,
        "suggested_names": list(conflict.suggestions),
    }


def import_entries(
    *,
    source: Source,
    entry_ids: Sequence[str],
    collection: Collection | None,
    wishes: Mapping[str, Wish],
    confirm_untrusted: bool,
    by: User,
    at: datetime,
) -> ImportResult:
    """Import these entries, given by their outside ids, into the collection or the project's default one.

    Nothing is asked of the source's host. What cannot be imported is an error of its own and stops nothing
    else. Raises UnsuitableName for a wished name that none can have, ImportConflicts when nothing was imported
    or skipped and there are conflicts.
    """
    with transaction.atomic():
        # What scans save waits, so that the entries are those of one commit; of two imports into one
        # collection the second sees what the first has made.
        source = _locked(source)
        collection = collection or collections.default_of(source.project, by=by, at=at)
        collection = Collection.objects.select_for_update(of=("self",)).get(pk=collection.pk)
        outlook = preview(
            source=source,
            entry_ids=entry_ids,
            collection=collection,
            wishes=wishes,
            confirm_untrusted=confirm_untrusted,
        )
        result = ImportResult(errors=outlook.errors)
        _Importer(source, collection, outlook.entries, result, by=by, at=at).carry_out(outlook.plan)
        if result.conflicts and not result.imported and not result.skipped:
            raise ImportConflicts(result, entry_ids)
        record(
            "collection.imported",
            collection,
            project=source.project,
            by=by,
            at=at,
            source=source.public_id,
            imported=[artifact.public_id for _, artifact in result.imported],
            skipped_count=len(result.skipped),
            conflict_count=len(result.conflicts),
            error_count=len(result.errors),
        )
        return result


def preview(
    *,
    source: Source,
    entry_ids: Sequence[str],
    collection: Collection | None,
    wishes: Mapping[str, Wish],
    confirm_untrusted: bool,
) -> Outlook:
    """What importing these entries would do now; nothing is written.

    Without a collection, into the project's default one. Raises UnsuitableName for a wished name that none
    can have.
    """
    collection = collection or source.project.collections.filter(name=collections.DEFAULT).first()
    entries, errors = _importable(source, entry_ids, confirm_untrusted=confirm_untrusted)
    wished = {pk: wish for text, wish in wishes.items() if (pk := Entry.decode(text))}
    _require_names(entries, wished)
    candidates = [_candidate(entry, source) for entry in entries.values()]
    plan = plan_import(candidates, _present(collection) if collection else [], wished)
    return Outlook(entries=entries, plan=plan, errors=errors)


def _locked(source: Source) -> Source:
    locked = Source.objects.select_for_update(of=("self",)).select_related("project")
    found = locked.filter(pk=source.pk).first()
    if found is None:
        raise EntryNotFound("The source was deleted a moment ago.")
    return found


def _importable(
    source: Source, entry_ids: Sequence[str], *, confirm_untrusted: bool
) -> tuple[dict[UUID, Entry], list[tuple[str, DomainError]]]:
    """Those that may be imported, and why the others may not."""
    wanted = {text: Entry.decode(text) for text in dict.fromkeys(entry_ids)}
    entries = source.entries.defer(*NOT_NEEDED).in_bulk([pk for pk in wanted.values() if pk])
    found: dict[UUID, Entry] = {}
    errors: list[tuple[str, DomainError]] = []
    for text, pk in wanted.items():
        entry = entries.get(pk) if pk else None
        error = _obstacle(entry, source, confirmed=confirm_untrusted)
        if entry is None or error is not None:
            errors.append((text, error or EntryNotFound()))
        else:
            found[entry.pk] = entry
    return found, errors


def _obstacle(entry: Entry | None, source: Source, *, confirmed: bool) -> DomainError | None:
    if entry is None:
        return EntryNotFound()
    if entry.removed_at:
        return EntryRemoved()
    if entry.excluded_at:
        return EntryExcluded(entry.excluded_reason)
    if entry.incomplete:
        return EntryIncomplete(entry.incomplete)
    if not confirmed and needs_confirmation(entry.type, source):
        return ConfirmationRequired(f"{source} is untrusted, and a {entry.type} runs by itself.")
    return None


def _require_names(entries: Mapping[UUID, Entry], wished: Mapping[UUID, Wish]) -> None:
    for pk, wish in wished.items():
        if wish.name and pk in entries:
            entry = entries[pk]
            pointer = f"/conflict_resolution/{entry.public_id}/rename"
            require_name(entry.type, wish.name, pointer=pointer)


def _candidate(entry: Entry, source: Source) -> Candidate:
    return Candidate(
        id=entry.pk,
        type=ArtifactType(entry.type),
        namespace=entry.namespace,
        name=entry.name,
        content_digest=entry.content_digest,
        owner=source.owner,
        order=entry.locator,
    )


def _present(collection: Collection) -> list[Present]:
    rows = collection.artifacts.values_list(
        "id", "type", "namespace", "name", "current__content_digest", "entry_id"
    )
    return [
        Present(
            id=pk, type=ArtifactType(kind), namespace=namespace, name=name, content_digest=digest, entry=entry
        )
        for pk, kind, namespace, name, digest, entry in rows
    ]


class _Importer:
    """One import's writes, in bulk."""

    def __init__(
        self,
        source: Source,
        collection: Collection,
        entries: Mapping[UUID, Entry],
        result: ImportResult,
        *,
        by: User,
        at: datetime,
    ) -> None:
        self.source, self.collection, self.entries, self.result = source, collection, entries, result
        self.by, self.at = by, at
        self.settings = asdict(source.detection_settings)
        self.versions: list[ArtifactVersion] = []

    def carry_out(self, plan: Plan) -> None:
        self.members = self._members(plan)
        created = [self._create(new) for new in plan.new]
        replaced = self._replace(plan.replaced)
        Artifact.objects.bulk_create(created, batch_size=BATCH)
        ArtifactVersion.objects.bulk_create(self.versions, batch_size=BATCH)
        Artifact.objects.write(replaced, WRITTEN)
        self._report(plan)
        done = [entry.pk for entry, _ in self.result.imported]
        catalogue.mark_imported(
            [*done, *(skipped.candidate.id for skipped in plan.skipped if skipped.is_identical)], at=self.at
        )

    def _create(self, new: New) -> Artifact:
        entry = self.entries[new.candidate.id]
        artifact = Artifact(
            collection=self.collection,
            type=entry.type,
            namespace=entry.namespace,
            name=new.name,
            created_at=self.at,
        )
        self._fill(artifact, entry, number=1)
        return artifact

    def _replace(self, replacements: Sequence[Replacement]) -> list[Artifact]:
        by_id = {one.present.id: self.entries[one.candidate.id] for one in replacements}
        artifacts = list(Artifact.objects.filter(pk__in=by_id))
        last = ArtifactVersion.objects.last_numbers(by_id)
        for artifact in artifacts:
            self._fill(artifact, by_id[artifact.pk], number=last[artifact.pk] + 1)
        return artifacts

    def _fill(self, artifact: Artifact, entry: Entry, *, number: int) -> None:
        """All that the entry says of it, as a new version."""
        version = ArtifactVersion(
            artifact=artifact,
            number=number,
            commit=self.source.resolved_sha,
            content_digest=entry.content_digest,
            manifest_id=entry.manifest_id,
            reason=Reason.IMPORT,
            created_by=self.by,
            created_at=self.at,
        )
        metadata = Metadata.of(entry).as_json()
        values = metadata | {
            "title": entry.title,
            "members": self.members.get(entry.pk, []),
            "edited_fields": [],
            "source": self.source,
            "entry": entry,
            "origin_url": self.source.repo_url,
            "origin_ref": self.source.ref,
            "origin_locator": entry.locator,
            "origin_path": entry.path,
            "origin_settings": self.settings,
            "current": version,
            "upstream_sha": self.source.resolved_sha,
            "upstream_etag": self.source.etag,
            "upstream_digest": entry.content_digest,
            "upstream_locator": entry.locator,
            "upstream_metadata": metadata,
            "upstream_seen_at": self.at,
            "updated_at": self.at,
        }
        for name, value in values.items():
            setattr(artifact, name, value)
        self.versions.append(version)
        self.result.imported.append((entry, artifact))

    def _members(self, plan: Plan) -> dict[UUID | None, list[dict[str, str]]]:
        """Of each plugin that is imported, what belongs to it."""
        chosen = [new.candidate for new in plan.new] + [one.candidate for one in plan.replaced]
        plugins = [candidate.id for candidate in chosen if candidate.type is ArtifactType.PLUGIN]
        found: dict[UUID | None, list[dict[str, str]]] = {}
        rows = Entry.objects.present().filter(parent__in=plugins).order_by("type", "path", "name")
        for parent, kind, name, path in rows.values_list("parent", "type", "name", "path"):
            found.setdefault(parent, []).append({"type": kind, "name": name, "path": path})
        return found

    def _report(self, plan: Plan) -> None:
        artifacts: dict[UUID, UUID | None] = {
            entry.pk: artifact.pk for entry, artifact in self.result.imported
        }
        for one in sorted(plan.skipped, key=lambda one: one.is_identical):
            artifacts[one.candidate.id] = self._artifact(one, artifacts)
        for skipped in plan.skipped:
            reason = "The same content is there." if skipped.is_identical else "The name is taken."
            entry = self.entries[skipped.candidate.id]
            self.result.skipped.append((entry, artifacts[skipped.candidate.id], reason))
        self.result.conflicts += plan.conflicts
        self.result.errors += _name_errors(plan.unsuitable)

    def _artifact(self, skipped: Skipped, artifacts: Mapping[UUID, UUID | None]) -> UUID | None:
        """What it is the same as; None when another entry wants its place and does not get it either."""
        return artifacts.get(skipped.same_as) or (
            None if skipped.same_as in self.entries else skipped.same_as
        )


def _name_errors(unsuitable: Iterable[Unsuitable]) -> list[tuple[str, DomainError]]:
    return [
        (
            ids.encode(Entry.id_prefix, one.candidate.id),
            UnsuitableName(one.reason, suggested_names=[one.suggestion]),
        )
        for one in unsuitable
    ]
