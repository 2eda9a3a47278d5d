"""The catalogue of a source: what a scan found becomes rows, all of it or nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import CatalogueDiff, Key, KnownArtifact, diff
from marketplace.models import Entry, EntryTag, Source
from marketplace.models.batches import BATCH, batches
from marketplace.scanner import Found, Scanned
from marketplace.search import index
from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind

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
    entries = {_key(entry): entry for entry in source.entries.all()}
    change = diff(map(_known, entries.values()), [found.artifact for found in seen.found])
    written = _Writer(source, entries, seen.found, sha=seen.commit.sha, at=at).write(change)
    index.write(source, _bodies(written, seen), at=at)
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


def _bodies(written: Mapping[Key, Entry], seen: Scanned) -> Iterator[tuple[Entry, str]]:
    """The entries to be indexed anew, each with its text; one at a time, as there may be much of it."""
    found = {one.artifact.key: one for one in seen.found}
    for key, entry in written.items():
        yield entry, found[key].main_document(seen.texts) if key in found else ""


def count(source: Source) -> None:
    """Set the source's numbers from its present, not excluded entries."""
    types = Counter(source.entries.counted().values_list("type", flat=True))
    source.counts_by_type = dict(sorted(types.items()))
    source.artifact_count = sum(types.values())


def _key(entry: Entry) -> Key:
    return ArtifactType(entry.type), entry.locator


def _known(entry: Entry) -> KnownArtifact:
    return KnownArtifact(
        type=ArtifactType(entry.type),
        locator=entry.locator,
        content_digest=entry.content_digest,
        is_present=entry.removed_at is None,
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
    """One scan's writes, in bulk."""

    def __init__(
        self,
        source: Source,
        entries: dict[Key, Entry],
        found: Iterable[Found],
        *,
        sha: str,
        at: datetime,
    ) -> None:
        self.source, self.entries, self.sha, self.at = source, entries, sha, at
        self.found = {one.artifact.key: one for one in found}
        self.created: dict[Key, Entry] = {}
        self.touched: dict[Key, Entry] = {}

    def write(self, change: CatalogueDiff) -> dict[Key, Entry]:
        """The entries that were created, changed or removed."""
        for move in change.moved:
            self.entries[move.artifact.key] = self.entries.pop(move.was)
        self.created = {artifact.key: self._create(artifact) for artifact in change.new}
        for artifact in change.updated + change.returned:
            self._take_over(artifact, changed=True)
        for artifact in (*(move.artifact for move in change.moved), *change.unchanged):
            self._take_over(artifact, changed=False)
        for artifact in change.detected:
            self._relate(artifact)
        removed = {key: self.entries[key] for key in change.removed}
        for entry in removed.values():
            entry.removed_at = self.at
        for batch in batches([entry.pk for entry in removed.values()]):
            Entry.objects.filter(pk__in=batch).update(removed_at=self.at)
        Entry.objects.bulk_create(self.created.values(), batch_size=BATCH)
        # An upsert: bulk_update builds a CASE for each row and column, and holds SQLite's lock for seconds.
        Entry.objects.bulk_create(
            self.touched.values(),
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=WRITTEN_FIELDS,
        )
        self._index_tags([*self.created.values(), *self.touched.values()])
        return self.created | self.touched | removed

    def _create(self, artifact: DetectedArtifact) -> Entry:
        entry = Entry(
            source=self.source,
            type=artifact.type.value,
            detected_sha=self.sha,
            first_seen_at=self.at,
            changed_at=self.at,
            **_values(self.found[artifact.key]),
        )
        self.entries[artifact.key] = entry
        return entry

    def _take_over(self, artifact: DetectedArtifact, *, changed: bool) -> None:
        values = _values(self.found[artifact.key])
        if changed:
            values |= {"detected_sha": self.sha, "changed_at": self.at, "removed_at": None}
        self._assign(artifact.key, values)

    def _relate(self, artifact: DetectedArtifact) -> None:
        """Which plugin it belongs to and whose copy it is; the others' entries exist by now."""
        parent = self.entries.get((ArtifactType.PLUGIN, artifact.parent_locator or ""))
        original = self.entries.get((artifact.type, artifact.duplicate_of or ""))
        values = {"parent_id": parent and parent.pk, "duplicate_of_id": original and original.pk}
        self._assign(artifact.key, values)

    def _assign(self, key: Key, values: dict[str, Any]) -> None:
        """Set what differs, and note an existing row of which anything did."""
        entry = self.entries[key]
        different = {name: value for name, value in values.items() if getattr(entry, name) != value}
        for name, value in different.items():
            setattr(entry, name, value)
        if different and key not in self.created:
            self.touched[key] = entry

    @staticmethod
    def _index_tags(entries: list[Entry]) -> None:
        for batch in batches(entries):
            EntryTag.objects.filter(entry__in=batch).delete()
            EntryTag.objects.bulk_create(
                EntryTag(entry=entry, tag=tag)
                for entry in batch
                for tag in sorted({*entry.tags, *entry.path_tags})
            )
