"""From candidates to artifacts: their files, digest, namespace and tags from the path; decides nothing."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from marketplace.detection.artifacts import DetectedArtifact
from marketplace.detection.folders import parts, path_tags
from marketplace.detection.index import TreeIndex, is_below, parent, relative
from marketplace.detection.places import Candidate, Identity
from marketplace.detection.scripts import hook_files
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import TreeFile

MAX_NAMESPACE = 200

_Files = dict[Identity, tuple[TreeFile, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    files: tuple[TreeFile, ...]
    digest: str


def assemble(
    index: TreeIndex, candidates: Sequence[Candidate], *, divided: Mapping[str, Set[Identity]]
) -> tuple[DetectedArtifact, ...]:
    """Sorted by type and locator. `divided`: plugins, by locator, that own no more than these members."""
    owned = _files_below_plugins(index, candidates)
    parts_of = {locator: _together(owned, members) for locator, members in divided.items()}
    plugins = {c.place.locator for c in candidates if c.place.type is ArtifactType.PLUGIN}
    whole: dict[str, _Content] = {}
    artifacts = {}
    for candidate in candidates:
        place = candidate.place
        files = parts_of.get(place.locator) if place.type is ArtifactType.PLUGIN else owned[place.identity]
        if files is not None:
            content = _content(files, place.origin)
        else:
            content = whole.get(place.directory) or _content(index.below(place.directory), place.directory)
            whole[place.directory] = content
        artifacts[place.identity] = _artifact(candidate, content, plugins=plugins)
    copies = {c.place.identity: c.copy_of for c in candidates if c.copy_of is not None}
    pointed = _pointed_to_the_surest(artifacts.values(), copies)
    return tuple(sorted(pointed, key=lambda artifact: artifact.key))


def _pointed_to_the_surest(
    artifacts: Iterable[DetectedArtifact], copies: Mapping[Identity, str]
) -> Iterator[DetectedArtifact]:
    """Each artifact; of those with the same type and content all but the surest, and the copies, say of what.

    What is pointed to points nowhere: it comes first in the order from sure to unsure.
    """
    originals: dict[Identity, str] = {}
    contents: dict[tuple[ArtifactType, str], str] = {}
    for artifact in sorted(artifacts, key=lambda artifact: (-artifact.confidence, artifact.key)):
        content = (artifact.type, artifact.content_digest if artifact.files else artifact.locator)
        copied = originals.get((artifact.type, copies.get(artifact.key, "")), artifact.locator)
        original = contents.setdefault(content, copied)
        originals[artifact.key] = original
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
    """The files of everything but plugins: single files, for hooks their scripts, for skills what is nearest."""
    single = [c.place for c in candidates if not c.place.is_directory]
    owned: _Files = {place.identity: (index.files[place.path],) for place in single}
    for candidate in candidates:
        place = candidate.place
        if place.type is ArtifactType.HOOK:
            base = place.directory if place.base is None else place.base
            owned[place.identity] = hook_files(index, place.document, base, candidate.calls)
    taken = {place.path for place in single if place.inline is None}
    skills = {c.place.directory: c.place for c in candidates if c.place.type is ArtifactType.SKILL}
    holder: dict[str, str] = {}
    for directory in sorted(skills, key=len):
        holder |= {file.path: directory for file in index.below(directory) if file.path not in taken}
    held: dict[str, list[TreeFile]] = defaultdict(list)
    for file in index.all_files if holder else ():
        if file.path in holder:
            held[holder[file.path]].append(file)
    return owned | {place.identity: tuple(held[directory]) for directory, place in skills.items()}


def _together(owned: _Files, members: Set[Identity]) -> tuple[TreeFile, ...]:
    """The files of these members, sorted by path, each once."""
    files = {file.path: file for member in members for file in owned.get(member, ())}
    return tuple(files[path] for path in sorted(files))


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
        directory=place.origin,
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
