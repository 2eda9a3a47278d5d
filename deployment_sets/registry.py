"""A server of the MCP registry as Claude Code's .mcp.json writes it. Pure.

Format: server.json, github.com/modelcontextprotocol/registry, docs/reference/server-json. Only what needs no
questions is understood: a remote server, or a package that npx or uvx fetches and runs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_REMOTES = {"streamable-http": "http", "sse": "sse"}
_RUNNERS = {"npm": ("npx", ["-y"], "@"), "pypi": ("uvx", [], "==")}


def registry_servers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The server under the last part of its name; nothing when there is no way to start or reach it."""
    name = str(values.get("name", "")).rpartition("/")[2]
    found = next(_remote(values), None) or next(_packaged(values), None)
    return {name: found} if found else {}


def _remote(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for remote in _rows(values, "remotes"):
        kind, url = _REMOTES.get(str(remote.get("type"))), remote.get("url")
        if kind and isinstance(url, str) and "{" not in url:
            yield {"type": kind, "url": url} | _filled("headers", _rows(remote, "headers"))


def _packaged(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for package in _rows(values, "packages"):
        runner = _RUNNERS.get(str(package.get("registryType") or package.get("registry_type")))
        identifier, version = package.get("identifier"), package.get("version")
        if runner and isinstance(identifier, str) and identifier[:1] != "-":
            command, options, sign = runner
            pinned = f"{identifier}{sign}{version}" if isinstance(version, str) and version else identifier
            wanted = [*_rows(package, "environmentVariables"), *_rows(package, "environment_variables")]
            yield {"command": command, "args": [*options, pinned]} | _filled("env", wanted)


def _filled(key: str, rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What the reader's environment has to give, under the names that the server uses."""
    names = [row["name"] for row in rows if isinstance(row.get("name"), str)]
    return {key: {name: f"${{{name.replace('-', '_').upper()}}}" for name in names}} if names else {}


def _rows(values: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = values.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
