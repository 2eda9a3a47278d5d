"""Of everything in a tree it can be told what came of it, and why."""

from hypothesis import given, strategies as st

from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.detect import LISTED, survey
from marketplace.detection.explaining import Explanation, explain
from marketplace.detection.vocabulary import ArtifactType
from tests.detecting import AGENT, COMMAND, SKILL, tree_of

FILES = {
    ".claude/skills/pdf/SKILL.md": SKILL,
    ".claude/skills/pdf/notes.md": "# Notes\n",
    ".claude/commands/README.md": "# Commands\n",
    "commands/run.md": COMMAND,
    "agents/notes.md": "Just text.\n",
    "old/agents/x.md": AGENT,
    "tests/agents/y.md": AGENT,
    "src/main.py": "print()\n",
}


def told(path: str = "", **settings: object) -> dict[str, Explanation]:
    seen = survey(tree_of(FILES), FILES, DetectionSettings(**settings))  # type: ignore[arg-type]
    return {one.path: one for one in explain(seen, path)}


def test_an_artifact_is_explained_by_its_signals() -> None:
    one = told()[".claude/skills/pdf"]
    assert (one.type, one.name, one.left_out) == (ArtifactType.SKILL, "a-skill", "")
    assert one.confidence == sum(signal.points for signal in one.signals) >= 90


def test_what_was_left_out_says_why() -> None:
    assert "no such artifact" in told()["agents/notes.md"].left_out
    assert "manual map" in told(manual_map={"old": None})["old/agents/x.md"].left_out


def test_with_a_path_files_that_are_no_place_are_explained_too() -> None:
    assert "src/main.py" not in told()
    assert told("src")["src/main.py"].type is None
    assert (
        told(".claude/skills/pdf")[".claude/skills/pdf/notes.md"].left_out
        == "part of the skill .claude/skills/pdf"
    )
    assert "documentation" in told(".claude/commands")[".claude/commands/README.md"].left_out
    assert "tests, samples" in told("tests")["tests/agents/y.md"].left_out


def test_only_what_lies_below_the_path_is_told() -> None:
    assert set(told("commands")) == {"commands/run.md"}
    assert told("none") == {}


@given(st.sets(st.sampled_from(sorted(FILES))))
def test_what_is_explained_as_listed_is_what_detection_lists(paths: set[str]) -> None:
    files = {path: FILES[path] for path in paths}
    seen = survey(tree_of(files), files, DetectionSettings())
    listed = {(one.type, one.path) for one in explain(seen) if not one.left_out}
    assert listed == {artifact.key for artifact in seen.detect().artifacts}
    assert all(one.confidence >= LISTED for one in explain(seen) if not one.left_out)
