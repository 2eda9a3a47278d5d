"""From candidates to artifacts: their files, digest, namespace and tags from the path; decides nothing."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.folders import parts, path_tags
from marketplace.detection.index import TreeIndex, is_below, parent, relative
from marketplace.detection.places import Candidate
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import TreeFile

MAX_NAMESPACE = 200

_Files = dict[tuple[ArtifactType, str], tuple[TreeFile, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    files: tuple[TreeFile, ...]
    digest: str


def assemble(
    index: TreeIndex, candidates: Sequence[Candidate], *, shared: Collection[str]
) -> tuple[DetectedArtifact, ...]:
    """Sorted by type and locator. `shared`: locators of plugins that own no more than their members."""
    owned = _files_below_plugins(index, candidates)
    divided = _files_of_shared(candidates, owned, shared)
    plugins = {c.place.locator for c in candidates if c.place.type is ArtifactType.PLUGIN}
    whole: dict[str, _Content] = {}
    artifacts = []
    for candidate in candidates:
        place = candidate.place
        files = divided.get(place.locator) if place.type is ArtifactType.PLUGIN else owned[place.identity]
        if files is not None:
            content = _content(files, place.directory)
        else:
            content = whole.get(place.directory) or _content(index.below(place.directory), place.directory)
            whole[place.directory] = content
        artifacts.append(_artifact(candidate, content, plugins=plugins))
    return tuple(sorted(_pointed_to_the_surest(artifacts), key=lambda artifact: artifact.key))


def _pointed_to_the_surest(artifacts: Iterable[DetectedArtifact]) -> Iterator[DetectedArtifact]:
    """Each artifact; where others have the same type and content, all but the surest say whose copy they are."""
    surest: dict[tuple[ArtifactType, str], str] = {}
    for artifact in sorted(artifacts, key=lambda artifact: (-artifact.confidence, artifact.key)):
        original = surest.setdefault((artifact.type, artifact.content_digest), artifact.locator)
        yield artifact if original == artifact.locator else replace(artifact, duplicate_of=original)


def content_digest(files: Iterable[TreeFile], *, base: str) -> str:
    """`sha256:` over path below `base`, mode and blob id of each file, each ended by a NUL, sorted by path.

    No part can contain a NUL, so different contents cannot be written alike.
    """
    hasher = hashlib.sha256()
    for file in sorted(files, key=lambda file: file.path):
        record = f"{relative(file.path, base)}\0{file.mode}\0{file.sha}\0"
        hasher.update(record.encode("utf-8", "surrogatepass"))
    return f"sha256:{hasher.hexdigest()}"


def _content(files: tuple[TreeFile, ...], base: str) -> _Content:
    return _Content(files=files, digest=content_digest(files, base=base))


def _files_below_plugins(index: TreeIndex, candidates: Sequence[Candidate]) -> _Files:
    """The files of everything but plugins: single files, and for skills what is nearest to them."""
    single = [c.place for c in candidates if not c.place.is_directory]
    owned = {place.identity: (index.files[place.path],) for place in single}
    taken = {place.path for place in single if place.inline is None}
    skills = {c.place.directory: c.place for c in candidates if c.place.type is ArtifactType.SKILL}
    held: dict[str, list[TreeFile]] = defaultdict(list)
    for file in index.all_files if skills else ():
        directory = _innermost(parent(file.path), skills) if file.path not in taken else None
        if directory is not None:
            held[directory].append(file)
    return owned | {place.identity: tuple(held[directory]) for directory, place in skills.items()}


def _innermost(directory: str, skills: Collection[str]) -> str | None:
    while directory not in skills:
        if not directory:
            return None
        directory = parent(directory)
    return directory


def _files_of_shared(
    candidates: Sequence[Candidate], owned: _Files, shared: Collection[str]
) -> dict[str, tuple[TreeFile, ...]]:
    """Of each plugin that shares its directory the files of its members."""
    found: dict[str, dict[str, TreeFile]] = defaultdict(dict)
    for candidate in candidates:
        place = candidate.place
        if place.plugin is not None and place.plugin in shared:
            found[place.plugin].update((file.path, file) for file in owned[place.identity])
    return {locator: tuple(files[path] for path in sorted(files)) for locator, files in found.items()}


def _artifact(candidate: Candidate, content: _Content, *, plugins: Collection[str]) -> DetectedArtifact:
    place, profile = candidate.place, candidate.profile
    between = (
        parts(relative(parent(place.path), place.container)) if is_below(place.path, place.container) else ()
    )
    is_command = place.type is ArtifactType.COMMAND
    return DetectedArtifact(
        type=place.type,
        locator=place.locator,
        path=place.path,
        name=profile.name,
        confidence=candidate.confidence,
        signals=candidate.signals,
        files=content.files,
        content_digest=content.digest,
        directory=place.directory,
        namespace="/".join(between)[:MAX_NAMESPACE] if is_command else "",
        title=profile.title,
        description=profile.description,
        version=profile.version,
        license=profile.license,
        author=profile.author,
        tags=profile.tags,
        path_tags=path_tags(between),
        parent_locator=place.plugin if place.plugin in plugins else None,
        frontmatter=profile.frontmatter,
    )
