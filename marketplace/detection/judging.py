"""Whether what is written at a place makes the artifact its place promises, and how sure that is."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from marketplace.detection.artifacts import Signal
from marketplace.detection.documents import Markdown
from marketplace.detection.folders import may_be_documentation
from marketplace.detection.index import Library, base_name, stem
from marketplace.detection.manifests import hook_commands, hook_events, registry_name, server_names
from marketplace.detection.places import ANYWHERE, UNUSUAL, Candidate, Place, Profile
from marketplace.detection.plugins import Plugin
from marketplace.detection.profile import build_profile, markdown_profile, text
from marketplace.detection.rules import PACKAGES, SETTINGS
from marketplace.detection.scripts import PLUGIN_ROOT, PROJECT_DIR, called_paths
from marketplace.detection.vocabulary import ArtifactType

COMPLETE = Signal(name="content_complete", points=15)
LENIENT = Signal(name="frontmatter_not_yaml", points=-3, detail="read line by line")
AGENT_KEYS = frozenset({"tools", "model", "color", "disallowedTools", "permissionMode"})
COMMAND_KEYS = frozenset({"allowed-tools", "argument-hint", "disable-model-invocation"})
_ARGUMENT = re.compile(r"\$(?:ARGUMENTS|[1-9])\b|^!`", re.MULTILINE)


def judge(place: Place, library: Library) -> Candidate | None:
    """The candidate at this place; None when its document is unknown or is something else."""
    return _JUDGES[place.type](place, library)


def judge_plugin(plugin: Plugin) -> Candidate:
    """A plugin holds up by its manifest or entry; a marketplace entry alone is a little less certain."""
    if plugin.own:
        content = (
            Signal(name="manifest_complete", points=15)
            if plugin.own.manifest.name
            else _partial(10, "no name")
        )
    else:
        content = _partial(10, "no plugin.json")
    values: dict[str, Any] = {}
    for declared in reversed(plugin.declarations):
        values.update(declared.manifest.values)
    place = Place(
        type=ArtifactType.PLUGIN,
        path=plugin.path,
        document=plugin.declarations[0].path if plugin.declarations else "",
        container="",
        signal=plugin.signal,
        loader=plugin.loader,
        key=plugin.key,
    )
    profile = build_profile(values, name=plugin.name)
    return Candidate(place=place, signals=(plugin.signal, content), profile=profile)


def _skill(place: Place, library: Library) -> Candidate | None:
    markdown = library.markdown(place.document)
    if markdown is None:
        return None
    values = markdown.frontmatter.values
    name, description = text(values, "name"), text(values, "description")
    if name and description:
        content = COMPLETE
    elif name or description:
        content = _partial(10 if description else 5, "no name" if description else "no description")
    elif place.is_loaded and markdown.lead:
        content = _partial(0, "neither name nor description")
    else:
        return None
    return _markdown_candidate(place, markdown, content, name=name or place.hint or "skill")


def _agent(place: Place, library: Library) -> Candidate | None:
    markdown = _unless_documentation(place, library)
    if markdown is None:
        return None
    values = markdown.frontmatter.values
    name, description = text(values, "name"), text(values, "description")
    if place.signal.points <= ANYWHERE and COMMAND_KEYS & values.keys():
        return None
    if name and description:
        extra = () if place.is_loaded or not AGENT_KEYS & values.keys() else (_FITS,)
        return _markdown_candidate(place, markdown, COMPLETE, *extra, name=name)
    if not place.is_loaded or not (values or markdown.lead):
        return None
    points = -20 if name or description else -45
    content = _partial(points, "an agent needs a name and a description")
    return _markdown_candidate(place, markdown, content, name=name or stem(place.document))


def _command(place: Place, library: Library) -> Candidate | None:
    markdown = _unless_documentation(place, library)
    if markdown is None:
        return None
    values = markdown.frontmatter.values
    keys = bool(COMMAND_KEYS & values.keys())
    if place.signal.points <= ANYWHERE:
        content = COMPLETE if keys else None
    elif text(values, "description") or keys:
        content = COMPLETE
    elif place.is_loaded and (values or library.body(place.document).strip()):
        shouted = stem(place.document).isupper()
        content = _SHOUTED if shouted else _partial(10, "no description; a command needs none")
    else:
        content = _partial(5, "takes arguments") if _ARGUMENT.search(library.body(place.document)) else None
    if content is None:
        return None
    extra = (_FITS,) if keys and not place.is_loaded else ()
    return _markdown_candidate(place, markdown, content, *extra, name=stem(place.document))


def _unless_documentation(place: Place, library: Library) -> Markdown | None:
    markdown = library.markdown(place.document)
    described = markdown is not None and text(markdown.frontmatter.values, "description")
    return markdown if described or not may_be_documentation(place.document) else None


def _hook(place: Place, library: Library) -> Candidate | None:
    values = (library.json(place.document) if place.inline is None else place.inline) or {}
    is_settings = base_name(place.document) in SETTINGS
    wrapped = is_settings or place.signal.points < UNUSUAL
    events = hook_events(values, wrapped=wrapped)
    if not events:
        return None
    calls = called_paths(
        hook_commands(values, wrapped=wrapped), variable=PROJECT_DIR if is_settings else PLUGIN_ROOT
    )
    return replace(_config_candidate(place, events, "events", name=place.hint or "project"), calls=calls)


def _server(place: Place, library: Library) -> Candidate | None:
    file = base_name(place.document)
    if place.inline is None and file in PACKAGES:
        return _package(place, library)
    values = (library.json(place.document) if place.inline is None else place.inline) or {}
    wrapped = place.signal.points < UNUSUAL
    named = (registry_name(values),) if file == "server.json" else server_names(values, wrapped=wrapped)
    names = tuple(filter(None, named))
    return _config_candidate(place, names, "servers", name=", ".join(names)) if names else None


def _package(place: Place, library: Library) -> Candidate | None:
    """The source of a server, which only the source's owner can point out."""
    content = library.text(place.document)
    if content is None:
        return None
    values = (library.json(place.document) if place.document.endswith(".json") else None) or {}
    profile = build_profile(values, name=text(values, "name") or place.hint, frontmatter={})
    return Candidate(place=place, signals=(place.signal,), profile=profile)


_FITS = Signal(name="typical_keys", points=5)
_SHOUTED = Signal(name="content_doubtful", points=-40, detail="named in capitals and without a description")
_JUDGES: dict[ArtifactType, Callable[[Place, Library], Candidate | None]] = {
    ArtifactType.SKILL: _skill,
    ArtifactType.COMMAND: _command,
    ArtifactType.AGENT: _agent,
    ArtifactType.HOOK: _hook,
    ArtifactType.MCP_SERVER: _server,
}


def _partial(points: int, detail: str) -> Signal:
    return Signal(name="content_partial", points=points, detail=detail)


def _markdown_candidate(place: Place, markdown: Markdown, *signals: Signal, name: str) -> Candidate:
    lenient = () if markdown.frontmatter.strict else (LENIENT,)
    profile = markdown_profile(markdown, name=name)
    return Candidate(place=place, signals=(place.signal, *signals, *lenient), profile=profile)


def _config_candidate(place: Place, found: tuple[str, ...], what: str, *, name: str) -> Candidate:
    content = Signal(name=f"has_{what}", points=15, detail=", ".join(found)[:300])
    profile = Profile(name=name[:200], description=f"{what.capitalize()}: {', '.join(found)}"[:2_000])
    return Candidate(place=place, signals=(place.signal, content), profile=profile)
