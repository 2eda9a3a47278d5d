"""How the files of two versions differ, as text that people can read; bounded, as the files are hostile. Pure."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Comparing takes time that grows with the square of the lines.
MAX_BYTES = 256 * 1024
MAX_LINES = 3_000
MAX_TOTAL_BYTES = 1024 * 1024
TOO_LARGE = "too large to compare"
BINARY = "not text"
SAME_BYTES = "only its mode or kind changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """`diff` is a unified diff, or None where `reason` says why there is none."""

    path: str
    diff: str | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Paths, sorted; files that are the same in both are in none."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[FileChange, ...]


NO_DIFFERENCE = Comparison(added=(), removed=(), changed=())
Rows = Iterable[Mapping[str, Any]]


def compare(before: Rows, after: Rows, *, read: Callable[[str], bytes]) -> Comparison:
    """From the rows of two manifests; `read` gives the stored bytes with a digest."""
    old = {file["path"]: file for file in before}
    new = {file["path"]: file for file in after}
    room = MAX_TOTAL_BYTES
    changed = []
    for path in sorted(old.keys() & new.keys()):
        if old[path] == new[path]:
            continue
        size = old[path]["size"] + new[path]["size"]
        change = _change(path, old[path], new[path], read if size <= room else None)
        room -= size if change.diff is not None else 0
        changed.append(change)
    return Comparison(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(changed),
    )


def _change(
    path: str, old: Mapping[str, Any], new: Mapping[str, Any], read: Callable[[str], bytes] | None
) -> FileChange:
    if old["sha"] == new["sha"]:
        return FileChange(path=path, diff=None, reason=SAME_BYTES)
    if not old["digest"] or not new["digest"]:
        return FileChange(path=path, diff=None, reason="not stored")
    if read is None or max(old["size"], new["size"]) > MAX_BYTES:
        return FileChange(path=path, diff=None, reason=TOO_LARGE)
    before, after = _lines(read(old["digest"])), _lines(read(new["digest"]))
    if before is None or after is None:
        return FileChange(path=path, diff=None, reason=BINARY)
    if max(len(before), len(after)) > MAX_LINES:
        return FileChange(path=path, diff=None, reason=TOO_LARGE)
    lines = difflib.unified_diff(before, after, path, path, lineterm="")
    return FileChange(path=path, diff="\n".join(lines))


def _lines(data: bytes) -> list[str] | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.split("\n")
