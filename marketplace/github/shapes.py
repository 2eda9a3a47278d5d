"""GitHub's documents, turned into the values that every room speaks; this room sends nothing.

The shapes are those of https://docs.github.com/rest (API version 2022-11-28).
"""

import json
import re
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
            description=_text(document.get("description") or ""),
            private=document.get("private") is True,
            topics=tuple(_text(topic) for topic in document.get("topics") or ()),
        )
    except (LookupError, TypeError, AttributeError):
        raise BadAnswer("sent a repository of an unknown shape") from None


def tree(body: bytes) -> Tree:
    """The answer to `GET .../git/trees/{sha}?recursive=1`; BadAnswer when it is not of that shape.

    Directories are left out, and so are paths that no checkout could have.
    """
    document = _json(body)
    try:
        files = [_file(row) for row in document["tree"] if row["type"] != "tree"]
        truncated = document.get("truncated") is True
    except (LookupError, TypeError, AttributeError):
        raise BadAnswer("sent a tree of an unknown shape") from None
    safe = (file for file in files if is_safe_path(file.path))
    return Tree(files=tuple(sorted(safe, key=lambda file: file.path)), truncated=truncated)


def is_safe_path(path: str) -> bool:
    """Whether it is relative, stays below its root, has no empty segment and no NUL, and is valid Unicode."""
    if "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        return False
    return not re.search(r"[\ud800-\udfff]", path)


def _file(row: Any) -> TreeFile:
    sha = _text(row["sha"])
    if not OBJECT_ID.fullmatch(sha):
        raise TypeError("no object id")
    size = row.get("size", 0)  # a submodule has none
    if not isinstance(size, int) or size < 0:
        raise TypeError("no size")
    return TreeFile(path=_text(row["path"]), mode=_text(row["mode"]), sha=sha, size=size)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswer("sent something that is no complete JSON") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
