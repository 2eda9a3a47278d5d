"""Plugins: by manifest and by marketplace, and what belongs to them."""

import json
from typing import Any

import pytest

from marketplace.detection.artifacts import DetectionSettings, SuggestedSource
from marketplace.detection.detect import survey
from marketplace.detection.vocabulary import ArtifactType
from tests.detecting import (
    AGENT,
    BARE_SERVERS,
    COMMAND,
    HOOKS,
    MEMBER_LOCATORS,
    MEMBERS,
    PLUGIN,
    SERVERS,
    SKILL,
    found,
    marketplace,
    scan,
    tree_of,
)


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


def test_entries_that_divide_nothing_all_have_the_whole_directory() -> None:
    files = {
        ".claude-plugin/marketplace.json": marketplace(
            {"name": "new", "source": "./p"}, {"name": "a-former-name", "source": "./p"}
        ),
        "p/.claude-plugin/plugin.json": json.dumps({"name": "new"}),
        "p/skills/a/SKILL.md": SKILL,
        "p/hooks/hooks.json": HOOKS,
    }

    artifacts = {a.locator: a for a in scan(files).artifacts}

    assert {file.path for file in artifacts["p#a-former-name"].files} == {
        path for path in files if path.startswith("p/")
    }
    assert artifacts["p#a-former-name"].content_digest == artifacts["p#new"].content_digest
    assert (artifacts["p/hooks/hooks.json"].name, artifacts["p/hooks/hooks.json"].parent_locator) == (
        "new",
        "p#new",
    )


def test_a_member_that_two_entries_list_counts_for_both() -> None:
    listing = marketplace(
        {"name": "one", "source": "./", "skills": ["./skills/a", "./skills/b"]},
        {"name": "two", "source": "./", "skills": ["./skills/b"]},
    )
    files = {
        ".claude-plugin/marketplace.json": listing,
        "skills/a/SKILL.md": SKILL,
        "skills/b/SKILL.md": SKILL + "b",
    }

    sizes = {a.locator: len(a.files) for a in scan(files).artifacts if a.type is ArtifactType.PLUGIN}

    assert sizes == {".#one": 2, ".#two": 1}


def test_an_entry_that_is_not_strict_declares_what_a_manifest_would() -> None:
    entry = {
        "name": "p",
        "source": "./p",
        "strict": False,
        "commands": "./run",
        "agents": ["./minds/a.md"],
        "hooks": json.loads(HOOKS),
        "mcpServers": {"time": {"command": "uvx"}},
    }
    files = {
        ".claude-plugin/marketplace.json": marketplace(entry),
        "p/run/a.md": COMMAND,
        "p/minds/a.md": AGENT,
    }
    listing = ".claude-plugin/marketplace.json"

    assert found(files) == {
        ("plugin", "p"): 95,
        ("command", "p/run/a.md"): 100,
        ("agent", "p/minds/a.md"): 100,
        ("hook", f"{listing}#p"): 100,
        ("mcp_server", f"{listing}#p"): 100,
    }


@pytest.mark.parametrize(
    ("declared", "locators"),
    [
        ({"hooks": json.loads(HOOKS)["hooks"]}, {("hook", "p/.claude-plugin/plugin.json#p")}),
        ({"hooks": json.loads(HOOKS)}, {("hook", "p/.claude-plugin/plugin.json#p")}),
        ({"hooks": "./h.json"}, {("hook", "p/h.json")}),
        (
            {"hooks": ["./h.json", json.loads(HOOKS)]},
            {("hook", "p/h.json"), ("hook", "p/.claude-plugin/plugin.json#p")},
        ),
        ({"hooks": "../h.json"}, set()),
        ({"mcpServers": "./m.json"}, {("mcp_server", "p/m.json")}),
        (
            {"mcpServers": ["./m.json", "./bare.json"]},
            {("mcp_server", "p/m.json"), ("mcp_server", "p/bare.json")},
        ),
        ({"mcpServers": json.loads(SERVERS)}, {("mcp_server", "p/.claude-plugin/plugin.json#p")}),
        ({"mcpServers": {"time": {"url": "https://x"}}}, {("mcp_server", "p/.claude-plugin/plugin.json#p")}),
        ({"mcpServers": {}}, set()),
        ({"commands": {"x": {"source": "./run/a.md"}}}, {("command", "p/run/a.md")}),
        ({"commands": "./run/"}, {("command", "p/run/a.md")}),
        ({"agents": "./minds/a.md"}, {("agent", "p/minds/a.md")}),
        ({"skills": "./abilities"}, {("skill", "p/abilities/x")}),
        ({"skills": ["./abilities/x"]}, {("skill", "p/abilities/x")}),
        ({"skills": 7, "commands": None, "agents": {}, "hooks": [], "mcpServers": 1}, set()),
    ],
)
def test_every_form_of_declaring_parts_is_understood(
    declared: dict[str, Any], locators: set[tuple[str, str]]
) -> None:
    files = {
        "p/.claude-plugin/plugin.json": json.dumps({"name": "p", **declared}),
        "h.json": HOOKS,
        "p/h.json": HOOKS,
        "p/m.json": SERVERS,
        "p/bare.json": BARE_SERVERS,
        "p/run/a.md": COMMAND,
        "p/minds/a.md": AGENT,
        "p/abilities/x/SKILL.md": SKILL,
    }
    skills = {("skill", "p/abilities/x")}  # a SKILL.md counts anywhere, if less

    assert found(files).keys() - skills == (locators | {("plugin", "p")}) - skills
    assert (found(files)["skill", "p/abilities/x"] == 90) == (skills <= locators)


def test_many_entries_for_one_directory_do_not_bloat_the_result() -> None:
    entries = [{"name": f"p{n}", "source": "./"} for n in range(500)]
    files = {".claude-plugin/marketplace.json": marketplace(*entries), "a.txt": "x"}

    assert len(scan(files).artifacts) == 20
