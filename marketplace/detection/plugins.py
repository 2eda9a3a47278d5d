"""Which directories are plugins, by their own manifest or a marketplace's; knows nothing of what is in them.

Formats: code.claude.com/docs, "Plugins reference" and "Plugin marketplaces".
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from marketplace.detection.artifacts import Signal, SuggestedSource
from marketplace.detection.folders import is_ruled_out, parts
from marketplace.detection.index import Library, TreeIndex, base_name, is_below, join, parent, relative
from marketplace.detection.manifests import MarketplaceEntry, PluginManifest, read_marketplace, read_plugin
from marketplace.detection.places import LOADED, NESTED, STANDALONE, directory_path
from marketplace.detection.vocabulary import ArtifactType

FOLDER = ".claude-plugin"
MAX_PLUGINS = 5_000
# Entries for one and the same whole directory.
MAX_ALIASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A manifest and the file it stands in."""

    manifest: PluginManifest
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One plugin: `own` is its plugin.json, `entry` what a marketplace says; at least a name is known.

    `shared`: several entries of marketplaces use the directory, `key` tells them apart.
    """

    directory: str
    name: str
    loader: str
    signal: Signal
    own: Declared | None = None
    entry: Declared | None = None
    shared: bool = False

    @property
    def path(self) -> str:
        return directory_path(self.directory)

    @property
    def key(self) -> str:
        return self.name if self.shared else ""

    @property
    def locator(self) -> str:
        return f"{self.path}#{self.key}" if self.shared else self.path

    @property
    def divides(self) -> bool:
        """It shares the directory and says which part of it is its own; those that do not have all of it."""
        return self.shared and self.entry is not None and self.entry.manifest.lists_parts

    @property
    def is_namesake(self) -> bool:
        """It is called like the directory's own manifest."""
        return self.own is not None and self.own.manifest.name == self.name

    @property
    def declarations(self) -> tuple[Declared, ...]:
        """First what wins where both say something: its own manifest, unless others share that."""
        order = (self.entry, self.own) if self.shared else (self.own, self.entry)
        return tuple(declared for declared in order if declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """One entry of the marketplace.json in `path`, whose paths start at `base`."""

    entry: MarketplaceEntry
    path: str
    base: str


def find_plugins(
    index: TreeIndex, library: Library, *, root: str, mapping: Mapping[str, ArtifactType | None]
) -> tuple[tuple[Plugin, ...], tuple[SuggestedSource, ...]]:
    """All plugins by locator, and the repositories that marketplaces point to, sorted."""
    listings = tuple(_listings(index, library, root))
    declared = _by_directory(index, listings, root)
    manifests = _manifests(index, library)
    plugins = [
        *_listed(declared, manifests, root),
        *_standalone(manifests.keys() - declared.keys(), manifests, root, mapping),
        *_mapped(index, manifests, mapping, taken=declared.keys()),
    ]
    suggested = {listing.entry.elsewhere for listing in listings if listing.entry.elsewhere}
    surest = sorted(plugins, key=lambda plugin: (-plugin.signal.points, plugin.locator))[:MAX_PLUGINS]
    return tuple(sorted(surest, key=lambda plugin: plugin.locator)), tuple(sorted(suggested))


def _listings(index: TreeIndex, library: Library, root: str) -> Iterator[_Listing]:
    for path in index.named("marketplace.json"):
        base = parent(parent(path))
        if base_name(parent(path)) == FOLDER and not is_ruled_out(parts(relative(base, root))):
            entries = read_marketplace(library.json(path) or {})
            yield from (_Listing(entry=entry, path=path, base=base) for entry in entries)


def _manifests(index: TreeIndex, library: Library) -> dict[str, Declared]:
    """Every readable plugin.json by the directory whose plugin it describes."""
    found = {}
    for path in index.named("plugin.json"):
        values = library.json(path) if base_name(parent(path)) == FOLDER else None
        if values is not None:
            found[parent(parent(path))] = Declared(manifest=read_plugin(values), path=path)
    return found


def _by_directory(
    index: TreeIndex, listings: Iterable[_Listing], root: str
) -> dict[str, dict[str, _Listing]]:
    """The listings whose directory has files, by directory and name; the outermost marketplace wins."""
    found: dict[str, dict[str, _Listing]] = defaultdict(dict)
    for listing in sorted(listings, key=lambda listing: (len(parts(listing.base)), listing.base)):
        local = listing.entry.directory
        directory = None if local is None else join(listing.base, local)
        if directory is not None and is_below(directory, root) and index.holds(directory):
            found[directory].setdefault(listing.entry.manifest.name, listing)
    return found


def _listed(
    declared: Mapping[str, Mapping[str, _Listing]], manifests: Mapping[str, Declared], root: str
) -> Iterator[Plugin]:
    for directory, listings in declared.items():
        own = manifests.get(directory)
        shared = len(listings) > 1
        undivided = [name for name, listing in listings.items() if not listing.entry.manifest.lists_parts]
        for name in listings.keys() - undivided[MAX_ALIASES:]:
            listing = listings[name]
            yield Plugin(
                directory=directory,
                name=own.manifest.name if own and own.manifest.name and not shared else name,
                loader=listing.base,
                signal=Signal(
                    name="marketplace_entry",
                    points=LOADED if listing.base == root else NESTED,
                    detail=f"listed in {listing.path}",
                ),
                own=own,
                entry=Declared(manifest=listing.entry.manifest, path=listing.path),
                shared=shared,
            )


def _standalone(
    directories: Iterable[str],
    manifests: Mapping[str, Declared],
    root: str,
    mapping: Mapping[str, ArtifactType | None],
) -> Iterator[Plugin]:
    """Directories with a plugin.json that no marketplace lists."""
    for directory in sorted(directories):
        above = parts(relative(directory, root))
        is_mapped = mapping.get(directory) is ArtifactType.PLUGIN
        if is_ruled_out(above) and not is_mapped:
            continue
        # A folder below .claude/skills that has a manifest is loaded as a plugin from there.
        loaded = is_mapped or above[:2] == (".claude", "skills")
        points = LOADED if loaded else NESTED if above else STANDALONE
        yield Plugin(
            directory=directory,
            name=manifests[directory].manifest.name or base_name(directory) or "plugin",
            loader=root if loaded else directory,
            signal=Signal(name="plugin_manifest", points=points, detail=manifests[directory].path),
            own=manifests[directory],
        )


def _mapped(
    index: TreeIndex,
    manifests: Mapping[str, Declared],
    mapping: Mapping[str, ArtifactType | None],
    *,
    taken: Iterable[str],
) -> Iterator[Plugin]:
    """Directories that the owner calls plugins and in which nothing else says so."""
    known = {*taken, *manifests}
    for directory, artifact_type in mapping.items():
        within = any(is_below(other, directory) for other in known)
        if artifact_type is ArtifactType.PLUGIN and not within and index.holds(directory):
            yield Plugin(
                directory=directory,
                name=base_name(directory) or "plugin",
                loader=directory,
                signal=Signal(name="manual_map", points=LOADED),
            )
