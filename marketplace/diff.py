"""What a scan changes: the catalogue as it is known against what was detected. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.assembly import content_digest
from marketplace.detection.vocabulary import ArtifactType

Key = tuple[ArtifactType, str]
NOTHING = content_digest((), base="")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArtifact:
    """What the catalogue has of one artifact; `is_present` is False when it was gone before this scan."""

    type: ArtifactType
    locator: str
    content_digest: str
    is_present: bool = True

    @property
    def key(self) -> Key:
        return self.type, self.locator


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An artifact that is what `was` used to be, at another path."""

    was: Key
    artifact: DetectedArtifact


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueDiff:
    """Every key of either side in exactly one place (what was gone and still is, in none)."""

    new: tuple[DetectedArtifact, ...] = ()
    updated: tuple[DetectedArtifact, ...] = ()
    returned: tuple[DetectedArtifact, ...] = ()
    moved: tuple[Move, ...] = ()
    unchanged: tuple[DetectedArtifact, ...] = ()
    removed: tuple[Key, ...] = ()

    @property
    def detected(self) -> tuple[DetectedArtifact, ...]:
        """Everything that is there now."""
        moved = tuple(move.artifact for move in self.moved)
        return self.new + self.updated + self.returned + moved + self.unchanged


def diff(known: Iterable[KnownArtifact], detected: Iterable[DetectedArtifact]) -> CatalogueDiff:
    """Changed means the artifact's own bytes or modes changed, which its content digest tells."""
    before = {artifact.key: artifact for artifact in known}
    new, updated, returned, unchanged = [], [], [], []
    for artifact in detected:
        was = before.pop(artifact.key, None)
        if was is None:
            new.append(artifact)
        elif not was.is_present:
            returned.append(artifact)
        elif was.content_digest != artifact.content_digest:
            updated.append(artifact)
        else:
            unchanged.append(artifact)
    gone = [was for was in before.values() if was.is_present]
    moved = _moves(gone, new)
    old_keys = {move.was for move in moved}
    new_keys = {move.artifact.key for move in moved}
    return CatalogueDiff(
        new=tuple(artifact for artifact in new if artifact.key not in new_keys),
        updated=tuple(updated),
        returned=tuple(returned),
        moved=tuple(moved),
        unchanged=tuple(unchanged),
        removed=tuple(sorted(was.key for was in gone if was.key not in old_keys)),
    )


def _moves(gone: Iterable[KnownArtifact], new: Iterable[DetectedArtifact]) -> list[Move]:
    """Pairs of the same type and content; of several that are alike, in the order of their paths.

    What has no files of its own has nothing to be recognised by.
    """
    places: dict[tuple[ArtifactType, str], list[DetectedArtifact]] = defaultdict(list)
    gone = (was for was in gone if was.content_digest != NOTHING)
    for artifact in sorted(new, key=lambda artifact: artifact.locator, reverse=True):
        places[artifact.type, artifact.content_digest].append(artifact)
    return [
        Move(was=was.key, artifact=alike.pop())
        for was in sorted(gone, key=lambda was: was.key)
        if (alike := places[was.type, was.content_digest])
    ]
