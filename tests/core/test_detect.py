"""Which artifacts a tree holds: every official place, every known pitfall, and what must not matter."""

import json
import random
import time
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from marketplace.detection.artifacts import DetectedArtifact, Detection, DetectionSettings, SuggestedSource
from marketplace.detection.detect import survey
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import Tree, TreeFile, blob_id

SKILL = "---\nname: a-skill\ndescription: Does a thing.\n---\n# A skill\n"
AGENT = "---\nname: an-agent\ndescription: Thinks.\ntools: Read\n---\nYou think.\n"
COMMAND = "---\ndescription: Runs.\nargument-hint: '[x]'\n---\nRun $ARGUMENTS.\n"
HOOKS = json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}})
SERVERS = json.dumps({"mcpServers": {"time": {"command": "uvx"}}})
BARE_SERVERS = json.dumps({"time": {"command": "uvx"}})
PLUGIN = json.dumps({"name": "p"})

Found = dict[tuple[str, str], int]


def tree_of(files: Mapping[str, str]) -> Tree:
    return Tree(
        files=tuple(
            TreeFile(path=path, mode="100644", sha=blob_id(text.encode()), size=len(text.encode()))
            for path, text in files.items()
        )
    )


def scan_tree(tree: Tree, texts: Mapping[str, str], settings: DetectionSettings) -> Detection:
    documents: dict[str, str] = {}
    while missing := survey(tree, documents, settings).missing & texts.keys() - documents.keys():
        documents |= {path: texts[path] for path in missing}
    return survey(tree, documents, settings).detect()


def scan(files: Mapping[str, str], **settings: Any) -> Detection:
    return scan_tree(tree_of(files), files, DetectionSettings(**settings))


def found(files: Mapping[str, str], **settings: Any) -> Found:
    artifacts = scan(files, **settings).artifacts
    return {(artifact.type.value, artifact.locator): artifact.confidence for artifact in artifacts}


def only(files: Mapping[str, str], **settings: Any) -> DetectedArtifact:
    (artifact,) = scan(files, **settings).artifacts
    return artifact


def marketplace(*plugins: Mapping[str, Any], **more: Any) -> str:
    return json.dumps({"name": "m", "owner": {"name": "o"}, "plugins": list(plugins), **more})


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


MEMBERS = {
    "p/skills/x/SKILL.md": SKILL,
    "p/commands/x.md": COMMAND,
    "p/agents/x.md": AGENT,
    "p/hooks/hooks.json": HOOKS,
    "p/.mcp.json": BARE_SERVERS,
}
MEMBER_LOCATORS = {
    ("skill", "p/skills/x"),
    ("command", "p/commands/x.md"),
    ("agent", "p/agents/x.md"),
    ("hook", "p/hooks/hooks.json"),
    ("mcp_server", "p/.mcp.json"),
}


def test_a_listed_plugin_is_certain_with_all_its_members() -> None:
    files = MEMBERS | {
        "p/.claude-plugin/plugin.json": PLUGIN,
        ".claude-plugin/marketplace.json": marketplace({"name": "p", "source": "./p"}),
    }

    artifacts = scan(files).artifacts

    assert {(a.type.value, a.locator) for a in artifacts} == MEMBER_LOCATORS | {("plugin", "p")}
    assert {a.confidence for a in artifacts} == {100}
    assert {a.parent_locator for a in artifacts if a.type is not ArtifactType.PLUGIN} == {"p"}


def test_a_plugin_that_no_marketplace_lists_is_almost_certain() -> None:
    confidences = found(MEMBERS | {"p/.claude-plugin/plugin.json": PLUGIN})

    assert confidences.keys() == MEMBER_LOCATORS | {("plugin", "p")}
    assert set(confidences.values()) == {90}


def test_a_listed_directory_needs_no_manifest() -> None:
    files = MEMBERS | {
        ".claude-plugin/marketplace.json": marketplace({"name": "q", "source": "./p", "version": "2"})
    }

    (plugin,) = (a for a in scan(files).artifacts if a.type is ArtifactType.PLUGIN)

    assert (plugin.locator, plugin.name, plugin.version, plugin.confidence) == ("p", "q", "2", 95)
    assert {file.path for file in plugin.files} == MEMBERS.keys()


def test_a_bare_name_is_looked_up_below_the_plugin_root() -> None:
    listing = marketplace({"name": "p", "source": "p"}, metadata={"pluginRoot": "./packs"})

    assert ("plugin", "packs/p") in found(
        {".claude-plugin/marketplace.json": listing, "packs/p/lsp.json": "{}"}
    )


def test_a_plugin_at_the_root_is_a_plugin_beside_its_members() -> None:
    files = {".claude-plugin/plugin.json": PLUGIN, "agents/x.md": AGENT, ".claude/agents/y.md": AGENT}

    parents = {a.locator: a.parent_locator for a in scan(files).artifacts}

    assert parents == {".": None, "agents/x.md": ".", ".claude/agents/y.md": None}


def test_a_folder_of_skills_with_a_manifest_is_a_plugin_that_is_loaded_from_there() -> None:
    files = {".claude/skills/p/.claude-plugin/plugin.json": PLUGIN, ".claude/skills/p/agents/x.md": AGENT}

    assert found(files) == {
        ("plugin", ".claude/skills/p"): 100,
        ("agent", ".claude/skills/p/agents/x.md"): 100,
    }


def test_a_manifest_adds_skills_from_other_directories() -> None:
    manifest = json.dumps({"name": "p", "skills": ["./more", "./one"]})
    files = {
        "p/.claude-plugin/plugin.json": manifest,
        "p/skills/a/SKILL.md": SKILL,
        "p/more/b/SKILL.md": SKILL + "b",
        "p/one/SKILL.md": SKILL + "c",
    }

    assert [confidence for (kind, _), confidence in found(files).items() if kind == "skill"] == [90, 90, 90]


def test_a_manifest_replaces_the_default_commands() -> None:
    manifest = json.dumps({"name": "p", "commands": ["./run/a.md"]})
    files = {
        "p/.claude-plugin/plugin.json": manifest,
        "p/run/a.md": COMMAND,
        "p/commands/b.md": COMMAND + "b",
    }

    assert found(files) == {
        ("plugin", "p"): 90,
        ("command", "p/run/a.md"): 90,
        ("command", "p/commands/b.md"): 78,
    }


def test_inline_hooks_and_servers_are_named_after_their_plugin() -> None:
    manifest = json.dumps({"name": "p", "hooks": json.loads(HOOKS), "mcpServers": json.loads(BARE_SERVERS)})

    path = "p/.claude-plugin/plugin.json"

    assert found({path: manifest}).keys() == {
        ("plugin", "p"),
        ("hook", f"{path}#p"),
        ("mcp_server", f"{path}#p"),
    }


def test_a_server_that_is_a_bundle_counts() -> None:
    manifest = json.dumps({"name": "p", "mcpServers": "https://example.org/time.mcpb"})

    (server,) = (
        a
        for a in scan({"p/.claude-plugin/plugin.json": manifest}).artifacts
        if a.type is ArtifactType.MCP_SERVER
    )

    assert server.name == "time"


def test_config_files_that_a_manifest_names_are_read_in_a_later_round() -> None:
    manifest = json.dumps({"name": "p", "hooks": "./conf/h.json", "mcpServers": "./conf/m.json"})
    files = {"p/.claude-plugin/plugin.json": manifest, "p/conf/h.json": HOOKS, "p/conf/m.json": SERVERS}
    tree, settings = tree_of(files), DetectionSettings()

    assert survey(tree, {}, settings).missing == {"p/.claude-plugin/plugin.json"}
    assert survey(tree, {"p/.claude-plugin/plugin.json": manifest}, settings).missing == {
        "p/conf/h.json",
        "p/conf/m.json",
    }
    assert survey(tree, files, settings).missing == frozenset()
    assert found(files).keys() == {
        ("plugin", "p"),
        ("hook", "p/conf/h.json"),
        ("mcp_server", "p/conf/m.json"),
    }


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


def test_pitfall_10_a_loose_copy_is_uncertain_and_says_of_what() -> None:
    files = {".claude/agents/x.md": AGENT, "src/pack/agents/x.md": AGENT}

    (_, copy) = scan(files).artifacts

    assert (copy.locator, copy.confidence) == ("src/pack/agents/x.md", 40)
    assert copy.signals[-1].name == "loose_copy"
    assert ".claude/agents/x.md" in copy.signals[-1].detail


def test_pitfall_10_the_same_agent_in_two_plugins_is_real_twice() -> None:
    files = {f"{p}/agents/x.md": AGENT for p in "pq"} | {
        f"{p}/.claude-plugin/plugin.json": PLUGIN for p in "pq"
    }

    assert set(found(files).values()) == {90}


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


def test_entries_that_share_a_directory_divide_its_skills() -> None:
    listing = marketplace(
        {"name": "one", "source": "./", "skills": ["./skills/a"]},
        {"name": "two", "source": "./", "skills": ["./skills/b"]},
    )
    files = {
        ".claude-plugin/marketplace.json": listing,
        "skills/a/SKILL.md": SKILL,
        "skills/b/SKILL.md": SKILL + "b",
    }

    artifacts = {a.locator: a for a in scan(files).artifacts}

    assert artifacts.keys() == {".#one", ".#two", "skills/a", "skills/b"}
    assert artifacts["skills/b"].parent_locator == ".#two"
    assert [file.path for file in artifacts[".#one"].files] == ["skills/a/SKILL.md"]


def test_entries_for_other_repositories_are_suggestions_in_order() -> None:
    listing = marketplace(
        *({"name": name, "source": {"source": "github", "repo": f"o/{name}", "ref": "v1"}} for name in "bab")
    )

    detection = scan({".claude-plugin/marketplace.json": listing})

    assert detection.artifacts == ()
    assert detection.suggested == tuple(
        SuggestedSource(name=name, url=f"https://github.com/o/{name}", ref="v1") for name in "ab"
    )


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


@pytest.mark.parametrize("hint", ["app", "./app/", "/app"])
def test_only_what_lies_below_the_root_hint_counts(hint: str) -> None:
    files = {
        ".claude/agents/x.md": AGENT,
        "app/.claude/agents/y.md": AGENT,
        "apple/.claude/agents/z.md": AGENT,
    }

    assert found(files, root_hint=hint) == {("agent", "app/.claude/agents/y.md"): 100}


def test_a_root_hint_into_examples_is_meant() -> None:
    assert found({"examples/x/.mcp.json": SERVERS}, root_hint="examples/x") == {
        ("mcp_server", "examples/x/.mcp.json"): 100
    }


@pytest.mark.parametrize(
    ("mapping", "locators"),
    [
        ({"lib": ArtifactType.AGENT}, {"lib/a.md", "lib/b/c.md"}),
        ({"lib": ArtifactType.AGENT, "lib/b": None}, {"lib/a.md"}),
        ({"lib": None, "lib/b": ArtifactType.AGENT}, {"lib/b/c.md"}),
        ({"lib": ArtifactType.SKILL}, set()),
        ({"": None}, set()),
    ],
)
def test_the_nearest_mapped_ancestor_decides(
    mapping: dict[str, ArtifactType | None], locators: set[str]
) -> None:
    artifacts = scan({"lib/a.md": AGENT, "lib/b/c.md": AGENT}, manual_map=mapping).artifacts

    assert {artifact.locator for artifact in artifacts} == locators
    assert all(artifact.confidence == 100 for artifact in artifacts)


@pytest.mark.parametrize(
    ("directory", "kind", "path", "text", "locator"),
    [
        ("kit", ArtifactType.COMMAND, "kit/a/x.md", "Do it.", "kit/a/x.md"),
        ("kit", ArtifactType.SKILL, "kit/tests/x/SKILL.md", SKILL, "kit/tests/x"),
        ("kit", ArtifactType.HOOK, "kit/x.json", HOOKS, "kit/x.json"),
        ("kit", ArtifactType.MCP_SERVER, "kit/x.json", SERVERS, "kit/x.json"),
        ("src", ArtifactType.MCP_SERVER, "src/fetch/pyproject.toml", "[project]", "src/fetch/pyproject.toml"),
        ("kit", ArtifactType.PLUGIN, "kit/themes/x.json", "{}", "kit"),
    ],
)
def test_every_type_can_be_mapped(
    directory: str, kind: ArtifactType, path: str, text: str, locator: str
) -> None:
    assert found({path: text}, manual_map={directory: kind}).keys() == {(kind.value, locator)}


def test_frontmatter_is_judged_only_when_asked_for_and_weakly() -> None:
    files = {"design/a.md": AGENT, "tools/b.md": COMMAND, "notes/c.md": "# Words"}

    assert found(files) == {}
    assert found(files, frontmatter=True) == {("agent", "design/a.md"): 40, ("command", "tools/b.md"): 40}


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


def test_confidence_is_the_sum_of_the_signals() -> None:
    for artifact in scan({**MEMBERS, "p/.claude-plugin/plugin.json": PLUGIN, "agents/x.md": AGENT}).artifacts:
        assert artifact.confidence == min(100, sum(signal.points for signal in artifact.signals))


def test_the_digest_changes_with_content_and_mode_but_not_with_the_place() -> None:
    def digest(directory: str, text: str = "x", mode: str = "100644") -> str:
        extra = TreeFile(path=f"{directory}/run.sh", mode=mode, sha=blob_id(text.encode()), size=1)
        files = {f"{directory}/SKILL.md": SKILL}
        tree = Tree(files=(*tree_of(files).files, extra))
        return scan_tree(tree, files, DetectionSettings()).artifacts[0].content_digest

    assert digest("skills/a") == digest("skills/b")
    assert len({digest("skills/a"), digest("skills/a", "y"), digest("skills/a", "x", "100755")}) == 3


def test_documents_that_cannot_be_had_are_no_error() -> None:
    tree = tree_of({**MEMBERS, "p/.claude-plugin/plugin.json": PLUGIN})

    assert survey(tree, {}, DetectionSettings()).detect().artifacts == ()
    assert "p/agents/x.md" in survey(tree, {}, DetectionSettings()).missing


def test_large_files_and_links_are_never_wanted() -> None:
    files = (
        TreeFile(path=".claude/agents/large.md", mode="100644", sha="0" * 40, size=300_000),
        TreeFile(path=".claude/agents/link.md", mode="120000", sha="1" * 40, size=10),
        TreeFile(path=".claude/agents/../../x.md", mode="100644", sha="2" * 40, size=10),
    )

    assert survey(Tree(files=files), {}, DetectionSettings(frontmatter=True)).missing == frozenset()


def test_a_tree_of_twenty_thousand_files_takes_less_than_a_second() -> None:
    paths = [f"src/{n % 300}/{n % 7}/{n}.md" for n in range(20_000)]
    tree = Tree(files=tuple(TreeFile(path=path, mode="100644", sha="0" * 40, size=10) for path in paths))
    start = time.perf_counter()

    survey(tree, {}, DetectionSettings()).detect()

    assert time.perf_counter() - start < 1


TEXTS = {
    "SKILL.md": SKILL,
    "x.md": AGENT,
    "README.md": COMMAND,
    "hooks.json": HOOKS,
    ".mcp.json": SERVERS,
    "settings.json": HOOKS,
    "plugin.json": json.dumps(
        {"name": "p", "agents": ["./agents/x.md"], "skills": ["./a"], "hooks": json.loads(HOOKS)}
    ),
    "marketplace.json": marketplace({"name": "p", "source": "./"}, {"name": "q", "source": "./a"}),
}
FOLDERS = [".claude", "skills", "commands", "agents", "hooks", ".claude-plugin", "a", "tests", "docs"]
PATHS = st.builds(
    lambda folders, name: "/".join([*folders, name]),
    st.lists(st.sampled_from(FOLDERS), max_size=4),
    st.sampled_from(sorted(TEXTS)),
)
REPOSITORIES = st.sets(PATHS, min_size=1, max_size=14).map(
    lambda paths: {path: TEXTS[path.rpartition("/")[2]] for path in sorted(paths)}
)


def owned(artifacts: Iterable[DetectedArtifact]) -> list[str]:
    """The files of what is no plugin; manifests excepted."""
    return [
        file.path
        for artifact in artifacts
        if artifact.type is not ArtifactType.PLUGIN and "#" not in artifact.locator
        for file in artifact.files
    ]


@hypothesis_settings(max_examples=60, deadline=None)
@given(files=REPOSITORIES, seed=st.integers(0, 1_000))
def test_the_order_of_the_input_does_not_matter(files: dict[str, str], seed: int) -> None:
    shuffled = list(files.items())
    random.Random(seed).shuffle(shuffled)

    assert scan(dict(shuffled), frontmatter=True) == scan(files, frontmatter=True)


@hypothesis_settings(max_examples=60, deadline=None)
@given(files=REPOSITORIES)
def test_every_file_has_one_owner_below_plugins(files: dict[str, str]) -> None:
    paths = owned(scan(files, frontmatter=True).artifacts)

    assert len(paths) == len(set(paths))


@hypothesis_settings(max_examples=60, deadline=None)
@given(files=REPOSITORIES)
def test_an_unrelated_file_changes_nothing_else(files: dict[str, str]) -> None:
    before = [a for a in scan(files).artifacts if a.path != "."]
    after = [a for a in scan({**files, "unrelated/note.txt": "x"}).artifacts if a.path != "."]

    assert after == before


@hypothesis_settings(max_examples=60, deadline=None)
@given(files=REPOSITORIES)
def test_identities_are_unique_and_sorted_and_confidence_is_in_range(files: dict[str, str]) -> None:
    artifacts = scan(files, frontmatter=True).artifacts
    identities = [(artifact.type, artifact.locator) for artifact in artifacts]

    assert identities == sorted(set(identities))
    assert all(30 <= artifact.confidence <= 100 for artifact in artifacts)
