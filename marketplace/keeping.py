"""Which files of the detected artifacts are kept, and what their manifests say. Pure; stores through a port."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.index import relative
from marketplace.manifest import Manifest, ManifestFile, is_lfs_pointer, kind_of
from marketplace.repository import TreeFile
from marketplace.snapshot import Kept

BATCH_FILES = 200
BATCH_BYTES = 8 * 1024**2
BATCH_LISTED = 2_000
MAX_LISTED = 500_000
TOO_MANY = "Its files are too many to be listed beside those of the source's other artifacts."


class ContentStore(Protocol):
    """Where bytes and manifests are written once and kept as long as something refers to them."""

    def put(self, contents: Sequence[bytes]) -> list[str]:
        """Store each if it is not there yet; their SHA-256 (hex), in the same order."""

    def keep(self, manifests: Mapping[str, Manifest]) -> None:
        """Store each manifest, given by its digest, if it is not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingLimits:
    """In bytes: of one file, of one artifact, of all different files of a source together."""

    file: int
    artifact: int
    source: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is kept of one artifact. `incomplete` says in a sentence why it is not all, or is empty."""

    manifest: str
    incomplete: str = ""


def allot(artifacts: Iterable[DetectedArtifact], limits: KeepingLimits) -> dict[str, TreeFile]:
    """The regular files to be kept, by blob id; the surest artifacts come first where room is scarce."""
    chosen: dict[str, TreeFile] = {}
    room = limits.source
    for artifact in sorted(artifacts, key=lambda found: (-found.confidence, found.type, found.locator)):
        if _too_large(artifact, limits):
            continue
        missing = {file.sha: file for file in artifact.files if file.is_regular and file.sha not in chosen}
        size = sum(file.size for file in missing.values())
        if size <= room:
            chosen |= missing
            room -= size
    return chosen


def _too_large(artifact: DetectedArtifact, limits: KeepingLimits) -> str:
    regular = [file for file in artifact.files if file.is_regular]
    large = [file.path for file in regular if file.size > limits.file]
    if large:
        return f"{_some(large)} larger than {limits.file:,} bytes."
    if (size := sum(file.size for file in regular)) > limits.artifact:
        return f"Its files have {size:,} bytes, more than the {limits.artifact:,} that one artifact may have."
    return ""


def _some(paths: Sequence[str]) -> str:
    others = f" and {len(paths) - 1} others are" if len(paths) > 1 else " is"
    return f"{paths[0][:200]}{others}"


def store(contents: Iterable[tuple[str, bytes]], into: ContentStore) -> Iterator[tuple[str, Kept]]:
    """Put blobs, given with their git ids, into the store a batch at a time; where each is now."""
    batch: list[tuple[str, bytes]] = []
    size = 0
    for sha, data in contents:
        batch.append((sha, data))
        size += len(data)
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield from _store_batch(batch, into)
            batch, size = [], 0
    yield from _store_batch(batch, into)


def _store_batch(batch: Sequence[tuple[str, bytes]], into: ContentStore) -> Iterator[tuple[str, Kept]]:
    digests = into.put([data for _, data in batch])
    for (sha, data), digest in zip(batch, digests, strict=True):
        yield sha, Kept(digest=digest, is_pointer=is_lfs_pointer(data))


def hold(
    artifacts: Iterable[DetectedArtifact],
    kept: Mapping[str, Kept],
    limits: KeepingLimits,
    into: ContentStore,
) -> Iterator[Holding]:
    """Write each artifact's manifest; what is held of it, in the artifacts' order.

    Artifacts can share a list of files, which is then written once. All lists of a source together have at
    most `MAX_LISTED` files: what would be more is listed as empty and incomplete.
    """
    written: dict[tuple[str, int], Holding] = {}
    batch: dict[str, Manifest] = {}
    room, size = MAX_LISTED, 0
    for artifact in artifacts:
        key = artifact.directory, id(artifact.files)  # the same list is the same object: see `assemble`
        if key not in written:
            fits = len(artifact.files) <= room
            manifest = _manifest(artifact, kept) if fits else Manifest(files=())
            reason = _incomplete(artifact, kept, limits) if fits else TOO_MANY
            written[key] = Holding(manifest=manifest.digest, incomplete=reason)
            batch[written[key].manifest] = manifest
            room -= len(manifest.files)
            size += len(manifest.files) + 1
        if size >= BATCH_LISTED:
            into.keep(batch)
            batch, size = {}, 0
        yield written[key]
    into.keep(batch)


def _manifest(artifact: DetectedArtifact, kept: Mapping[str, Kept]) -> Manifest:
    return Manifest(files=tuple(_listed(file, artifact.directory, kept) for file in artifact.files))


def _listed(file: TreeFile, directory: str, kept: Mapping[str, Kept]) -> ManifestFile:
    held = kept.get(file.sha) if file.is_regular else None
    return ManifestFile(
        path=relative(file.path, directory),
        kind=kind_of(file, is_pointer=bool(held and held.is_pointer)),
        mode=file.mode,
        size=file.size,
        sha=file.sha,
        digest=held.digest if held else None,
    )


def _incomplete(artifact: DetectedArtifact, kept: Mapping[str, Kept], limits: KeepingLimits) -> str:
    if too_large := _too_large(artifact, limits):
        return too_large
    missing = [file.path for file in artifact.files if file.is_regular and file.sha not in kept]
    if not missing:
        return ""
    return f"{_some(missing)} not stored: the archive lacks or alters them, or the source has no room left."
