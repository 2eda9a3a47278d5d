"""GitHub's documents, turned into the values that every room speaks; this room sends nothing.

The shapes are those of https://docs.github.com/rest (API version 2022-11-28).
"""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

from marketplace.github.errors import BadAnswer
from marketplace.repository import Description, Tree, TreeFile

OBJECT_ID = re.compile(r"[0-9a-f]{40}")


def commit_id(body: bytes) -> str:
    """The answer to `Accept: application/vnd.github.sha`; BadAnswer when it is no commit id."""
    text = body.decode("ascii", errors="replace").strip()
    if not OBJECT_ID.fullmatch(text):
        raise BadAnswer("sent something that is no commit id")
    return text


def description(body: bytes) -> Description:
    """The answer to `GET /repos/{owner}/{repo}`; BadAnswer when it is not of that shape."""
    document = _json(body)
    try:
        return Description(
            owner=_text(document["owner"]["login"]),
            name=_text(document["name"]),
            default_branch=_text(document["default_branch"]),
            description=_text(document.get("description") or "").replace("\0", ""),
            private=document.get("private") is True,
            topics=tuple(_text(topic) for topic in document.get("topics") or ()),
        )
    except (LookupError, TypeError, AttributeError):
        raise BadAnswer("sent a repository of an unknown shape") from None


def tree(body: bytes) -> Tree:
    """The answer to `GET .../git/trees/{sha}?recursive=1`; BadAnswer when it is not of that shape.

    Directories are left out, and so are paths that no checkout could have. A tree may have 100,000 rows:
    each becomes a value as soon as it is read.
    """
    try:
        document = _json(body, each=_row)
        files = sorted(
            filter(None, document["tree"]), key=lambda file: file.path
        )  # what is no file has no path
        truncated = document.get("truncated") is True
    except (LookupError, TypeError, AttributeError):
        raise BadAnswer("sent a tree of an unknown shape") from None
    return Tree(files=tuple(files), truncated=truncated)


def is_safe_path(path: str) -> bool:
    """Whether it is relative, stays below its root, has no empty segment and no NUL, and is valid Unicode."""
    if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        return False
    return not re.search(r"[\ud800-\udfff]", path)


def _row(document: dict[str, Any]) -> TreeFile | dict[str, Any] | None:
    """A row of a tree as a file, None for one that is left out; any other object as it is."""
    if "mode" not in document:
        return document
    sha, path, size = _text(document["sha"]), _text(document["path"]), document.get("size", 0)
    mode = sys.intern(_text(document["mode"]))
    if document["type"] == "tree":
        return None
    if not OBJECT_ID.fullmatch(sha):
        raise TypeError("no object id")
    if not isinstance(size, int) or size < 0:  # a submodule has none
        raise TypeError("no size")
    return TreeFile(path=path, mode=mode, sha=sha, size=size) if is_safe_path(path) else None


def _json(body: bytes, *, each: Callable[[dict[str, Any]], Any] | None = None) -> Any:
    try:
        return json.loads(body, object_hook=each)
    except (ValueError, RecursionError):
        raise BadAnswer("sent something that is no complete JSON") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
