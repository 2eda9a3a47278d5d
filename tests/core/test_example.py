"""The example repository holds what its README says, and nothing else."""

from pathlib import Path

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings
from marketplace.detection.detect import survey
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import Tree, TreeFile, blob_id

STARTER = Path(__file__).parents[2] / "examples" / "starter"
EXPECTED = {
    ("skill", ".claude/skills/release-notes", "release-notes", None),
    ("command", ".claude/commands/git/tidy-branch.md", "tidy-branch", None),
    ("agent", ".claude/agents/test-writer.md", "test-writer", None),
    ("hook", ".claude/settings.json", "project", None),
    ("mcp_server", ".mcp.json", "time", None),
    ("plugin", "plugins/changelog", "changelog", None),
    ("command", "plugins/changelog/commands/add-entry.md", "add-entry", "plugins/changelog"),
    (
        "skill",
        "plugins/changelog/skills/writing-changelog-entries",
        "writing-changelog-entries",
        "plugins/changelog",
    ),
    ("hook", "plugins/changelog/hooks/hooks.json", "changelog", "plugins/changelog"),
}


def walk(directory: Path) -> tuple[Tree, dict[str, str]]:
    data = {path.relative_to(directory).as_posix(): path for path in directory.rglob("*") if path.is_file()}
    files = tuple(
        TreeFile(
            path=name,
            mode="100755" if path.stat().st_mode & 0o100 else "100644",
            sha=blob_id(path.read_bytes()),
            size=path.stat().st_size,
        )
        for name, path in data.items()
    )
    return Tree(files=files), {name: path.read_text(encoding="utf-8") for name, path in data.items()}


def artifacts() -> tuple[DetectedArtifact, ...]:
    tree, texts = walk(STARTER)
    documents: dict[str, str] = {}
    while missing := survey(tree, documents, DetectionSettings()).missing - documents.keys():
        documents |= {path: texts[path] for path in missing}
    return survey(tree, documents, DetectionSettings()).detect().artifacts


def test_exactly_the_artifacts_of_the_readme_are_found() -> None:
    assert {(a.type.value, a.locator, a.name, a.parent_locator) for a in artifacts()} == EXPECTED


def test_claude_code_would_load_each_of_them() -> None:
    assert {artifact.confidence for artifact in artifacts()} == {100}


def test_every_type_is_there_and_every_file_but_prose_is_described() -> None:
    found = artifacts()

    assert {artifact.type for artifact in found} == set(ArtifactType)
    assert all(artifact.description for artifact in found)


def test_scripts_can_be_executed() -> None:
    (skill,) = (a for a in artifacts() if a.locator == ".claude/skills/release-notes")

    assert {file.path: file.mode for file in skill.files if file.path.endswith(".sh")} == {
        ".claude/skills/release-notes/scripts/commits_since_tag.sh": "100755"
    }
