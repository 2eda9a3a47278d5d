"""What GitHub answers, in the shapes of https://docs.github.com/rest (API version 2022-11-28)."""

import base64
import hashlib
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlencode

from tests.github.faults import Reply
from tests.github.repositories import Row, Served

JSON = "application/json; charset=utf-8"
SHA = "application/vnd.github.sha"
REPOSITORY = re.compile(r"/repos/([^/]+)/([^/]+)(/.*)?|/repositories/(\d+)(/.*)?")
DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it arrived; `path` is without the API's prefix, header names are in lower case."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("token ")

    @property
    def accept(self) -> str:
        return self.headers.get("accept", "")


@dataclass(slots=True, kw_only=True)
class Quota:
    """Requests per hour; `reset` is in Unix seconds."""

    limit: int = 5000
    remaining: int = 5000
    reset: int = field(default_factory=lambda: int(time.time()) + 3600)

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Used": str(self.limit - self.remaining),
            "X-RateLimit-Resource": "core",
        }


@dataclass(slots=True, kw_only=True)
class State:
    """All that the answers depend on. `former` remembers the names that repositories had before."""

    repositories: list[Served] = field(default_factory=list)
    former: dict[str, Served] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    quota: Quota = field(default_factory=Quota)
    archive_token: str = field(default_factory=lambda: secrets.token_hex(16))
    api_url: str = ""
    web_url: str = ""
    codeload_url: str = ""

    def knows(self, token: str) -> bool:
        return token in self.tokens or any(token in repository.tokens for repository in self.repositories)


def api(state: State, request: Request) -> Reply:
    """An answer of the API, with its quota and validator; a 304 is free."""
    if request.token and not state.knows(request.token):
        return _problem(401, "Bad credentials")
    if state.quota.remaining <= 0:
        reply = _problem(403, "API rate limit exceeded for 127.0.0.1. (But here's the good news: ...)")
        return replace(reply, headers={**reply.headers, **state.quota.headers()})
    reply = _route(state, request)
    if reply.status == 200:
        etag = f'"{hashlib.sha256(reply.body).hexdigest()}"'
        reply = replace(reply, headers={**reply.headers, "ETag": etag})
        if request.headers.get("if-none-match", "").removeprefix("W/") == etag:
            reply = Reply(status=304, headers={"ETag": etag})
    state.quota.remaining -= reply.status != 304
    return replace(reply, headers={**reply.headers, **state.quota.headers()})


def codeload(state: State, request: Request) -> Reply:
    """An archive, from the other host; that of a private repository only with the redirect's secret."""
    found = re.fullmatch(r"/([^/]+)/([^/]+)/legacy\.tar\.gz/([0-9a-f]{40})", request.path)
    repository = found and _named(state, found[1], found[2])
    if not found or not repository:
        return Reply(status=404, body=b"404: Not Found")
    if repository.private and request.query.get("token") != state.archive_token:
        return Reply(status=404, body=b"404: Not Found")
    name = f"{repository.owner}-{repository.name}-{found[3][:7]}"
    headers = {
        "Content-Type": "application/x-gzip",
        "Content-Disposition": f"attachment; filename={name}.tar.gz",
    }
    return Reply(headers=headers, body=repository.archive(found[3], f"{name}/"))


def _route(state: State, request: Request) -> Reply:
    found = REPOSITORY.fullmatch(request.path)
    if not found:
        return _problem(404, "Not Found")
    owner, name, rest, number, rest_by_number = found.groups(default="")
    repository = _numbered(state, int(number)) if number else _named(state, owner, name)
    if repository is None and (renamed := state.former.get(f"{owner}/{name}".lower())):
        query = f"?{urlencode(request.query)}" if request.query else ""
        return _moved(f"{state.api_url}/repositories/{renamed.number}{rest}{query}")
    if repository is None or (repository.private and request.token not in repository.tokens):
        return _problem(404, "Not Found")
    return _resource(state, request, repository, rest or rest_by_number)


def _resource(state: State, request: Request, repository: Served, rest: str) -> Reply:
    if rest == "":
        return _json(_repository(state, repository))
    if rest == "/branches":
        return _branches(state, request, repository)
    if not repository.branches():
        return _problem(409, "Git Repository is empty.")
    noun, _, argument = rest.removeprefix("/git").lstrip("/").partition("/")
    handlers = {"commits": _commit, "trees": _tree, "blobs": _blob, "tarball": _tarball, "readme": _readme}
    handler = handlers.get(noun)
    return handler(state, request, repository, unquote(argument)) if handler else _problem(404, "Not Found")


def _commit(state: State, request: Request, repository: Served, ref: str) -> Reply:
    sha = repository.resolve(ref)
    if sha is None:
        return _problem(422, f"No commit found for SHA: {ref}")
    if request.accept == SHA:
        return Reply(headers={"Content-Type": f"{SHA}; charset=utf-8"}, body=sha.encode())
    url = f"{state.web_url}/{repository.owner}/{repository.name}/commit/{sha}"
    return _json({"sha": sha, "html_url": url, "commit": {"message": "A commit"}, "parents": [], "files": []})


def _tree(state: State, request: Request, repository: Served, ref: str) -> Reply:
    sha = repository.resolve(ref)
    rows = repository.rows(sha) if sha else None
    if sha is None or rows is None:
        return _problem(404, "Not Found")
    if not request.query.get("recursive"):
        rows = [row for row in rows if "/" not in row.path]
    base = f"{state.api_url}/repos/{repository.owner}/{repository.name}/git"
    listed = [_tree_row(base, row) for row in rows]
    return _json({"sha": sha, "url": f"{base}/trees/{sha}", "tree": listed, "truncated": False})


def _tree_row(base: str, row: Row) -> dict[str, Any]:
    document: dict[str, Any] = {"path": row.path, "mode": row.mode, "type": row.kind, "sha": row.sha}
    if row.size is not None:
        document["size"] = row.size
    if row.kind != "commit":
        document["url"] = f"{base}/{row.kind}s/{row.sha}"
    return document


def _blob(state: State, request: Request, repository: Served, sha: str) -> Reply:
    data = repository.blob(sha)
    if data is None:
        return _problem(404, "Not Found")
    return _content(state, request, repository, sha, data)


def _readme(state: State, request: Request, repository: Served, _: str) -> Reply:
    sha = repository.resolve(request.query.get("ref", repository.default_branch))
    rows = (repository.rows(sha) if sha else None) or []
    found = next((row for row in rows if row.path.lower() in {"readme.md", "readme"}), None)
    data = repository.blob(found.sha) if found else None
    if found is None or data is None:
        return _problem(404, "Not Found")
    return _content(state, request, repository, found.sha, data)


def _content(state: State, request: Request, repository: Served, sha: str, data: bytes) -> Reply:
    if "raw" in request.accept:
        return Reply(headers={"Content-Type": "application/vnd.github.raw+json; charset=utf-8"}, body=data)
    document = {
        "sha": sha,
        "size": len(data),
        "url": f"{state.api_url}/repos/{repository.owner}/{repository.name}/git/blobs/{sha}",
        "content": base64.encodebytes(data).decode(),
        "encoding": "base64",
    }
    return _json(document)


def _tarball(state: State, _: Request, repository: Served, ref: str) -> Reply:
    sha = repository.resolve(ref or repository.default_branch)
    if sha is None:
        return _problem(404, "Not Found")
    secret = f"?token={state.archive_token}" if repository.private else ""
    location = f"{state.codeload_url}/{repository.owner}/{repository.name}/legacy.tar.gz/{sha}{secret}"
    return Reply(status=302, headers={"Location": location})


def _branches(state: State, request: Request, repository: Served) -> Reply:
    """One page, with the neighbours' addresses in the Link header (RFC 8288)."""
    size = min(int(request.query.get("per_page", "30")), 100)
    page = int(request.query.get("page", "1"))
    found = sorted(repository.branches().items())
    last = max(1, -(-len(found) // size))
    base = f"{state.api_url}/repositories/{repository.number}/branches?per_page={size}&page="
    neighbours = [("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1)]
    useful = [(rel, n) for rel, n in neighbours if 1 <= n <= last and n != page]
    link = ", ".join(f'<{base}{n}>; rel="{rel}"' for rel, n in useful)
    shown = found[(page - 1) * size : page * size]
    rows = [{"name": name, "commit": {"sha": sha}, "protected": False} for name, sha in shown]
    return _json(rows, {"Link": link} if link else {})


def _repository(state: State, repository: Served) -> dict[str, Any]:
    full_name = f"{repository.owner}/{repository.name}"
    return {
        "id": repository.number,
        "name": repository.name,
        "full_name": full_name,
        "private": repository.private,
        "visibility": "private" if repository.private else "public",
        "owner": {"login": repository.owner, "type": "User"},
        "html_url": f"{state.web_url}/{full_name}",
        "url": f"{state.api_url}/repos/{full_name}",
        "description": repository.description or None,
        "default_branch": repository.default_branch,
        "topics": list(repository.topics),
        "fork": False,
        "archived": False,
        "disabled": False,
        "size": 1,
    }


def _named(state: State, owner: str, name: str) -> Served | None:
    asked = (owner.lower(), name.lower())
    return next((r for r in state.repositories if (r.owner.lower(), r.name.lower()) == asked), None)


def _numbered(state: State, number: int) -> Served | None:
    return next((repository for repository in state.repositories if repository.number == number), None)


def _json(document: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(headers={"Content-Type": JSON, **(headers or {})}, body=json.dumps(document).encode())


def _problem(status: int, message: str) -> Reply:
    reply = _json({"message": message, "documentation_url": DOCUMENTATION, "status": str(status)})
    return replace(reply, status=status)


def _moved(location: str) -> Reply:
    document = {"message": "Moved Permanently", "url": location, "documentation_url": DOCUMENTATION}
    reply = _json(document, {"Location": location})
    return replace(reply, status=301)
