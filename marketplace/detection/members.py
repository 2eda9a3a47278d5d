"""Where a plugin's parts are: its default folders and what its manifests add or put in their place."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from marketplace.detection.artifacts import Signal
from marketplace.detection.folders import is_documentation
from marketplace.detection.index import TreeIndex, base_name, join, parent
from marketplace.detection.manifests import Inclusion
from marketplace.detection.places import FORGOTTEN, Place, directory_path
from marketplace.detection.plugins import Declared, Plugin
from marketplace.detection.rules import skill_documents
from marketplace.detection.vocabulary import ArtifactType


class Folders:
    """What directories have for plugins, each looked at once, however many plugins declare it."""

    def __init__(self, index: TreeIndex) -> None:
        self._index = index
        self._markdown: dict[str, tuple[str, ...]] = {}
        self._direct: dict[str, tuple[str, ...]] = {}
        self.documents = {parent(path): path for path in reversed([*skill_documents(index)])}
        self._inside: dict[str, list[str]] = defaultdict(list)
        for directory in sorted(self.documents):
            if directory:
                self._inside[parent(directory)].append(directory)

    def markdown(self, path: str) -> tuple[tuple[str, str], ...]:
        """What a path means: a file of any name, or all Markdown below it but documentation; with containers."""
        if path in self._index.files:
            return ((path, parent(path)),)
        if path not in self._markdown:
            below = self._index.markdown_below(path)
            self._markdown[path] = tuple(document for document in below if not is_documentation(document))
        return tuple((document, path) for document in self._markdown[path])

    def markdown_in(self, folder: str) -> tuple[str, ...]:
        """The Markdown files directly in the folder, but documentation."""
        if folder not in self._direct:
            inside = self._index.markdown_in(folder)
            self._direct[folder] = tuple(path for path in inside if not is_documentation(path))
        return self._direct[folder]

    def skills(self, directory: str) -> tuple[str, ...]:
        """The directory itself where it is a skill, else the skills one level below: no deeper is loaded."""
        return (directory,) if directory in self.documents else tuple(self._inside.get(directory, ()))


def member_places(plugin: Plugin, folders: Folders) -> Iterator[Place]:
    """What installing the plugin would load, and files that its manifest seems to have forgotten."""
    yield from _skills(plugin, folders)
    yield from _files(plugin, folders, ArtifactType.COMMAND, folder="commands")
    yield from _files(plugin, folders, ArtifactType.AGENT, folder="agents")
    yield from _configs(plugin, ArtifactType.HOOK, default="hooks/hooks.json")
    yield from _configs(plugin, ArtifactType.MCP_SERVER, default=".mcp.json")


def _skills(plugin: Plugin, folders: Folders) -> Iterator[Place]:
    declared = [path for source in plugin.declarations for path in source.manifest.skills]
    # Entries that share a directory divide its skills by their lists; each would claim them all otherwise.
    wanted = declared if plugin.shared and declared else ["skills", *declared]
    found = dict.fromkeys(
        chain.from_iterable(folders.skills(join(plugin.directory, folder)) for folder in wanted)
    )
    if not found and plugin.directory in folders.documents:
        found = {plugin.directory: None}
    for directory in found:
        document = folders.documents[directory]
        yield _member(
            plugin,
            ArtifactType.SKILL,
            document,
            path=directory_path(directory),
            container=parent(directory),
            hint=base_name(directory) or plugin.name,
        )


def _files(plugin: Plugin, folders: Folders, artifact_type: ArtifactType, *, folder: str) -> Iterator[Place]:
    """Commands or agents: the first manifest that lists any replaces the default folder."""
    lists = (
        source.manifest.commands if artifact_type is ArtifactType.COMMAND else source.manifest.agents
        for source in plugin.declarations
    )
    listed = next((paths for paths in lists if paths is not None), None)
    default = join(plugin.directory, folder)
    wanted = [default] if listed is None else [join(plugin.directory, path) for path in listed]
    declared = {document: container for path in wanted for document, container in folders.markdown(path)}
    for document, container in declared.items():
        yield _member(plugin, artifact_type, document, container=container)
    if listed is not None:
        yield from _forgotten(plugin, folders, artifact_type, {default, *declared.values()} - {""}, declared)


def _forgotten(
    plugin: Plugin, folders: Folders, artifact_type: ArtifactType, wanted: set[str], known: Mapping[str, str]
) -> Iterator[Place]:
    signal = Signal(
        name="beside_declared", points=FORGOTTEN, detail="in the folder, but not in the manifest's list"
    )
    for folder in sorted(wanted):
        for document in folders.markdown_in(folder):
            if document not in known:
                yield _member(plugin, artifact_type, document, container=folder, signal=signal)


def _configs(plugin: Plugin, artifact_type: ArtifactType, *, default: str) -> Iterator[Place]:
    yield _member(plugin, artifact_type, join(plugin.directory, default))
    for source in plugin.declarations:
        is_hook = artifact_type is ArtifactType.HOOK
        inclusion = source.manifest.hooks if is_hook else source.manifest.servers
        for path in inclusion.paths:
            yield _member(plugin, artifact_type, join(plugin.directory, path))
        values = _inline(inclusion)
        if values:
            yield _member(plugin, artifact_type, source.path, key=_key(plugin, source), inline=values)


def _inline(inclusion: Inclusion) -> dict[str, Any]:
    """Inline values; a bundle (an MCP server packed in one file) stands for a server called like it."""
    bundles = {base_name(bundle).rpartition(".")[0]: {"command": bundle} for bundle in inclusion.bundles}
    return bundles | dict(inclusion.inline)


def _key(plugin: Plugin, source: Declared) -> str:
    own_name = plugin.own.manifest.name if source is plugin.own and plugin.own else plugin.name
    return own_name or plugin.name


def _member(
    plugin: Plugin,
    artifact_type: ArtifactType,
    document: str,
    *,
    path: str = "",
    container: str | None = None,
    hint: str = "",
    signal: Signal | None = None,
    key: str = "",
    inline: Mapping[str, Any] | None = None,
) -> Place:
    points = plugin.signal.points
    return Place(
        type=artifact_type,
        path=path or document,
        document=document,
        container=parent(document) if container is None else container,
        signal=signal
        or Signal(name="plugin_member", points=points, detail=f"part of plugin {plugin.name}"[:300]),
        loader=plugin.loader,
        plugin=plugin.locator,
        key=key,
        hint=hint or _own_name(plugin),
        inline=inline,
        base=plugin.directory if artifact_type is ArtifactType.HOOK else None,
    )


def _own_name(plugin: Plugin) -> str:
    """What all plugins of one directory call their common parts."""
    return (plugin.own.manifest.name if plugin.own else "") or plugin.name
