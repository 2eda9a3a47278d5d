"""The part of a JSON document that makes a hook or server artifact, wherever it stands."""

from collections.abc import Iterator, Mapping
from typing import Any

from marketplace.detection.index import base_name
from marketplace.vetting.case import Case
from marketplace.vetting.findings import Finding, finding

SETTINGS = frozenset({"settings.json", "settings.local.json"})
MANIFESTS = frozenset({"plugin.json", "marketplace.json"})


def readable(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/settings, /mcp, /plugins-reference: each of these files is one JSON object."""
    if case.text is not None and case.document and case.document.endswith(".json") and case.values is None:
        yield finding(
            "json_unreadable", f"{base_name(case.document)} is no JSON object, or too large to be read."
        )


def section(case: Case, name: str) -> object:
    """What the document says below `name`; the whole object where the format lets it stand alone.

    None when that is not known: the text is not, or it holds no object, or none for this artifact.
    """
    if case.values is None or case.document is None:
        return None
    file = base_name(case.document)
    if file in MANIFESTS and case.key:
        return _within(_inline(_declaring(case.values, file, case.key).get(name)), name)
    return _within({} if file in SETTINGS and name not in case.values else case.values, name)


def _within(values: Mapping[str, Any] | None, name: str) -> object:
    """The part called `name`; what stands alone has only entries that are lists or objects."""
    if values is None:
        return None
    if name in values:
        return {} if values[name] is None else values[name]
    return {key: value for key, value in values.items() if isinstance(value, list | Mapping)}


def _declaring(values: Mapping[str, Any], file: str, key: str) -> Mapping[str, Any]:
    """The plugin.json itself, or the marketplace's entry of this name."""
    if file == "plugin.json":
        return values
    plugins = values.get("plugins")
    entries = plugins if isinstance(plugins, list) else []
    return next((e for e in entries if isinstance(e, Mapping) and e.get("name") == key), {})


def _inline(value: object) -> dict[str, Any] | None:
    """The objects among a path, an object, or a list of either; paths are artifacts of their own."""
    items = value if isinstance(value, list) else [value]
    found = [item for item in items if isinstance(item, Mapping)]
    return {key: inner for item in found for key, inner in item.items()} if found else None
