"""What Claude Code's JSON files declare, as frozen values; knows no tree and judges nothing.

Formats: code.claude.com/docs, "Plugins reference", "Plugin marketplaces", "Hooks" and "MCP"; server.json:
registry.modelcontextprotocol.io. No path that comes out of here is absolute or leaves its plugin's root.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from marketplace.detection.artifacts import SuggestedSource

MAX_ENTRIES = 2_000
MAX_PATH = 1_000

_EVENT = re.compile(r"[A-Z][A-Za-z]{2,39}")
_GITHUB = re.compile(r"[A-Za-z0-9-]{1,39}/[\w.-]{1,100}", re.ASCII)
_NPM = re.compile(r"(?:@[a-z0-9~-][\w.~-]{0,100}/)?[a-z0-9~-][\w.~-]{0,100}", re.ASCII)
NPM = "https://www.npmjs.com/package"
_URL = re.compile(r"https://[^\s\"'<>\\]{1,500}")
_BUNDLE = (".mcpb", ".dxt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Hooks or servers that a manifest names: files below its root, bundles anywhere, and inline values."""

    paths: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    inline: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginManifest:
    """A plugin.json, or the same keys of a marketplace entry.

    `skills` adds to the default directory; `commands` and `agents`, where not None, stand in its place.
    """

    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    commands: tuple[str, ...] | None = None
    agents: tuple[str, ...] | None = None
    hooks: Inclusion = Inclusion()
    servers: Inclusion = Inclusion()

    @property
    def lists_parts(self) -> bool:
        """It names files or directories of its own."""
        return bool(self.skills or self.commands or self.agents)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceEntry:
    """One plugin of a marketplace: in `directory` below its root, in another repository, or nowhere."""

    manifest: PluginManifest
    directory: str | None = None
    elsewhere: SuggestedSource | None = None


def local_path(value: object) -> str | None:
    """A path relative to the root it is declared for ("" is the root); None for whatever leaves it."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_PATH:
        return None
    text = value.strip()
    if "\\" in text or "\0" in text or "://" in text or text.startswith(("/", "~")):
        return None
    parts = [part for part in text.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def read_plugin(values: Mapping[str, Any]) -> PluginManifest:
    """Whatever is usable of a plugin.json; wrong shapes count as absent."""
    return PluginManifest(
        name=_text(values.get("name")),
        values=values,
        skills=_paths(values.get("skills")),
        commands=_paths(values["commands"]) if "commands" in values else None,
        agents=_paths(values["agents"]) if "agents" in values else None,
        hooks=_inclusion(values.get("hooks")),
        servers=_inclusion(values.get("mcpServers")),
    )


def read_marketplace(values: Mapping[str, Any]) -> tuple[MarketplaceEntry, ...]:
    """The named plugins of a marketplace.json in its order; none when it has no list of them."""
    plugins, metadata = values.get("plugins"), values.get("metadata")
    root = local_path(metadata.get("pluginRoot")) if isinstance(metadata, Mapping) else None
    entries = plugins[:MAX_ENTRIES] if isinstance(plugins, list) else []
    return tuple(
        _entry(entry, plugin_root=root or "")
        for entry in entries
        if isinstance(entry, Mapping) and _text(entry.get("name"))
    )


def hook_events(values: Mapping[str, Any], *, wrapped: bool = False) -> tuple[str, ...]:
    """The events that have at least one handler, sorted. `wrapped`: only below the key `hooks`.

    Format: `{event: [{matcher?, hooks: [{type, command|prompt|url, ...}]}]}`.
    """
    inner = values.get("hooks", None if wrapped else values)
    if not isinstance(inner, Mapping):
        return ()
    return tuple(
        sorted(event for event, groups in inner.items() if _EVENT.fullmatch(event) and _handled(groups))
    )


def hook_commands(values: Mapping[str, Any], *, wrapped: bool = False) -> tuple[str, ...]:
    """The shell text of all handlers that are commands (`command`, and `args` where it has them), each once."""
    inner = values.get("hooks", None if wrapped else values)
    events = hook_events(values, wrapped=wrapped)
    handlers = [
        handler
        for event in events
        for group in inner[event]
        if isinstance(group, Mapping) and isinstance(group.get("hooks"), list)
        for handler in group["hooks"]
        if isinstance(handler, Mapping)
    ]
    texts = (text for handler in handlers for text in _command_line(handler) if text)
    return tuple(dict.fromkeys(islice(texts, MAX_ENTRIES)))


def server_names(values: Mapping[str, Any], *, wrapped: bool = False) -> tuple[str, ...]:
    """The keys of the MCP servers that can be started or reached, sorted.

    `.mcp.json` is `{mcpServers: {key: server}}` or, as many plugins write it, the inner object alone;
    `wrapped` accepts only the first.
    """
    inner = values.get("mcpServers", None if wrapped else values)
    if not isinstance(inner, Mapping):
        return ()
    return tuple(sorted(key for key, server in inner.items() if key and _is_server(server)))


def registry_name(values: Mapping[str, Any]) -> str:
    """The name (reverse DNS, slash, server) in a server.json of the MCP registry; "" when it is none."""
    name = _text(values.get("name"))
    offered = any(isinstance(values.get(key), list) and values[key] for key in ("packages", "remotes"))
    schema = "modelcontextprotocol" in _text(values.get("$schema"))
    return name if "/" in name and (offered or schema) else ""


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _paths(value: object) -> tuple[str, ...]:
    """One path, a list of them, or (for commands) objects with a `source` and possibly by name."""
    if isinstance(value, Mapping):
        value = list(value.values())
    items = value if isinstance(value, list) else [value]
    found = (
        local_path(item.get("source") if isinstance(item, Mapping) else item) for item in items[:MAX_ENTRIES]
    )
    return tuple(dict.fromkeys(path for path in found if path is not None))


def _inclusion(value: object) -> Inclusion:
    """A path, a URL of a bundle, an inline object, or a list of any of these."""
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items[:MAX_ENTRIES] if isinstance(item, str)]
    inline: dict[str, Any] = {}
    for item in items[:MAX_ENTRIES]:
        if isinstance(item, Mapping):
            inline.update(item)
    bundles = tuple(text for text in texts if text.lower().endswith(_BUNDLE))
    return Inclusion(
        paths=tuple(path for text in texts if text not in bundles and (path := local_path(text))),
        bundles=bundles,
        inline=inline,
    )


def _entry(values: Mapping[str, Any], *, plugin_root: str) -> MarketplaceEntry:
    manifest, source = read_plugin(values), values.get("source")
    if isinstance(source, Mapping) or _URL.fullmatch(_text(source)):
        return MarketplaceEntry(manifest=manifest, elsewhere=_elsewhere(source, manifest))
    directory = local_path(source)
    if directory is not None and not _text(source).startswith("."):
        directory = posixpath.join(plugin_root, directory)
    return MarketplaceEntry(manifest=manifest, directory=directory)


def _elsewhere(source: object, manifest: PluginManifest) -> SuggestedSource | None:
    """The repository of a source object: `github` names `repo`, `url` and `git-subdir` a `url`, `npm` a package."""
    values = source if isinstance(source, Mapping) else {"url": source}
    repository, url = _text(values.get("repo")), _text(values.get("url"))
    package = _text(values.get("package"))
    if _GITHUB.fullmatch(repository or url):
        url = f"https://github.com/{repository or url}"
    elif values.get("source") == "npm" and _NPM.fullmatch(package):
        url = f"{_text(values.get('registry')).rstrip('/') or NPM}/{package}"
    if not _URL.fullmatch(url):
        return None
    return SuggestedSource(
        name=manifest.name[:200],
        url=url,
        ref=_text(values.get("ref") or values.get("version"))[:250],
        path=local_path(values.get("path")) or "",
        description=_text(manifest.values.get("description"))[:2_000],
    )


def _handled(groups: object) -> bool:
    return isinstance(groups, list) and any(
        isinstance(group, Mapping)
        and isinstance(group.get("hooks"), list)
        and any(isinstance(handler, Mapping) and _text(handler.get("type")) for handler in group["hooks"])
        for group in groups
    )


def _command_line(handler: Mapping[str, Any]) -> list[str]:
    arguments = handler.get("args")
    words = [text for word in (arguments if isinstance(arguments, list) else []) if (text := _text(word))]
    return [_text(handler.get("command")), *(f"'{word}'" for word in words)]


def _is_server(value: object) -> bool:
    return isinstance(value, Mapping) and bool(_text(value.get("command")) or _text(value.get("url")))
