"""The known pitfalls of real repositories, by their numbers in the formats document."""

import json

import pytest

from marketplace.detection.artifacts import DetectionSettings
from marketplace.repository import Tree, TreeFile
from tests.detecting import (
    AGENT,
    COMMAND,
    HOOKS,
    MEMBERS,
    PLUGIN,
    SERVERS,
    SKILL,
    found,
    marketplace,
    only,
    scan_tree,
    tree_of,
)


def test_pitfall_1_frontmatter_that_is_no_yaml_is_read_all_the_same() -> None:
    artifact = only({".claude/agents/x.md": "---\nname: x\ndescription: Use when: always\n---\n"})

    assert (artifact.name, artifact.description, artifact.confidence) == ("x", "Use when: always", 97)


@pytest.mark.parametrize("text", ["Do it.\n", "---\nmodel: opus\n---\nDo it.\n"])
def test_pitfall_2_a_command_needs_no_description(text: str) -> None:
    assert found({".claude/commands/x.md": text}) == {("command", ".claude/commands/x.md"): 95}


def test_pitfall_3_the_same_name_may_occur_often() -> None:
    assert len(found({f".claude/agents/{folder}/x.md": AGENT for folder in "abc"})) == 3


@pytest.mark.parametrize("text", ["{}", '{"mcpServers": {}}', "", "[]", "no json"])
def test_pitfall_4_a_file_without_servers_counts_for_nothing(text: str) -> None:
    assert found({".mcp.json": text}) == {}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".cursor-plugin/plugins/time-mcp.json", SERVERS),
        (".cursor/commands/x.md", COMMAND),
        (".codex/skills/x/SKILL.md", SKILL),
        (".github/agents/x.md", AGENT),
        (".opencode/.mcp.json", SERVERS),
        (".gemini/hooks/hooks.json", HOOKS),
        (".codex-plugin/plugin.json", PLUGIN),
        (".github/skills/x/SKILL.md", SKILL),
        (".github/hooks/x.json", HOOKS),
        (".cursor/mcp.json", SERVERS),
        (".cursor/hooks/hooks.json", HOOKS),
        (".kiro/skills/x/SKILL.md", SKILL),
        (".vscode/mcp.json", SERVERS),
        ("p/.codex-plugin/hooks/hooks.json", HOOKS),
    ],
)
def test_pitfall_5_what_belongs_to_another_harness_is_not_ours(path: str, text: str) -> None:
    assert found({path: text}) == {}


def test_a_hidden_category_inside_a_folder_of_skills_is_fine() -> None:
    assert found({"skills/.curated/x/SKILL.md": SKILL}) == {("skill", "skills/.curated/x"): 77}


@pytest.mark.parametrize(
    "listing",
    [
        marketplace({"name": "p", "source": "./gone"}, {"name": "q", "source": "../out"}, {"name": "r"}),
        json.dumps({"name": "m"}),
        "{",
    ],
)
def test_pitfall_6_a_marketplace_may_list_nothing_that_exists(listing: str) -> None:
    assert found({".claude-plugin/marketplace.json": listing}) == {}


def test_pitfall_7_what_is_inside_a_skill_is_part_of_it() -> None:
    inside = {
        "agents/x.md": AGENT,
        "commands/x.md": COMMAND,
        "sub/SKILL.md": SKILL,
        "hooks/hooks.json": HOOKS,
        ".mcp.json": SERVERS,
        ".claude/agents/x.md": AGENT,
        "assets/p/.claude-plugin/plugin.json": PLUGIN,
    }

    artifact = only(
        {f"skills/a/{path}": text for path, text in inside.items()} | {"skills/a/SKILL.md": SKILL}
    )

    assert artifact.locator == "skills/a"
    assert len(artifact.files) == 8


def test_pitfall_7_prompts_and_output_styles_are_no_agents() -> None:
    assert found(
        {".claude/output-styles/x.md": AGENT, "p/prompts/x.md": AGENT, "p/.claude-plugin/plugin.json": PLUGIN}
    ) == {("plugin", "p"): 90}


@pytest.mark.parametrize(
    "name",
    [
        "README",
        "readme",
        "README.de",
        "LICENSE",
        "CHANGELOG",
        "CONTRIBUTING",
        "ATTRIBUTION",
        "QUICKSTART",
        "CLAUDE",
        "AGENTS",
        "index",
    ],
)
def test_pitfall_8_documentation_between_artifacts_is_none(name: str) -> None:
    files = {f".claude/{folder}/{name}.md": "# About\n\nWords.\n" for folder in ("agents", "commands")}

    assert found(files) == {}


@pytest.mark.parametrize("name", ["index", "changelog", "security"])
def test_a_command_that_describes_itself_may_be_called_like_documentation(name: str) -> None:
    assert found({f".claude/commands/{name}.md": COMMAND}) == {
        ("command", f".claude/commands/{name}.md"): 100
    }


@pytest.mark.parametrize(
    "above",
    [
        "tests/fixtures",
        "evals",
        "examples",
        "templates/python",
        "vendor",
        "node_modules/m",
        "dist",
        "third_party",
    ],
)
def test_pitfall_9_samples_and_foreign_code_hold_no_artifacts(above: str) -> None:
    files = {
        **MEMBERS,
        "p/.claude-plugin/plugin.json": PLUGIN,
        ".claude/agents/x.md": AGENT,
        "skills/x/SKILL.md": SKILL,
    }

    assert found({f"{above}/{path}": text for path, text in files.items()}) == {}


@pytest.mark.parametrize(
    "path", [".claude/commands/test/x.md", ".claude/commands/templates/examples/x.md", "commands/tests/x.md"]
)
def test_pitfall_9_a_category_may_be_called_like_a_sample(path: str) -> None:
    assert found({path: COMMAND}).keys() == {("command", path)}


def test_pitfall_9_a_listed_plugin_may_live_among_examples() -> None:
    files = {
        "examples/p/skills/x/SKILL.md": SKILL,
        ".claude-plugin/marketplace.json": marketplace({"name": "p", "source": "./examples/p"}),
    }

    assert found(files).keys() == {("plugin", "examples/p"), ("skill", "examples/p/skills/x")}


@pytest.mark.parametrize("name", ["SKILL.MD", "skill.md", "Skill.md"])
def test_pitfall_11_the_manifest_of_a_skill_may_be_spelt_otherwise(name: str) -> None:
    assert found({f".claude/skills/a:b/{name}": SKILL}) == {("skill", ".claude/skills/a:b"): 100}


def test_pitfall_11_links_are_not_followed() -> None:
    files = {".agents/skills/x/SKILL.md": SKILL}
    link = TreeFile(path=".claude/skills", mode="120000", sha="0" * 40, size=17)
    root = TreeFile(path="AGENTS.md", mode="120000", sha="1" * 40, size=9)
    tree = Tree(files=(*tree_of(files).files, link, root))

    artifacts = scan_tree(tree, {**files, ".claude/skills": SKILL}, DetectionSettings()).artifacts

    assert [artifact.locator for artifact in artifacts] == [".agents/skills/x"]


def test_pitfall_12_an_agent_that_the_manifest_forgot_is_a_little_less_certain() -> None:
    manifest = json.dumps({"name": "p", "agents": ["./a.md"]})
    files = {
        "p/.claude-plugin/plugin.json": manifest,
        "p/a.md": AGENT,
        "p/b.md": AGENT + "b",
        "p/README.md": "Words.",
    }

    assert found(files) == {("plugin", "p"): 90, ("agent", "p/a.md"): 90, ("agent", "p/b.md"): 78}


def test_pitfall_13_skills_may_lie_deep_and_have_many_files() -> None:
    files = {"a/b/c/d/x/SKILL.md": SKILL} | {f"a/b/c/d/x/files/{n}.txt": "x" for n in range(1_200)}

    assert len(only(files).files) == 1_201


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("src/hooks/x.md", "# Hooks\n\nReact.\n"),
        ("docs/agents/x.md", AGENT),
        ("agents/base.py", "class Agent: ..."),
        ("agents/notes.md", "# Notes\n\nWords.\n"),
        ("commands/notes.md", "# Notes\n\nWords.\n"),
        ("src/SKILLS.md", SKILL),
    ],
)
def test_pitfall_14_a_folder_name_alone_is_nothing(path: str, text: str) -> None:
    assert found({path: text}) == {}


@pytest.mark.parametrize("above", ["backups/2025", "archive", "_archived", "deprecated"])
def test_what_the_authors_have_put_away_is_not_listed(above: str) -> None:
    files = {**MEMBERS, "p/.claude-plugin/plugin.json": PLUGIN, ".claude/agents/x.md": AGENT}

    assert found({f"{above}/{path}": text for path, text in files.items()}) == {}
    assert found({f"skills/{above}/x/SKILL.md": SKILL}) == {("skill", f"skills/{above}/x"): 77}


@pytest.mark.parametrize("name", ["agents", "claude", "gemini", "skill", "update-readme"])
def test_a_command_may_be_called_like_a_file_that_is_read_in_capitals(name: str) -> None:
    path = f".claude/commands/{name}.md"

    assert found({path: "Do it.\n"}) == {("command", path): 95}


@pytest.mark.parametrize("folder", ["commands", "agents"])
def test_a_manual_between_artifacts_is_documentation(folder: str) -> None:
    assert found({f".claude/{folder}/ORCHESTRATION-README.md": "# How\n\nWords.\n"}) == {}


def test_a_command_in_capitals_without_description_is_doubtful() -> None:
    path = ".claude/commands/SIMULATION_EXAMPLES.md"

    assert found({path: "# Examples\n"}) == {("command", path): 45}
    assert found({path: COMMAND}) == {("command", path): 100}
