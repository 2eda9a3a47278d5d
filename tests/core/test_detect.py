"""Which artifacts a place and its content make, and what these say about themselves."""

import json

import pytest

from marketplace.detection.artifacts import DetectionSettings
from marketplace.repository import Tree, TreeFile, blob_id
from tests.detecting import (
    AGENT,
    BARE_SERVERS,
    COMMAND,
    HOOKS,
    SERVERS,
    SKILL,
    found,
    only,
    scan,
    scan_tree,
    tree_of,
)


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (".claude/skills/x/SKILL.md", SKILL, ("skill", ".claude/skills/x", 100)),
        (".claude/commands/x.md", COMMAND, ("command", ".claude/commands/x.md", 100)),
        (".claude/commands/a/b/x.md", COMMAND, ("command", ".claude/commands/a/b/x.md", 100)),
        (".claude/agents/x.md", AGENT, ("agent", ".claude/agents/x.md", 100)),
        (".claude/agents/a/x.md", AGENT, ("agent", ".claude/agents/a/x.md", 100)),
        (".claude/settings.json", HOOKS, ("hook", ".claude/settings.json", 100)),
        (".claude/settings.local.json", HOOKS, ("hook", ".claude/settings.local.json", 100)),
        (".mcp.json", SERVERS, ("mcp_server", ".mcp.json", 100)),
        (".mcp.json", BARE_SERVERS, ("mcp_server", ".mcp.json", 100)),
        ("SKILL.md", SKILL, ("skill", ".", 90)),
        ("app/.claude/agents/x.md", AGENT, ("agent", "app/.claude/agents/x.md", 90)),
        ("app/.mcp.json", SERVERS, ("mcp_server", "app/.mcp.json", 75)),
        ("hooks/hooks.json", HOOKS, ("hook", "hooks/hooks.json", 75)),
        ("server.json", json.dumps({"name": "a/b", "remotes": [{}]}), ("mcp_server", "server.json", 75)),
        ("skills/x/SKILL.md", SKILL, ("skill", "skills/x", 77)),
        ("x/SKILL.md", SKILL, ("skill", "x", 70)),
        ("agents/x.md", AGENT, ("agent", "agents/x.md", 65)),
        ("commands/x.md", COMMAND, ("command", "commands/x.md", 65)),
        ("docs/fr/skills/x/SKILL.md", SKILL, ("skill", "docs/fr/skills/x", 45)),
    ],
)
def test_a_place_and_fitting_content_make_an_artifact(
    path: str, text: str, expected: tuple[str, str, int]
) -> None:
    kind, locator, confidence = expected

    assert found({path: text}) == {(kind, locator): confidence}


def test_a_skill_at_the_root_leaves_official_places_and_folders_of_skills_alone() -> None:
    files = {
        "SKILL.md": SKILL,
        "references/x.md": "x",
        "skills/a/SKILL.md": SKILL + "a",
        ".claude/agents/x.md": AGENT,
    }

    owners = {artifact.locator: [file.path for file in artifact.files] for artifact in scan(files).artifacts}

    assert owners == {
        ".": ["SKILL.md", "references/x.md"],
        "skills/a": ["skills/a/SKILL.md"],
        ".claude/agents/x.md": [".claude/agents/x.md"],
    }


def test_fields_come_from_frontmatter_within_their_limits() -> None:
    text = (
        "---\nname: my  skill\ndescription: "
        + "d" * 3_000
        + "\nlicense: MIT\nmetadata: {version: 2, author: Ada}\n"
        "tags: Git, git, " + ", ".join(f"t{n}" for n in range(30)) + "\n---\n# The title\n"
    )

    skill = only({"skills/data/etl/x/SKILL.md": text})

    assert (skill.name, skill.title, skill.license, skill.version, skill.author) == (
        "my skill",
        "The title",
        "MIT",
        "2",
        "Ada",
    )
    assert len(skill.description) == 2_000
    assert skill.tags[:2] == ("git", "t0")
    assert len(skill.tags) == 20
    assert skill.path_tags == ("data", "etl")
    assert skill.frontmatter["name"] == "my  skill"


def test_a_command_takes_its_namespace_from_its_folders() -> None:
    command = only({".claude/commands/git/Branch Work/tidy.md": COMMAND})

    assert (command.name, command.namespace, command.path_tags) == (
        "tidy",
        "git/Branch Work",
        ("git", "branch-work"),
    )


def test_a_skill_without_frontmatter_is_named_after_its_directory() -> None:
    skill = only({".claude/skills/plain/SKILL.md": "# Plain\n\nDoes a plain thing.\n"})

    assert (skill.name, skill.description, skill.confidence) == ("plain", "Does a plain thing.", 85)


def test_the_digest_changes_with_content_and_mode_but_not_with_the_place() -> None:
    def digest(directory: str, text: str = "x", mode: str = "100644") -> str:
        extra = TreeFile(path=f"{directory}/run.sh", mode=mode, sha=blob_id(text.encode()), size=1)
        files = {f"{directory}/SKILL.md": SKILL}
        tree = Tree(files=(*tree_of(files).files, extra))
        return scan_tree(tree, files, DetectionSettings()).artifacts[0].content_digest

    assert digest("skills/a") == digest("skills/b")
    assert len({digest("skills/a"), digest("skills/a", "y"), digest("skills/a", "x", "100755")}) == 3
