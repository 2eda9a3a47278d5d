"""How the files of two versions differ."""

from typing import Any

from collections_app import comparing
from collections_app.comparing import compare

CONTENTS = {"1": b"one\ntwo\n", "2": b"one\nthree\n", "0": b"\0\1", "x": b"x\n" * (comparing.MAX_LINES + 1)}


def row(path: str, digest: str | None, *, size: int = 8, mode: str = "100644") -> dict[str, Any]:
    return {"path": path, "sha": str(digest), "digest": digest, "size": size, "mode": mode, "kind": "file"}


def read(digest: str) -> bytes:
    return CONTENTS[digest]


def test_files_are_added_removed_and_changed() -> None:
    before = [row("a", "1"), row("b", "1"), row("c", "1")]
    after = [row("b", "1"), row("c", "2"), row("d", "1")]
    found = compare(before, after, read=read)
    assert (found.added, found.removed) == (("d",), ("a",))
    (change,) = found.changed
    assert change.path == "c"
    assert change.diff == "--- c\n+++ c\n@@ -1,3 +1,3 @@\n one\n-two\n+three\n "


def test_what_is_no_text_or_too_much_has_no_diff_and_says_why() -> None:
    pairs = {
        "binary": (row("binary", "1"), row("binary", "0")),
        "large": (row("large", "1"), row("large", "2", size=comparing.MAX_BYTES + 1)),
        "long": (row("long", "1"), row("long", "x")),
        "mode": (row("mode", "1"), row("mode", "1", mode="100755")),
        "unstored": (row("unstored", "1"), row("unstored", None)),
    }
    found = compare([old for old, _ in pairs.values()], [new for _, new in pairs.values()], read=read)
    assert {change.path: (change.diff, change.reason) for change in found.changed} == {
        "binary": (None, comparing.BINARY),
        "large": (None, comparing.TOO_LARGE),
        "long": (None, comparing.TOO_LARGE),
        "mode": (None, comparing.SAME_BYTES),
        "unstored": (None, "not stored"),
    }


def test_all_diffs_together_are_bounded() -> None:
    size, count = comparing.MAX_BYTES, 10
    before = [row(f"{n}", "1", size=size) for n in range(count)]
    after = [row(f"{n}", "2", size=size) for n in range(count)]
    found = compare(before, after, read=read)
    assert [change.diff is not None for change in found.changed] == [True] * 2 + [False] * 8
