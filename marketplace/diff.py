"""What a scan changes: the catalogue as it is known against what was detected. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.vocabulary import ArtifactType

Key = tuple[ArtifactType, str]


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
class CatalogueDiff:
    """Every key of either side in exactly one place (what was gone and still is, in none)."""

    new: tuple[DetectedArtifact, ...] = ()
    updated: tuple[DetectedArtifact, ...] = ()
    returned: tuple[DetectedArtifact, ...] = ()
    unchanged: tuple[DetectedArtifact, ...] = ()
    removed: tuple[Key, ...] = ()


def diff(known: Iterable[KnownArtifact], detected: Iterable[DetectedArtifact]) -> CatalogueDiff:
    """Changed means the artifact's own bytes or modes changed, which its content digest tells."""
    before = {artifact.key: artifact for artifact in known}
    new, updated, returned, unchanged = [], [], [], []
    for artifact in detected:
        was = before.pop((artifact.type, artifact.locator), None)
        if was is None:
            new.append(artifact)
        elif not was.is_present:
            returned.append(artifact)
        elif was.content_digest != artifact.content_digest:
            updated.append(artifact)
        else:
            unchanged.append(artifact)
    return CatalogueDiff(
        new=tuple(new),
        updated=tuple(updated),
        returned=tuple(returned),
        unchanged=tuple(unchanged),
        removed=tuple(sorted(key for key, was in before.items() if was.is_present)),
    )
