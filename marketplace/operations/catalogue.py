"""The catalogue of a source: what a scan found becomes rows, all of it or nothing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType
from marketplace.diff import CatalogueDiff, Key, KnownArtifact, diff
from marketplace.models import Entry, EntryTag, Source
from marketplace.scanner import Snapshot, fingerprint

T = TypeVar("T")
BATCH = 500
# What an entry takes over from its artifact as it is; `_values` adds what has another form.
PLAIN_FIELDS = (
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
FORMED_FIELDS = ("tags", "path_tags", "frontmatter", "signals", "search_text")


def apply(*, source: Source, snapshot: Snapshot, at: datetime) -> dict[str, int]:
    """Make the source's entries equal to the snapshot; how many were new, updated, removed, unchanged.

    Has to run in the scan's transaction. Entries that did not change in any way are not written. `source` is
    changed but not saved.
    """
    entries = {_key(entry): entry for entry in source.entries.all()}
    change = diff(map(_known, entries.values()), snapshot.artifacts)
    writer = _Writer(source, entries, sha=snapshot.commit.sha, at=at)
    writer.write(change)
    if source.resolved_sha != snapshot.commit.sha:
        source.resolved_sha, source.advanced_at = snapshot.commit.sha, at
    source.etag = snapshot.commit.etag
    source.fingerprint = fingerprint(source.detection_settings)
    if snapshot.readme is not None:
        source.repo_readme = snapshot.readme
    count(source)
    return {
        "new": len(change.new),
        "updated": len(change.updated) + len(change.returned),
        "removed": len(change.removed),
        "unchanged": len(change.unchanged),
    }


def count(source: Source) -> None:
    """Set the source's numbers from its present, not excluded entries."""
    types = Counter(source.entries.counted().values_list("type", flat=True))
    source.counts_by_type = dict(sorted(types.items()))
    source.artifact_count = sum(types.values())


def _batches(rows: list[T]) -> Iterator[list[T]]:
    """A few at a time: databases limit how many values one statement may name."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _key(entry: Entry) -> Key:
    return ArtifactType(entry.type), entry.locator


def _known(entry: Entry) -> KnownArtifact:
    return KnownArtifact(
        type=ArtifactType(entry.type),
        locator=entry.locator,
        content_digest=entry.content_digest,
        is_present=entry.removed_at is None,
    )


def _values(artifact: DetectedArtifact) -> dict[str, Any]:
    """The fields of an entry that say what the artifact is."""
    return {name: getattr(artifact, name) for name in PLAIN_FIELDS} | {
        "tags": list(artifact.tags),
        "path_tags": list(artifact.path_tags),
        "frontmatter": dict(artifact.frontmatter),
        "signals": [asdict(signal) for signal in artifact.signals],
        "search_text": "\n".join(
            [artifact.name, artifact.title, artifact.description, artifact.path]
        ).casefold(),
    }


class _Writer:
    """One scan's writes, in bulk."""

    def __init__(self, source: Source, entries: dict[Key, Entry], *, sha: str, at: datetime) -> None:
        self.source, self.entries, self.sha, self.at = source, entries, sha, at
        self.created: dict[Key, Entry] = {}
        self.touched: dict[Key, Entry] = {}

    def write(self, change: CatalogueDiff) -> None:
        self.created = {(artifact.type, artifact.locator): self._create(artifact) for artifact in change.new}
        for artifact in change.updated + change.returned:
            self._take_over(artifact, changed=True)
        for artifact in change.unchanged:
            self._take_over(artifact, changed=False)
        self._set_parents(change.new + change.updated + change.returned + change.unchanged)
        for batch in _batches([self.entries[key].pk for key in change.removed]):
            Entry.objects.filter(pk__in=batch).update(removed_at=self.at)
        Entry.objects.bulk_create(self.created.values(), batch_size=BATCH)
        fields = [*PLAIN_FIELDS, *FORMED_FIELDS, "parent", "detected_sha", "changed_at", "removed_at"]
        Entry.objects.bulk_update(self.touched.values(), fields, batch_size=BATCH)
        self._index_tags([*self.created.values(), *self.touched.values()])

    def _create(self, artifact: DetectedArtifact) -> Entry:
        entry = Entry(
            source=self.source,
            type=artifact.type.value,
            locator=artifact.locator,
            detected_sha=self.sha,
            first_seen_at=self.at,
            changed_at=self.at,
            **_values(artifact),
        )
        self.entries[artifact.type, artifact.locator] = entry
        return entry

    def _take_over(self, artifact: DetectedArtifact, *, changed: bool) -> None:
        key = artifact.type, artifact.locator
        values = _values(artifact)
        if changed:
            values |= {"detected_sha": self.sha, "changed_at": self.at, "removed_at": None}
        if self._assign(self.entries[key], values):
            self.touched[key] = self.entries[key]

    def _set_parents(self, artifacts: Iterable[DetectedArtifact]) -> None:
        for artifact in artifacts:
            key = artifact.type, artifact.locator
            parent = self.entries.get((ArtifactType.PLUGIN, artifact.parent_locator or ""))
            entry = self.entries[key]
            if self._assign(entry, {"parent_id": parent.pk if parent else None}) and key not in self.created:
                self.touched[key] = entry

    @staticmethod
    def _assign(entry: Entry, values: dict[str, Any]) -> bool:
        """Set what differs; whether anything did."""
        different = {name: value for name, value in values.items() if getattr(entry, name) != value}
        for name, value in different.items():
            setattr(entry, name, value)
        return bool(different)

    @staticmethod
    def _index_tags(entries: list[Entry]) -> None:
        for batch in _batches(entries):
            EntryTag.objects.filter(entry__in=batch).delete()
            EntryTag.objects.bulk_create(
                EntryTag(entry=entry, tag=tag)
                for entry in batch
                for tag in sorted({*entry.tags, *entry.path_tags})
            )
