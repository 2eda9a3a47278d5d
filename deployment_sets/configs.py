"""What a hook's or server's configuration adds to a project: groups, servers, and the variables they need. Pure.

Formats: code.claude.com/docs, "Hooks", "MCP" and "Plugins reference".
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployment_sets.deployable import ArtifactUnusable, DeployableArtifact
from deployment_sets.jsontext import read_object
from deployment_sets.registry import registry_servers
from marketplace.detection.manifests import (
    Inclusion,
    hook_events,
    read_marketplace,
    read_plugin,
    registry_name,
    server_names,
)

PLUGIN_ROOT = "CLAUDE_PLUGIN_ROOT"
PROJECT_DIR = "CLAUDE_PROJECT_DIR"
Read = Callable[[str], bytes]

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(:?-[^}]*)?\}|\$([A-Za-z_]\w*)")
_ASSIGNED = re.compile(
    r"(?:^|[\s;&|(])(?:export\s+|read\s+(?:-\w+\s+)*|for\s+)?([A-Za-z_]\w*)(?:\+?=|(?<=\w)\s+in\b)"
)
_PLACEHOLDER = re.compile(
    r"\s*|<.*>|\[.*\]|\{.*\}|x{3,}|\.{3}|(?:your|my|enter|insert|put|replace)[-_ ].*|changeme|todo",
    re.IGNORECASE,
)
# Every shell has these.
_GIVEN = re.compile(
    r"HOME|PATH|PWD|OLDPWD|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|TERM|HOSTNAME|IFS|RANDOM|SECONDS|LINENO|E?UID|PPID"
    r"|OSTYPE|BASH_\w+|USERPROFILE|(?:LOCAL)?APPDATA|XDG_\w+|LC_\w+|CLAUDE_\w+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration: the values to add, by event or server, and what `${CLAUDE_PLUGIN_ROOT}` means.

    `plugin` is that directory below the artifact's own; None when it is a project's settings.
    """

    values: Mapping[str, Any]
    plugin: str | None


def read_hooks(artifact: DeployableArtifact, read: Read) -> Config:
    """The groups of each event that has a handler. Raises ArtifactUnusable."""
    values, plugin, inclusion = _declared(artifact, read, "hooks")
    if inclusion:
        values = inclusion.inline
    events = hook_events(values)
    if not events:
        raise ArtifactUnusable(f"{artifact.name}: no event of it has a handler.")
    inner = values.get("hooks", values)
    return Config(values={event: inner[event] for event in events}, plugin=plugin)


def read_servers(artifact: DeployableArtifact, read: Read) -> Config:
    """The servers by key, whether wrapped in `mcpServers` or bare. Raises ArtifactUnusable."""
    values, plugin, inclusion = _declared(artifact, read, "servers")
    if inclusion:
        values = inclusion.inline
    elif registry_name(values):
        values = registry_servers(values)
    names = server_names(values)
    if not names:
        raise ArtifactUnusable(f"{artifact.name}: it has no server that can be started or reached.")
    inner = values.get("mcpServers", values)
    return Config(values={name: inner[name] for name in names}, plugin=plugin)


def _declared(
    artifact: DeployableArtifact, read: Read, part: str
) -> tuple[Mapping[str, Any], str | None, Inclusion | None]:
    """The document's values, the plugin's directory, and what a manifest has inline."""
    document = artifact.document
    try:
        values = read_object(read(document.digest or ""))
    except ValueError:
        raise ArtifactUnusable(f"{artifact.name}: {document.path} is no JSON object.") from None
    name = document.path.rpartition("/")[2]
    if name == "marketplace.json":
        entries = [entry for entry in read_marketplace(values) if entry.manifest.name == artifact.entry]
        if not entries:
            raise ArtifactUnusable(f"{artifact.name}: {document.path} has no plugin {artifact.entry!r}.")
        return values, entries[0].directory or "", getattr(entries[0].manifest, part)
    if name == "plugin.json":
        return values, "", getattr(read_plugin(values), part)
    return values, (None if name.startswith("settings") else ""), None


def strings(value: Any) -> Iterator[str]:
    """All texts in a JSON value that are not keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from strings(inner)


def server_needs(server: Mapping[str, Any]) -> Iterator[str]:
    """Variables that a server expects: expansions without a default, and settings left for the reader to fill."""
    yield from _variables(strings(server))
    env = server.get("env")
    for key, value in env.items() if isinstance(env, Mapping) else ():
        if isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
            yield key


def hook_needs(group: Mapping[str, Any]) -> Iterator[str]:
    """Variables that a group's handlers read and do not set themselves, and that not every shell has."""
    for handler in group.get("hooks", ()) if isinstance(group.get("hooks"), list) else ():
        if not isinstance(handler, Mapping):
            continue
        named = handler.get("allowedEnvVars")
        yield from (name for name in named or () if isinstance(named, list) and isinstance(name, str))
        for key in ("command", "args", "headers", "url"):
            texts = list(strings(handler.get(key)))
            assigned = {name for text in texts for name in _ASSIGNED.findall(text)}
            yield from (name for name in _variables(texts) if name.isupper() and name not in assigned)


def _variables(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for braced, default, bare in _VARIABLE.findall(text):
            name = braced or bare
            if not default and not _GIVEN.fullmatch(name):
                yield name
