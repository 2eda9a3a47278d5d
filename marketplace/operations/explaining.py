"""What detection says of a source's latest scan, as it is set or as it might be: from its snapshot alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings
from marketplace.detection.detect import Survey, survey
from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Source
from marketplace.operations import snapshots
from marketplace.snapshot import Snapshot, Texts
from skillmeat_site.errors import DomainError, Kind


class NothingScanned(DomainError):
    """The source has no finished scan, or what it left can no longer be read, so there is nothing to explain."""

    code = "nothing_scanned"
    kind = Kind.CONFLICT
    title = "Nothing is known of it yet"
    hint = "Scan it first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An artifact that other settings would judge otherwise; one of the two is None where it is not listed."""

    before: DetectedArtifact | None
    after: DetectedArtifact | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What other settings would do to the catalogue.

    `changes` are sorted by path. `unread` are documents that a scan would read first: what they hold is not
    foreseen here.
    """

    changes: tuple[Change, ...]
    unchanged: int
    unread: tuple[str, ...]

    @classmethod
    def between(cls, before: Survey, after: Survey) -> Self:
        old = {found.key: found for found in before.detect().artifacts}
        new = {found.key: found for found in after.detect().artifacts}
        pairs = [Change(before=old.get(key), after=new.get(key)) for key in old.keys() | new.keys()]
        changes = [pair for pair in pairs if _listed_as(pair.before) != _listed_as(pair.after)]
        return cls(
            changes=tuple(sorted(changes, key=_place)),
            unchanged=len(pairs) - len(changes),
            unread=tuple(sorted(after.missing - before.missing)),
        )


def look(source: Source) -> Survey:
    """What the latest scan saw, judged by the source's present settings. Raises NothingScanned."""
    return _survey(_recall(source), source.detection_settings)


def preview(source: Source, *, manual_map: Mapping[str, str | None]) -> Preview:
    """What this manual map would make of the commit that was scanned last. Raises NothingScanned."""
    snapshot, settings = _recall(source), source.detection_settings
    types = {directory: ArtifactType(name) if name else None for directory, name in manual_map.items()}
    before = _survey(snapshot, settings)
    return Preview.between(before, _survey(snapshot, replace(settings, manual_map=types)))


def _recall(source: Source) -> Snapshot:
    snapshot = snapshots.recall(source)
    if snapshot is None:
        raise NothingScanned
    return snapshot


def _survey(snapshot: Snapshot, settings: DetectionSettings) -> Survey:
    return survey(snapshot.tree, Texts(snapshot.tree, snapshot.documents, {}), settings)


def _listed_as(found: DetectedArtifact | None) -> tuple[str, int] | None:
    return (found.name, found.confidence) if found else None


def _place(change: Change) -> tuple[str, str]:
    found = change.after or change.before
    return (found.path, found.type) if found else ("", "")
