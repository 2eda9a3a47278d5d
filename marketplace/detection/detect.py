"""From a tree and some of its texts to artifacts: the order of the steps, each of which has its own room."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, islice

from marketplace.detection.artifacts import Detection, DetectionSettings, SuggestedSource
from marketplace.detection.assembly import assemble
from marketplace.detection.index import Library, TreeIndex, parent
from marketplace.detection.judging import judge, judge_plugin
from marketplace.detection.members import Folders, member_places
from marketplace.detection.ownership import doubt_copies, single_owners, without_parts_of_skills
from marketplace.detection.places import Candidate, Identity, Place
from marketplace.detection.plugins import Plugin, find_plugins
from marketplace.detection.rules import (
    config_places,
    folder_places,
    frontmatter_places,
    json_places,
    mapped_places,
    project_places,
    skill_places,
)
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import Tree

# Raised whenever the same tree may give another result: an unchanged commit is then read again.
DETECTOR_VERSION = 2
LISTED = 30
MAX_PLACES = 60_000
MAX_LOCATOR_BYTES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One pass over everything that is known of a tree.

    `missing` are paths of regular files whose text would have told more: to be surveyed again with these
    added until it is empty, as manifests refer to further files. All rounds together ask for at most 20,000
    files of 256 KiB each and 64 MiB. What cannot be had stays in it. `places` are all that were looked at,
    those too that nothing came of.
    """

    missing: frozenset[str]
    index: TreeIndex
    library: Library
    mapping: Mapping[str, ArtifactType | None]
    places: tuple[Place, ...]
    plugins: tuple[Plugin, ...]
    candidates: tuple[Candidate, ...]
    members: Mapping[str, Set[Identity]]
    suggested: tuple[SuggestedSource, ...]

    def detect(self) -> Detection:
        """All artifacts with a confidence of at least 30; whatever lacks its document is left out."""
        listed = tuple(found for found in self.candidates if found.confidence >= LISTED)
        divided = {
            plugin.locator: self.members.get(plugin.locator, frozenset())
            for plugin in self.plugins
            if plugin.divides
        }
        return Detection(artifacts=assemble(self.index, listed, divided=divided), suggested=self.suggested)


def survey(tree: Tree, documents: Mapping[str, str], settings: DetectionSettings) -> Survey:
    """Look at a tree with the texts that are known of it, by path.

    Depends on the sets of files and documents, not on their order.
    """
    root, mapping = _directory(settings.root_hint), _normalised(settings.manual_map)
    index = TreeIndex(tree, root=root)
    library = Library(index, documents)
    plugins, suggested = find_plugins(index, library, root=root, mapping=mapping)
    places = chain(
        mapped_places(index, mapping), _usual_places(index, root, plugins, frontmatter=settings.frontmatter)
    )
    looked_at = tuple(islice(filter(_is_short, places), MAX_PLACES))
    allowed = [place for place in looked_at if is_allowed(place, mapping)]
    packages = [package for plugin in plugins if _is_short((package := judge_plugin(plugin)).place)]
    kept = [package for package in packages if is_allowed(package.place, mapping)]
    return Survey(
        index=index,
        library=library,
        mapping=mapping,
        places=looked_at,
        plugins=plugins,
        candidates=_judge(_best(allowed), kept, library, index),
        members=_by_plugin(allowed),
        suggested=suggested,
        missing=frozenset(library.missing),
    )


def _usual_places(
    index: TreeIndex, root: str, plugins: Sequence[Plugin], *, frontmatter: bool
) -> Iterator[Place]:
    """Yield official places first: a limit cuts the rest."""
    yield from project_places(index, root)
    yield from _members(plugins, index)
    yield from skill_places(index, root)
    yield from folder_places(index, root)
    yield from config_places(index, root)
    directories = {plugin.directory for plugin in plugins}
    yield from json_places(index, root, plugins=directories)
    if frontmatter:
        yield from frontmatter_places(index, root, plugins=directories)


def _members(plugins: Iterable[Plugin], index: TreeIndex) -> Iterator[Place]:
    """Those of the innermost plugins first, and of several in one directory first the one that is its namesake."""
    folders = Folders(index)
    ordered = sorted(plugins, key=lambda plugin: (-len(plugin.directory), not plugin.is_namesake))
    return chain.from_iterable(member_places(plugin, folders) for plugin in ordered)


def _best(places: Iterable[Place]) -> tuple[Place, ...]:
    """Each identity once, with the strongest reason, in the order of type and locator."""
    found: dict[Identity, Place] = {}
    for place in places:
        known = found.get(place.identity)
        if known is None or place.rank > known.rank:
            found[place.identity] = place
    return tuple(found[identity] for identity in sorted(found))


def _by_plugin(places: Iterable[Place]) -> dict[str, set[Identity]]:
    """What each plugin, by its locator, loads; several can load the same."""
    members: dict[str, set[Identity]] = defaultdict(set)
    for place in places:
        if place.plugin is not None:
            members[place.plugin].add(place.identity)
    return members


def _judge(
    places: tuple[Place, ...], plugins: list[Candidate], library: Library, index: TreeIndex
) -> tuple[Candidate, ...]:
    """Skills first: what lies inside one is its part, and need not be read."""
    skills = [judge(place, library) for place in places if place.type is ArtifactType.SKILL]
    real = [skill for skill in skills if skill and skill.confidence >= LISTED]
    files = [place for place in places if not place.is_directory]
    outer, packages, rest = without_parts_of_skills(real, plugins, files)
    others = [found for place in rest if (found := judge(place, library))]
    single = single_owners(others, taken=[skill.place.document for skill in outer])
    return (*packages, *doubt_copies([*outer, *single], index, library))


def _is_short(place: Place) -> bool:
    """Its identity can be looked up: an index of a database takes so many bytes and no more."""
    return len(place.locator.encode("utf-8", "surrogatepass")) <= MAX_LOCATOR_BYTES


def is_allowed(place: Place, mapping: Mapping[str, ArtifactType | None]) -> bool:
    """The nearest mapped directory decides; below one that is called a plugin its parts count too."""
    directory = place.directory
    while directory not in mapping:
        if not directory:
            return True
        directory = parent(directory)
    return mapping[directory] in {place.type, ArtifactType.PLUGIN}


def _normalised(mapping: Mapping[str, ArtifactType | None]) -> dict[str, ArtifactType | None]:
    return {_directory(path): mapping[path] for path in sorted(mapping)}


def _directory(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))
