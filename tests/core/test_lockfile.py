"""The lock is read as strictly as it is written plainly."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from deployment_sets.lockfile import (
    Lock,
    LockDamaged,
    LockedArtifact,
    LockedEntry,
    LockedFile,
    read_lock,
    written,
)
from deployment_sets.merge import Owned
from marketplace.detection.vocabulary import ArtifactType

ONE, TWO = UUID(int=1), UUID(int=2)
DIGEST = "ab" * 32
LOCK = Lock(
    set_id="set_1",
    set_name="Büro",
    artifacts=(LockedArtifact(uuid=ONE, type=ArtifactType.SKILL, name="s", version="1", digest="sha256:x"),),
    files=(LockedFile(path=".claude/skills/s/SKILL.md", digest=DIGEST, mode=0o755, owner=ONE),),
    entries=(
        LockedEntry(
            file=".mcp.json", owner=TWO, entry=Owned(keys=("mcpServers", "db"), digest=DIGEST, listed=False)
        ),
    ),
    created={".mcp.json": ((), ("mcpServers",))},
)
VALUES = json.loads(written(LOCK))


def test_what_was_written_is_read_again() -> None:
    assert read_lock(written(LOCK)) == LOCK
    assert read_lock(None) == Lock()
    assert read_lock(written(Lock())) == Lock()


def test_the_text_is_readable_and_does_not_depend_on_order() -> None:
    two = LockedFile(path=".claude/agents/a.md", digest=DIGEST, mode=0o644, owner=TWO)
    one = Lock(files=(*LOCK.files, two))
    assert written(one) == written(Lock(files=(two, *LOCK.files)))
    assert b'    ".claude/agents/a.md": {\n      "sha256": "abab' in written(one)
    added = set(written(one).splitlines()) - set(written(Lock(files=LOCK.files)).splitlines())
    assert len(added) <= 5


def with_file(path: str, **row: Any) -> dict[str, Any]:
    return VALUES | {"files": {path: {"sha256": DIGEST, "mode": "0644", "artifact": str(ONE)} | row}}


@pytest.mark.parametrize(
    "values",
    [
        {},
        VALUES | {"version": 2},
        VALUES | {"files": []},
        VALUES | {"artifacts": {"x": {}}},
        VALUES | {"set": None},
        with_file("../x"),
        with_file("/etc/passwd"),
        with_file("src/main.py"),
        with_file(".claude/settings.json"),
        with_file(".claude/skills/../../x"),
        with_file(".claude/skills/x", mode="4755"),
        with_file(".claude/skills/x", sha256="x"),
        with_file(".claude/skills/x", sha256=5),
        VALUES | {"entries": [{"file": "package.json", "keys": ["a", "b"], "sha256": DIGEST, "artifact": str(ONE)}]},
        VALUES | {"entries": [{"file": ".mcp.json", "keys": ["env", "b"], "sha256": DIGEST, "artifact": str(ONE)}]},
        VALUES | {"created": {".mcp.json": ["x"]}},
    ],
)  # fmt: skip
def test_a_hostile_lock_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(LockDamaged, match=r"skillmeat\.lock\.json") as caught:
        read_lock(json.dumps(values).encode())
    assert "delete it" in caught.value.hint


@given(
    st.binary(max_size=200)
    | st.builds(lambda n, b: written(LOCK)[:n] + b, st.integers(0, 900), st.binary(max_size=3))
)
def test_damage_is_an_error_and_nothing_else(data: bytes) -> None:
    if data != written(LOCK):
        try:
            read_lock(data)
        except LockDamaged:
            return
        assert data.strip() == written(LOCK).strip()
