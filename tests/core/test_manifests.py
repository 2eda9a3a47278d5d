"""What Claude Code's JSON files declare, and what they must not be able to."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from marketplace.detection.artifacts import SuggestedSource
from marketplace.detection.manifests import (
    Inclusion,
    hook_commands,
    hook_events,
    local_path,
    read_marketplace,
    read_plugin,
    registry_name,
    server_names,
)

HANDLED = [{"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
KEYS = st.sampled_from(
    ["name", "skills", "commands", "agents", "hooks", "mcpServers", "plugins", "source", "metadata"]
)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("./skills/a", "skills/a"),
        ("skills//a/", "skills/a"),
        ("./", ""),
        (".", ""),
        ("../a", None),
        ("./a/../../b", None),
        ("/etc/passwd", None),
        ("~/x", None),
        ("a\\b", None),
        ("a\0b", None),
        ("https://example.org/x", None),
        ("", None),
        (7, None),
        (None, None),
    ],
)
def test_no_path_leaves_its_root(written: object, path: str | None) -> None:
    assert local_path(written) == path


def test_a_plugin_manifest_adds_skills_and_replaces_commands_and_agents() -> None:
    manifest = read_plugin(
        {"name": "p", "skills": "./more", "commands": ["./c/a.md", "../b.md"], "agents": ["./a.md", "./a.md"]}
    )

    assert manifest.skills == ("more",)
    assert manifest.commands == ("c/a.md",)
    assert manifest.agents == ("a.md",)
    assert read_plugin({"name": "p"}).commands is None


def test_commands_may_be_objects_with_a_source() -> None:
    assert read_plugin({"commands": {"about": {"source": "./README.md"}}}).commands == ("README.md",)


def test_hooks_and_servers_may_be_paths_or_inline_or_both() -> None:
    manifest = read_plugin({"hooks": ["./h.json", {"hooks": {"Stop": HANDLED}}], "mcpServers": "./m.json"})

    assert manifest.hooks == Inclusion(paths=("h.json",), inline={"hooks": {"Stop": HANDLED}})
    assert manifest.servers == Inclusion(paths=("m.json",))


def test_a_server_may_be_a_bundle_on_another_host() -> None:
    assert read_plugin({"mcpServers": "https://example.org/a.mcpb"}).servers.bundles == (
        "https://example.org/a.mcpb",
    )


def test_a_marketplace_lists_local_directories_in_two_spellings() -> None:
    first, second = read_marketplace(
        {
            "metadata": {"pluginRoot": "./plugins"},
            "plugins": [{"name": "a", "source": "./x/a"}, {"name": "b", "source": "b"}],
        }
    )

    assert (first.directory, second.directory) == ("x/a", "plugins/b")


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ({"source": "github", "repo": "o/r"}, "https://github.com/o/r"),
        ({"source": "url", "url": "https://example.org/r.git"}, "https://example.org/r.git"),
        ({"source": "git-subdir", "url": "o/r", "path": "a/b"}, "https://github.com/o/r"),
        ({"source": "npm", "package": "@o/r", "version": "^2"}, "https://www.npmjs.com/package/@o/r"),
        (
            {"source": "npm", "package": "r", "registry": "https://npm.example.org/"},
            "https://npm.example.org/r",
        ),
        ("https://example.org/r.git", "https://example.org/r.git"),
    ],
)
def test_an_entry_for_another_repository_is_a_suggestion(source: object, url: str) -> None:
    (entry,) = read_marketplace({"plugins": [{"name": "a", "source": source, "description": "d"}]})
    values = source if isinstance(source, dict) else {}

    assert entry.directory is None
    assert entry.elsewhere == SuggestedSource(
        name="a", url=url, path=values.get("path", ""), ref=values.get("version", ""), description="d"
    )


@pytest.mark.parametrize(
    "source",
    [
        {"source": "npm", "package": "../x"},
        {"source": "npm", "package": "x", "registry": "file:///x"},
        {"source": "github", "repo": "../x"},
        {"url": "javascript:x"},
        {},
    ],
)
def test_an_entry_that_names_no_repository_suggests_nothing(source: dict[str, str]) -> None:
    (entry,) = read_marketplace({"plugins": [{"name": "a", "source": source}]})

    assert (entry.directory, entry.elsewhere) == (None, None)


@pytest.mark.parametrize(
    "values", [{}, {"plugins": None}, {"plugins": {}}, {"plugins": [1, {}, {"name": ""}]}]
)
def test_a_marketplace_without_usable_plugins_lists_none(values: dict[str, Any]) -> None:
    assert read_marketplace(values) == ()


@pytest.mark.parametrize(
    ("values", "events"),
    [
        ({"hooks": {"Stop": HANDLED, "PreToolUse": HANDLED}}, ("PreToolUse", "Stop")),
        ({"Stop": HANDLED}, ("Stop",)),
        ({"hooks": {"Stop": []}}, ()),
        ({"hooks": {"Stop": [{"hooks": []}]}}, ()),
        ({"hooks": {"sessionStart": [{"command": "x"}]}, "version": 1}, ()),
        ({"hooks": []}, ()),
        ({}, ()),
    ],
)
def test_an_event_counts_when_something_handles_it(values: dict[str, Any], events: tuple[str, ...]) -> None:
    assert hook_events(values) == events


def test_commands_of_hooks_are_read_with_their_arguments_each_once() -> None:
    handlers = [
        {"type": "command", "command": "run", "args": ["a b", 7]},
        {"type": "command", "command": "run"},
        {"type": "prompt", "prompt": "say"},
        "nonsense",
    ]

    commands = hook_commands({"hooks": {"Stop": [{"hooks": handlers}, {"hooks": 7}, None], "lower": HANDLED}})

    assert commands == ("run", "'a b'")


def test_settings_have_hooks_only_below_their_key() -> None:
    assert hook_events({"Stop": HANDLED}, wrapped=True) == ()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"mcpServers": {"b": {"command": "x"}, "a": {"type": "http", "url": "https://x"}}}, ("a", "b")),
        ({"a": {"command": "x"}, "$schema": "https://x"}, ("a",)),
        ({"mcpServers": {}}, ()),
        ({"mcpServers": {"a": {}}}, ()),
        ({"name": "time-mcp", "version": "1"}, ()),
        ({}, ()),
    ],
)
def test_servers_are_found_with_and_without_their_wrapper(
    values: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert server_names(values) == names


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"name": "io.example/weather", "packages": [{}]}, "io.example/weather"),
        ({"name": "weather", "packages": [{}]}, ""),
        ({"name": "a/b", "port": 80}, ""),
    ],
)
def test_a_registry_file_names_its_server(values: dict[str, Any], name: str) -> None:
    assert registry_name(values) == name


@given(st.dictionaries(KEYS | st.text(max_size=5), JSON, max_size=6))
def test_no_object_makes_reading_fail(values: dict[str, Any]) -> None:
    manifest = read_plugin(values)
    read_marketplace(values)
    read_marketplace({"plugins": [values], "metadata": values})
    hook_events(values)
    hook_commands(values)
    server_names(values)
    registry_name(values)

    assert not any(".." in path.split("/") or path.startswith("/") for path in manifest.skills)
