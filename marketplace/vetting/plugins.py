"""Rules for plugins: code.claude.com/docs/en/plugins/manifest-reference and agentskills.io for their skills."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from marketplace.detection.index import join, relative
from marketplace.vetting.case import MANIFEST, Case
from marketplace.vetting.findings import Finding, finding, quoted
from marketplace.vetting.shapes import LIST, OBJECT, TEXT, Shapes, is_blank, text, wrong_types

MAX_PATHS = 2_000
MAX_EACH = 5

SHAPES: Shapes = {
    "name": (TEXT,),
    "version": (TEXT,),
    "description": (TEXT,),
    "author": (OBJECT,),
    "homepage": (TEXT,),
    "license": (TEXT,),
    "keywords": (LIST,),
}
# Where a manifest names paths; the value may also be, or hold, an inline definition.
PATH_KEYS = (
    "skills",
    "commands",
    "agents",
    "hooks",
    "mcpServers",
    "lspServers",
    "outputStyles",
    "themes",
    "monitors",
)
FOLDERS = re.compile(
    r"(?:skills|commands|agents|output-styles|themes|monitors|hooks|bin|workflows)/."
    r"|SKILL\.md$|\.mcp\.json$|\.lsp\.json$|settings\.json$",
    re.IGNORECASE,
)

_KEBAB = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# semver.org, "regular expression to check a SemVer string".
_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_LABEL}(?:\.{_LABEL})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def manifest_presence(case: Case) -> Iterator[Finding]:
    """Section "Manifest file": it is optional, and then name and version come from elsewhere."""
    if case.is_surveyable and case.document is None:
        yield finding("plugin_manifest_absent", f"The plugin has no {MANIFEST}.")


def name(case: Case) -> Iterator[Finding]:
    """Section "Fields": required, kebab-case."""
    if case.values is None:
        return
    value = case.values.get("name")
    if is_blank(value):
        yield finding("plugin_name_missing", "plugin.json has no `name`, the one key it needs.")
    elif text(value) and not _KEBAB.fullmatch(text(value)):
        yield finding("plugin_name_invalid", f"`name` ({quoted(value)}) is not kebab-case.")


def version(case: Case) -> Iterator[Finding]:
    """Section "Fields": semantic versioning."""
    value = text((case.values or {}).get("version"))[:1_000]
    if value and not _SEMVER.fullmatch(value):
        yield finding(
            "plugin_version_invalid", f"`version` ({quoted(value)}) is no semantic version such as 1.0.0."
        )


def types(case: Case) -> Iterator[Finding]:
    """Section "Fields": the types of the metadata."""
    yield from wrong_types(case.values or {}, SHAPES)


def path_forms(case: Case) -> Iterator[Finding]:
    """Section "Path rules": relative to the plugin, starting with `./`, never leaving it."""
    yield from islice(_form_findings(case), 2 * MAX_EACH)


def path_targets(case: Case) -> Iterator[Finding]:
    """Section "Path rules": what a manifest names has to be in the plugin."""
    paths = dict.fromkeys(path for _, path in _paths(case) if not _leaves(path))
    missing = (path for path in paths if case.is_missing(join(case.artifact.directory, _normal(path))))
    for path in islice(missing, MAX_EACH):
        yield finding("plugin_path_missing", f"The manifest names {quoted(path)}, which does not exist.")


def content(case: Case) -> Iterator[Finding]:
    """Section "Standard layout": without a component or a declaration of one there is nothing to load."""
    directory = case.artifact.directory
    if not case.is_surveyable or PATH_KEYS & _declared(case).keys():
        return
    if not any(FOLDERS.match(relative(file.path, directory)) for file in case.files):
        yield finding("plugin_empty", "The plugin has no skill, command, agent, hook, server or style.")


def _form_findings(case: Case) -> Iterator[Finding]:
    for key, path in _paths(case):
        if _leaves(path):
            yield finding("plugin_path_outside", f"`{key}` names {quoted(path)}, which leaves the plugin.")
        elif not path.startswith("./") and path != ".":
            yield finding("plugin_path_unprefixed", f"`{key}` names {quoted(path)}; paths start with `./`.")


def _declared(case: Case) -> Mapping[str, Any]:
    """plugin.json; where there is none, what the marketplace entry says, which detection hands on."""
    return case.artifact.frontmatter if case.document is None else case.values or {}


def _paths(case: Case) -> Iterator[tuple[str, str]]:
    """Every path that the manifest names, with its key; URLs of bundles are none."""
    found = ((key, path) for key in PATH_KEYS for path in _texts(key, _declared(case).get(key)))
    yield from islice(((key, path) for key, path in found if path and not _URL.match(path)), MAX_PATHS)


def _texts(key: str, value: object) -> Iterator[str]:
    """A path, a list of paths, or for commands an object of objects with a `source`."""
    if key == "commands" and isinstance(value, Mapping):
        value = list(value.values())
    for item in value if isinstance(value, list) else [value]:
        yield text(item.get("source") if key == "commands" and isinstance(item, Mapping) else item)


def _leaves(path: str) -> bool:
    return ".." in re.split(r"[/\\]", path) or path.startswith(("/", "~", "\\")) or path[1:3] in {":\\", ":/"}


def _normal(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))
