"""Which candidate a file belongs to: one below the level of plugins, whatever else could claim it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from marketplace.detection.artifacts import Signal
from marketplace.detection.folders import parts, untranslated
from marketplace.detection.index import Library, TreeIndex, base_name, is_below, parent, stem
from marketplace.detection.places import Candidate, Place
from marketplace.detection.vocabulary import ArtifactType

# What is taken from a loose copy; a translation stands at the last of these, or where it stood below.
LOOSE_COPY = -25
EDITED_COPY = -20
TRANSLATION = 35
MAX_NAMESAKES = 3
COMPARED = 2_000

_Key = tuple[ArtifactType, str]


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


def doubt_copies(candidates: Sequence[Candidate], index: TreeIndex, library: Library) -> list[Candidate]:
    """All of them; a loose copy of what Claude Code loads from elsewhere here is less certain.

    A copy has the same document (the same git blob), or the same name and half of the first lines below its
    frontmatter; a translation has the file name of an artifact whose path shows no language. Two copies that
    are both loaded are both real.
    """
    originals = _Originals(candidates, index, library)
    return [
        candidate if candidate.place.is_loaded else originals.doubt(candidate) for candidate in candidates
    ]


class _Originals:
    """What loose copies can be copies of, the surest first."""

    def __init__(self, candidates: Sequence[Candidate], index: TreeIndex, library: Library) -> None:
        self._index, self._library = index, library
        self._by_content: dict[_Key, str] = {}
        self._by_name: dict[_Key, list[Candidate]] = defaultdict(list)
        self._by_path: dict[_Key, str] = {}
        self._lines: dict[str, frozenset[str]] = {}
        for candidate in sorted(candidates, key=_surest_first):
            place = candidate.place
            if place.is_loaded:
                self._by_content.setdefault(self._content(candidate), place.locator)
                self._by_name[_name(candidate)].append(candidate)
            if untranslated(place.path) is None:
                self._by_path.setdefault((place.type, _file_name(place.path)), place.locator)

    def doubt(self, candidate: Candidate) -> Candidate:
        """The loose candidate with a reason to doubt it, if there is one."""
        same = self._by_content.get(self._content(candidate))
        if same is not None:
            return _doubted(candidate, "loose_copy", LOOSE_COPY, f"same document as {same}", same)
        written = self._by_path.get((candidate.place.type, untranslated(candidate.place.path) or ""))
        if written is not None:
            points = min(0, TRANSLATION - candidate.confidence)
            return _doubted(candidate, "translation", points, f"of {written}", written)
        edited = self._edited(candidate)
        if edited is not None:
            return _doubted(candidate, "edited_copy", EDITED_COPY, f"much the same as {edited}", edited)
        return candidate

    def _edited(self, candidate: Candidate) -> str | None:
        namesakes = self._by_name.get(_name(candidate), ())[:MAX_NAMESAKES]
        lines = self._lines_of(candidate) if namesakes else frozenset()
        return next((one.place.locator for one in namesakes if _are_alike(lines, self._lines_of(one))), None)

    def _lines_of(self, candidate: Candidate) -> frozenset[str]:
        path = candidate.place.document
        if path not in self._lines:
            text = self._library.body(path)[:COMPARED]
            self._lines[path] = frozenset(filter(None, map(str.strip, text.splitlines())))
        return self._lines[path]

    def _content(self, candidate: Candidate) -> _Key:
        return candidate.place.type, self._index.files[candidate.place.document].sha


def _are_alike(lines: Set[str], others: Set[str]) -> bool:
    return 2 * len(lines & others) >= max(len(lines), len(others), 1)


def _name(candidate: Candidate) -> _Key:
    return candidate.place.type, candidate.profile.name.casefold()


def _file_name(path: str) -> str:
    return stem(path) if path.lower().endswith(".md") else base_name(path)


def _doubted(candidate: Candidate, name: str, points: int, detail: str, original: str) -> Candidate:
    signal = Signal(name=name, points=points, detail=detail[:300])
    return replace(candidate, signals=(*candidate.signals, signal), copy_of=original)


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
