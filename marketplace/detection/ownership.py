"""Which candidate a file belongs to: one below the level of plugins, whatever else could claim it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from marketplace.detection.artifacts import Signal
from marketplace.detection.folders import parts
from marketplace.detection.index import TreeIndex, is_below, parent
from marketplace.detection.places import Candidate, Place
from marketplace.detection.vocabulary import ArtifactType

LOOSE_COPY = -25


def without_parts_of_skills(
    skills: Sequence[Candidate], plugins: Sequence[Candidate], places: Sequence[Place]
) -> tuple[list[Candidate], list[Candidate], list[Place]]:
    """Skills, plugins and places that stand on their own.

    Whatever is inside a skill is its part, unless Claude Code loads it from further out: then both are real.
    """
    outer: dict[str, Candidate] = {}
    for skill in sorted(skills, key=lambda skill: (len(parts(skill.place.directory)), skill.place.path)):
        if not _is_part(skill.place, outer):
            outer[skill.place.directory] = skill
    return (
        list(outer.values()),
        [plugin for plugin in plugins if not _is_part(plugin.place, outer)],
        [place for place in places if not _is_part(place, outer)],
    )


def single_owners(candidates: Iterable[Candidate], *, taken: Iterable[str]) -> list[Candidate]:
    """Of candidates for the same file the surest one, if it is not taken already.

    A manifest is nobody's: it may declare hooks and servers inline.
    """
    taken = set(taken)
    kept = []
    for candidate in sorted(candidates, key=_surest_first):
        if candidate.place.inline is None:
            if candidate.place.document in taken:
                continue
            taken.add(candidate.place.document)
        kept.append(candidate)
    return kept


def doubt_copies(candidates: Sequence[Candidate], index: TreeIndex) -> list[Candidate]:
    """All of them; a loose copy of what Claude Code loads from elsewhere here is less certain.

    Same document means same git blob. Two copies that are both loaded are both real.
    """
    originals: dict[tuple[ArtifactType, str], str] = {}
    for candidate in sorted(candidates, key=_surest_first):
        if candidate.place.is_loaded:
            originals.setdefault(_content_id(candidate, index), candidate.place.locator)
    return [_doubted(candidate, originals.get(_content_id(candidate, index))) for candidate in candidates]


def _content_id(candidate: Candidate, index: TreeIndex) -> tuple[ArtifactType, str]:
    return candidate.place.type, index.files[candidate.place.document].sha


def _doubted(candidate: Candidate, original: str | None) -> Candidate:
    if original is None or candidate.place.is_loaded:
        return candidate
    signal = Signal(name="loose_copy", points=LOOSE_COPY, detail=f"same document as {original}"[:300])
    return replace(candidate, signals=(*candidate.signals, signal))


def _surest_first(candidate: Candidate) -> tuple[int, str, str]:
    return -candidate.confidence, candidate.place.type, candidate.place.locator


def _is_part(place: Place, skills: Mapping[str, Candidate]) -> bool:
    directory = place.directory
    return any(
        around in skills and not _is_reached(place, around)
        for around in _ancestors(directory)
        if around != directory or not place.is_directory
    )


def _is_reached(place: Place, skill: str) -> bool:
    """What loads the place starts at the skill or, if it is official or declared, further out."""
    if place.loader is None:
        return False
    return skill == place.loader or (place.is_loaded and is_below(skill, place.loader))


def _ancestors(directory: str) -> Iterator[str]:
    """The directory itself, then outwards to the root."""
    while directory:
        yield directory
        directory = parent(directory)
    yield ""
