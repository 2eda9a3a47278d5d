"""The catalogue of a source: what a scan found becomes rows, all of it or nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import CatalogueDiff, Key, KnownArtifact, diff
from marketplace.models import Entry, EntryTag, Source
from marketplace.models.batches import batches
from marketplace.scanner import Found, Scanned
from marketplace.search import index
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind
from skillmeat_site.ids import uuid7

# What an entry takes over from its artifact as it is; `_values` adds what has another form.
PLAIN_FIELDS = (
    "locator",
    "path",
    "name",
    "namespace",
    "title",
    "description",
    "version",
    "license",
    "author",
    "confidence",
    "content_digest",
)
WRITTEN_FIELDS = (
    *PLAIN_FIELDS,
    *("manifest", "incomplete", "tags", "path_tags", "frontmatter", "signals", "findings", "worst_finding"),
    *("search_text", "parent", "duplicate_of", "detected_sha", "changed_at", "removed_at"),
)
MAX_REASON = 500
MAX_SUGGESTED = 500


def apply(*, source: Source, seen: Scanned, at: datetime) -> dict[str, int]:
    """Make the source's entries equal to what was seen; how many were new, updated, removed, unchanged.

    Has to run in the scan's transaction. Entries that did not change in any way are not written. `source` is
    changed but not saved.
    """
    known = dict(_known(source))
    change = diff(known.values(), [found.artifact for found in seen.found])
    writer = _Writer(source, seen, {artifact.key: pk for pk, artifact in known.items()}, change, at=at)
    index.write(source, writer.write(), at=at)
    writer.remove()
    if source.resolved_sha != seen.commit.sha:
        source.resolved_sha, source.advanced_at = seen.commit.sha, at
    source.etag = seen.commit.etag
    source.fingerprint = seen.fingerprint if seen.is_whole else ""
    source.suggested_sources = [asdict(suggested) for suggested in seen.suggested[:MAX_SUGGESTED]]
    if seen.readme is not None:
        source.repo_readme = seen.readme
    count(source)
    return {
        "new": len(change.new),
        "updated": len(change.updated) + len(change.returned),
        "removed": len(change.removed),
        "unchanged": len(change.unchanged) + len(change.moved),
    }


class NotExcluded(DomainError):
    """The artifact is not excluded, so there is nothing to restore."""

    code = "not_excluded"
    kind = Kind.NOT_FOUND
    title = "Not excluded"
    hint = "Nothing is left to do; excluded=true lists what is excluded."


def exclude(*, entry: Entry, reason: str, by: User, at: datetime) -> None:
    """Leave an entry out of counts, lists and imports until it is restored; scans do not change that."""
    if entry.excluded_at and entry.excluded_reason == reason:
        return
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",)).get(pk=entry.source_id)
        entry.excluded_at, entry.excluded_reason = entry.excluded_at or at, reason
        _save_exclusion(entry, source)
        record("entry.excluded", entry, project=source.project, by=by, at=at, reason=reason)


def restore(*, entry: Entry, by: User, at: datetime) -> None:
    """Undo `exclude`. Raises NotExcluded."""
    with transaction.atomic():
        source = Source.objects.select_for_update(of=("self",)).get(pk=entry.source_id)
        if not Entry.objects.filter(pk=entry.pk).exclude(excluded_at=None).exists():
            raise NotExcluded
        entry.excluded_at, entry.excluded_reason = None, ""
        _save_exclusion(entry, source)
        record("entry.restored", entry, project=source.project, by=by, at=at)


def mark_imported(entries: Iterable[UUID], *, at: datetime) -> None:
    """Note when these entries were last imported. Has to run in the transaction that imports them."""
    for batch in batches(entries):
        Entry.objects.filter(pk__in=batch).update(imported_at=at)


def _save_exclusion(entry: Entry, source: Source) -> None:
    entry.save(update_fields=["excluded_at", "excluded_reason"])
    count(source)
    source.save(update_fields=["counts_by_type", "artifact_count"])
    index.refresh_entry(entry)


def count(source: Source) -> None:
    """Set the source's numbers from its present, not excluded entries."""
    types = Counter(source.entries.counted().values_list("type", flat=True))
    source.counts_by_type = dict(sorted(types.items()))
    source.artifact_count = sum(types.values())


def _known(source: Source) -> Iterator[tuple[UUID, KnownArtifact]]:
    rows = source.entries.order_by().values_list("pk", "type", "locator", "content_digest", "removed_at")
    for pk, name, locator, digest, removed_at in rows:
        yield (
            pk,
            KnownArtifact(
                type=ArtifactType(name), locator=locator, content_digest=digest, is_present=removed_at is None
            ),
        )


def _values(found: Found) -> dict[str, Any]:
    """The fields of an entry that say what the artifact is."""
    artifact, holding = found.artifact, found.holding
    return {name: getattr(artifact, name) for name in PLAIN_FIELDS} | {
        "manifest_id": holding.manifest,
        "incomplete": holding.incomplete[:MAX_REASON],
        "tags": list(artifact.tags),
        "path_tags": list(artifact.path_tags),
        "frontmatter": dict(artifact.frontmatter),
        "signals": [asdict(signal) for signal in artifact.signals],
        "findings": [asdict(finding) for finding in found.findings],
        "worst_finding": found.findings[0].severity.value if found.findings else "",
        "search_text": "\n".join(
            [artifact.name, artifact.title, artifact.description, artifact.path]
        ).casefold(),
    }


class _Writer:
    """One scan's writes, a batch at a time: a source may have more entries than there is memory for.

    `ids` are the keys of known entries by identity, to which those of new ones are added.
    """

    def __init__(
        self, source: Source, seen: Scanned, ids: dict[Key, UUID], change: CatalogueDiff, *, at: datetime
    ) -> None:
        self.source, self.seen, self.at = source, seen, at
        self.removed = [ids[key] for key in change.removed]
        for move in change.moved:
            ids[move.artifact.key] = ids.pop(move.was)
        self.ids = ids | {artifact.key: uuid7() for artifact in change.new}
        self.new = {artifact.key for artifact in change.new}
        self.changed = {artifact.key for artifact in change.new + change.updated + change.returned}

    def write(self) -> Iterator[tuple[Entry, str]]:
        """Create and change entries; those that were written, each with its text, as the index wants them."""
        for batch in batches(self.seen.found):
            for entry, found in self._write(batch):
                yield entry, found.main_document(self.seen.texts)

    def remove(self) -> None:
        for batch in batches(self.removed):
            Entry.objects.filter(pk__in=batch).update(removed_at=self.at)
            index.forget(batch)

    def _write(self, batch: list[Found]) -> list[tuple[Entry, Found]]:
        keys = [found.artifact.key for found in batch]
        known = Entry.objects.in_bulk([self.ids[key] for key in keys if key not in self.new])
        created, touched = [], []
        for found in batch:
            entry = known.get(self.ids[found.artifact.key])
            if entry is None:
                created.append((self._new(found), found))
            elif _assign(entry, self._values(found)):
                touched.append((entry, found))
        self._save([entry for entry, _ in created], [entry for entry, _ in touched])
        return created + touched

    def _new(self, found: Found) -> Entry:
        artifact = found.artifact
        return Entry(
            pk=self.ids[artifact.key],
            source=self.source,
            type=artifact.type.value,
            first_seen_at=self.at,
            **self._values(found),
        )

    def _values(self, found: Found) -> dict[str, Any]:
        """What its entry has to be; parents and originals may be in a batch that is written later."""
        artifact = found.artifact
        values = _values(found) | {
            "parent_id": self.ids.get((ArtifactType.PLUGIN, artifact.parent_locator or "")),
            "duplicate_of_id": self.ids.get((artifact.type, artifact.duplicate_of or "")),
        }
        if artifact.key in self.changed:
            values |= {"detected_sha": self.seen.commit.sha, "changed_at": self.at, "removed_at": None}
        return values

    @staticmethod
    def _save(created: list[Entry], touched: list[Entry]) -> None:
        Entry.objects.bulk_create(created)
        # An upsert: bulk_update builds a CASE for each row and column, and holds SQLite's lock for seconds.
        Entry.objects.bulk_create(
            touched, update_conflicts=True, unique_fields=["id"], update_fields=WRITTEN_FIELDS
        )
        if touched:
            EntryTag.objects.filter(entry__in=touched).delete()
        EntryTag.objects.bulk_create(row for entry in created + touched for row in EntryTag.all_of(entry))


def _assign(entry: Entry, values: Mapping[str, Any]) -> bool:
    """Set what differs; whether anything did."""
    different = {name: value for name, value in values.items() if getattr(entry, name) != value}
    for name, value in different.items():
        setattr(entry, name, value)
    return bool(different)
