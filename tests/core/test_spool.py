"""What waits outside of memory comes back as it was, and what is asked of documents stays out of it."""

import tracemalloc
from pathlib import Path

import pytest

from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.detect import survey
from marketplace.repository import blob_id
from marketplace.snapshot import Texts
from marketplace.spool import Spool
from tests.detecting import COMMAND, tree_of

OPEN_FILES = Path("/proc/self/fd")


def test_a_spool_gives_back_what_was_added_in_any_order() -> None:
    spool = Spool([("a", b"first"), ("b", b"")])
    assert spool["a"] == b"first"
    spool.add([("c", bytes(100_000))])
    assert dict(spool) == {"a": b"first", "b": b"", "c": bytes(100_000)}
    assert (len(spool), "b" in spool, "d" in spool, spool.get("d")) == (3, True, False, None)


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="tells open files on Linux only")
def test_a_spool_leaves_no_open_file_behind() -> None:
    before = len([*OPEN_FILES.iterdir()])
    spool = Spool([("a", b"first")])
    assert len([*OPEN_FILES.iterdir()]) == before + 1
    del spool
    assert len([*OPEN_FILES.iterdir()]) == before


def test_a_survey_keeps_no_text_of_what_it_read() -> None:
    files = {f".claude/commands/c{n}.md": f"{COMMAND}{n} {'word ' * 20_000}" for n in range(50)}
    tree = tree_of(files)
    texts = Texts(tree, {blob_id(text.encode()): text.encode() for text in files.values()}, {})
    del files
    tracemalloc.start()
    try:
        seen = survey(tree, texts, DetectionSettings())
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(seen.candidates) == 50
    assert kept < 1_000_000  # of 5 MB
