"""Rules for MCP server configurations: code.claude.com/docs/en/mcp.

A server.json of the MCP registry and the source of a server have formats of their own and are not judged.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from marketplace.detection.index import base_name
from marketplace.vetting.case import Case
from marketplace.vetting.configs import section
from marketplace.vetting.findings import CREDENTIAL, Finding, finding, quoted
from marketplace.vetting.shapes import text

MAX_SERVERS = 500
MAX_EACH = 10
MAX_VALUES = 200
MAX_VALUE = 4_000

# `streamable-http` is what the MCP specification calls `http`; both are read.
TRANSPORTS = frozenset({"stdio", "http", "sse", "ws", "streamable-http"})
LOOPBACK = re.compile(r"localhost|.*\.localhost|127(?:\.[0-9]{1,3}){3}|::1|0\.0\.0\.0|host\.docker\.internal")
OTHER_FORMATS = frozenset({"server.json", "package.json", "pyproject.toml"})

_SECRET_KEY = re.compile(
    r"token|secret|passw|api.?key|access.?key|private.?key|credential|^auth", re.IGNORECASE
)
_NOT_SECRET_KEY = re.compile(r"(?:url|uri|path|file|dir|host|name|id|type|limit|max_tokens)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\$|\{|<|>|\[|%[A-Za-z_]+%|\.\.\.|\*\*|xxx|your|change.?me|replace|example|placeholder|dummy|insert|todo"
    r"|here|sample",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:bearer|basic|token)\s+", re.IGNORECASE)
_OPAQUE = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_.~-]{16,}")


def completeness(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/mcp: a local server has a `command`, a remote one a `url` and its `type`."""
    for name, server in islice(_servers(case), MAX_EACH * MAX_EACH):
        values = server if isinstance(server, Mapping) else {}
        command, url = text(values.get("command")), text(values.get("url"))
        if not command and not url:
            yield finding("mcp_server_incomplete", f"Server {quoted(name)} has neither a command nor a url.")
        elif not command and "type" not in values:
            yield finding(
                "mcp_transport_missing",
                f"Server {quoted(name)} has a url but no `type` (http or sse); it is taken for a local one.",
            )


def transports(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/mcp, "Installing MCP servers"."""
    for name, server in _objects(case):
        kind = server.get("type")
        if kind is not None and text(kind) not in TRANSPORTS:
            yield finding("mcp_transport_unknown", f"Server {quoted(name)} has an unknown transport `type`.")


def secrets(case: Case) -> Iterator[Finding]:
    """code.claude.com/docs/en/mcp, "Environment variable expansion": `${VAR}` keeps keys out of a shared file.

    The value is never part of a finding.
    """
    for name, server in _objects(case):
        for place in dict.fromkeys(_secret_places(server)):
            yield finding(
                "literal_secret",
                f"{place} of server {quoted(name)} seems to be a written-out secret; use ${{VARIABLE}}.",
            )


def encryption(case: Case) -> Iterator[Finding]:
    """modelcontextprotocol.io/specification, "Security best practices": HTTPS but for loopback."""
    for name, server in _objects(case):
        host = _plain_host(text(server.get("url"))[:MAX_VALUE])
        if host and not LOOPBACK.fullmatch(host):
            yield finding(
                "mcp_url_insecure", f"Server {quoted(name)} is reached unencrypted at {quoted(host)}."
            )


def _servers(case: Case) -> Iterator[tuple[str, object]]:
    if case.document is None or base_name(case.document) in OTHER_FORMATS:
        return
    servers = section(case, "mcpServers")
    if isinstance(servers, Mapping):
        yield from islice(servers.items(), MAX_SERVERS)


def _objects(case: Case) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, server) for name, server in _servers(case) if isinstance(server, Mapping))


def _secret_places(server: Mapping[str, Any]) -> Iterator[str]:
    """Where in a server's entry something looks like a secret."""
    for part in ("env", "headers"):
        values = server.get(part)
        for key, value in islice(values.items(), MAX_VALUES) if isinstance(values, Mapping) else ():
            if _is_secret(key, text(value)[:MAX_VALUE]):
                yield f"`{part}` {quoted(key, limit=40)}"
    arguments = server.get("args")
    for value in arguments[:MAX_VALUES] if isinstance(arguments, list) else []:
        if _is_credential(text(value)[:MAX_VALUE]):
            yield "An argument"
    if _is_credential(text(server.get("url"))[:MAX_VALUE]):
        yield "The url"


def _is_secret(key: str, value: str) -> bool:
    """A known form of credential, or something opaque under a name that promises one."""
    if _is_credential(value):
        return True
    bare = _SCHEME.sub("", value, count=1)
    promises = _SECRET_KEY.search(key) and not _NOT_SECRET_KEY.search(key)
    return bool(promises and not _PLACEHOLDER.search(value) and _OPAQUE.fullmatch(bare))


def _is_credential(value: str) -> bool:
    """A known form of credential, unless it says itself that it is none."""
    return any(not _PLACEHOLDER.search(found[0]) for found in CREDENTIAL.finditer(value))


def _plain_host(url: str) -> str:
    """The host of an unencrypted url that stands there in full; "" for any other."""
    if "$" in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.scheme in {"http", "ws"} else ""
