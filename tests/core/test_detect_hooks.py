"""Hooks with the scripts that their commands call, and where these count from."""

import json
import time
from typing import Any

import pytest

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings
from marketplace.detection.scripts import PLUGIN_ROOT, PROJECT_DIR, called_paths
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import Tree, TreeFile
from tests.detecting import PLUGIN, SERVERS, SKILL, found, marketplace, scan, scan_tree, tree_of


def hooks(*commands: str, **more: Any) -> str:
    handlers = [{"type": "command", "command": command, **more} for command in commands]
    return json.dumps({"hooks": {"Stop": [{"hooks": handlers}]}})


def hook(files: dict[str, str]) -> DetectedArtifact:
    (artifact,) = (a for a in scan(files).artifacts if a.type is ArtifactType.HOOK)
    return artifact


def paths(artifact: DetectedArtifact) -> list[str]:
    return [file.path for file in artifact.files]


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("${CLAUDE_PLUGIN_ROOT}/scripts/run.sh", "scripts/run.sh"),
        ("$CLAUDE_PLUGIN_ROOT/scripts/run.sh", "scripts/run.sh"),
        ('bash "${CLAUDE_PLUGIN_ROOT:-.}/scripts/run.sh"', "scripts/run.sh"),
        ("python3 ${CLAUDE_PLUGIN_ROOT}/scripts/y.py --flag", "scripts/y.py"),
        ('node "${CLAUDE_PLUGIN_ROOT}/dist/b.js"', "dist/b.js"),
        ('"${CLAUDE_PLUGIN_ROOT}"/scripts/run.sh', "scripts/run.sh"),
        ("'${CLAUDE_PLUGIN_ROOT}/my scripts/a b.sh' x", "my scripts/a b.sh"),
        ("bash ./scripts/run.sh", "scripts/run.sh"),
        ("scripts/run.sh", "scripts/run.sh"),
        ("./run.sh", "run.sh"),
        ("cd /tmp && X=1 ${CLAUDE_PLUGIN_ROOT}/scripts/run.sh; true", "scripts/run.sh"),
        ("bash -c \"exec '${CLAUDE_PLUGIN_ROOT}/scripts/run.sh' x\"", "scripts/run.sh"),
        ('R="${CLAUDE_PLUGIN_ROOT}"; node "$R/dist/b.js"', "dist/b.js"),
    ],
)
def test_a_called_script_belongs_to_the_plugins_hook(command: str, script: str) -> None:
    files = {
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/hooks.json": hooks(command),
        f"p/{script}": "x",
        "p/other/z.sh": "z",
    }

    artifact = hook(files)

    assert paths(artifact) == sorted(["p/hooks/hooks.json", f"p/{script}"])
    assert (artifact.directory, artifact.parent_locator) == ("p", "p")


@pytest.mark.parametrize(
    "command",
    [
        '"$CLAUDE_PROJECT_DIR"/.claude/tools/x.py',
        "uv run $CLAUDE_PROJECT_DIR/.claude/tools/x.py --flag",
        "${CLAUDE_PROJECT_DIR}/.claude/tools/x.py",
        ".claude/tools/x.py",
        "python ~/.claude/tools/x.py",
        "python $HOME/.claude/tools/x.py",
    ],
)
@pytest.mark.parametrize("project", ["", "app"])
def test_a_called_script_belongs_to_the_projects_hook(project: str, command: str) -> None:
    root = f"{project}/" if project else ""
    files = {f"{root}.claude/settings.json": hooks(command), f"{root}.claude/tools/x.py": "x"}

    artifact = hook(files)

    assert paths(artifact) == [f"{root}.claude/settings.json", f"{root}.claude/tools/x.py"]
    assert artifact.directory == project


@pytest.mark.parametrize(
    "command",
    [
        "${CLAUDE_PLUGIN_ROOT}/../outside.sh",
        "../outside.sh",
        "${CLAUDE_PLUGIN_ROOT}/a/../../outside.sh",
        "/outside.sh",
        "/p/inside.sh",
        "p/inside.sh",
        "${CLAUDE_PROJECT_DIR}/inside.sh",
        "${CLAUDE_PLUGIN_ROOT}/missing.sh",
        "${CLAUDE_PLUGIN_ROOT}/linked.sh",
        "${CLAUDE_PLUGIN_ROOT}\\inside.sh",
        "curl https://example.org/inside.sh",
        "cat inside.sh",
        "${CLAUDE_PLUGIN_ROOT}/",
        "",
    ],
)
def test_what_is_not_below_the_plugin_or_no_regular_file_is_left_out(command: str) -> None:
    files = {
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/hooks.json": hooks(command),
        "p/inside.sh": "x",
        "outside.sh": "x",
    }
    link = TreeFile(path="p/linked.sh", mode="120000", sha="0" * 40, size=3)
    tree = Tree(files=(*tree_of(files).files, link))

    (artifact, _) = scan_tree(tree, files, DetectionSettings()).artifacts

    assert paths(artifact) == ["p/hooks/hooks.json"]


def test_arguments_of_a_command_are_looked_at_too() -> None:
    files = {
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/hooks.json": hooks("node", args=["${CLAUDE_PLUGIN_ROOT}/a b.js", 7, None]),
        "p/a b.js": "x",
    }

    assert paths(hook(files)) == ["p/a b.js", "p/hooks/hooks.json"]


def test_a_script_in_the_hooks_own_folder_brings_its_neighbours() -> None:
    files = {
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/hooks.json": hooks("python ${CLAUDE_PLUGIN_ROOT}/hooks/a.py"),
        "p/hooks/a.py": "import lib.b",
        "p/hooks/lib/b.py": "",
        "p/scripts/c.py": "",
    }

    assert paths(hook(files)) == ["p/hooks/a.py", "p/hooks/hooks.json", "p/hooks/lib/b.py"]


@pytest.mark.parametrize(
    "command", ['cd "$CLAUDE_PROJECT_DIR/.claude/hooks" && npx tsx a.ts', ".claude/hooks/a.ts"]
)
def test_a_projects_folder_of_hooks_is_taken_as_a_whole(command: str) -> None:
    files = {
        ".claude/settings.json": hooks(command),
        ".claude/hooks/a.ts": "",
        ".claude/hooks/b.ts": "",
        "hooks/useThing.ts": "",
    }

    assert paths(hook(files)) == [".claude/hooks/a.ts", ".claude/hooks/b.ts", ".claude/settings.json"]


def test_a_folder_of_hooks_of_which_nothing_is_called_is_not_taken() -> None:
    files = {".claude/settings.json": hooks("npx prettier ."), ".claude/hooks/a.ts": ""}

    assert paths(hook(files)) == [".claude/settings.json"]


def test_of_a_huge_folder_of_hooks_only_what_is_beside_the_script_is_taken() -> None:
    files = {f".claude/hooks/node_modules/m{n}/x.js": "" for n in range(300)} | {
        ".claude/settings.json": hooks(".claude/hooks/a.js"),
        ".claude/hooks/a.js": "",
        ".claude/hooks/b.js": "",
    }

    assert paths(hook(files)) == [".claude/hooks/a.js", ".claude/hooks/b.js", ".claude/settings.json"]


def test_a_hook_has_a_hundred_scripts_at_most() -> None:
    files = {f"s/{n}.sh": "" for n in range(150)}
    files[".claude/settings.json"] = hooks(*files)

    assert len(paths(hook(files))) == 101


def test_a_changed_script_changes_the_digest_and_another_place_does_not() -> None:
    def digest(plugin: str, script: str) -> str:
        return hook(
            {
                f"{plugin}/.claude-plugin/plugin.json": PLUGIN,
                f"{plugin}/hooks/hooks.json": hooks("${CLAUDE_PLUGIN_ROOT}/run.sh"),
                f"{plugin}/run.sh": script,
            }
        ).content_digest

    assert digest("p", "x") == digest("q/r", "x")
    assert digest("p", "x") != digest("p", "y")


def test_a_script_of_a_skill_can_be_a_hooks_too() -> None:
    files = {
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/hooks.json": hooks("${CLAUDE_PLUGIN_ROOT}/skills/x/run.sh"),
        "p/skills/x/SKILL.md": SKILL,
        "p/skills/x/run.sh": "x",
    }

    (skill,) = (a for a in scan(files).artifacts if a.type is ArtifactType.SKILL)

    assert paths(skill) == ["p/skills/x/SKILL.md", "p/skills/x/run.sh"]
    assert paths(hook(files)) == ["p/hooks/hooks.json", "p/skills/x/run.sh"]


def test_inline_hooks_count_from_the_plugin() -> None:
    manifest = json.dumps({"name": "p", **json.loads(hooks("${CLAUDE_PLUGIN_ROOT}/hooks/run.sh"))})

    artifact = hook({"p/.claude-plugin/plugin.json": manifest, "p/hooks/run.sh": "x", "hooks/run.sh": "y"})

    assert paths(artifact) == ["p/.claude-plugin/plugin.json", "p/hooks/run.sh"]
    assert artifact.directory == "p"


def test_hooks_that_a_marketplace_declares_lie_below_a_directory_around_both() -> None:
    inline = json.loads(hooks("${CLAUDE_PLUGIN_ROOT}/run.sh"))
    files = {
        ".claude-plugin/marketplace.json": marketplace({"name": "p", "source": "./plugins/p", **inline}),
        "plugins/p/run.sh": "x",
        "run.sh": "y",
    }

    artifact = hook(files)

    assert paths(artifact) == [".claude-plugin/marketplace.json", "plugins/p/run.sh"]
    assert (artifact.name, artifact.directory) == ("p", "")


def test_loose_hooks_are_named_after_what_holds_their_folder() -> None:
    artifact = hook({"kit/hooks/hooks.json": hooks("./scripts/x.sh"), "kit/scripts/x.sh": "x"})

    assert (artifact.name, artifact.directory, artifact.confidence) == ("kit", "kit", 75)
    assert paths(artifact) == ["kit/hooks/hooks.json", "kit/scripts/x.sh"]


def test_collections_of_hooks_and_servers_to_copy_from_are_listed_weakly() -> None:
    files = {
        "components/hooks/git/guard.json": hooks("true"),
        "components/mcps/time.json": SERVERS,
        "components/mcps/package.json": json.dumps({"name": "x"}),
        "components/mcps/bare.json": json.dumps({"time": {"command": "x"}}),
        "components/hooks/tsconfig.json": "{}",
        "p/.claude-plugin/plugin.json": PLUGIN,
        "p/hooks/for-another-harness.json": hooks("true"),
        ".claude/hooks/config.json": hooks("true"),
    }

    assert found(files) == {
        ("hook", "components/hooks/git/guard.json"): 45,
        ("mcp_server", "components/mcps/time.json"): 45,
        ("plugin", "p"): 90,
    }


@pytest.mark.parametrize("variable", [PLUGIN_ROOT, PROJECT_DIR])
def test_no_command_takes_long_or_leads_out(variable: str) -> None:
    parts = [
        "'",
        '"',
        "$",
        "${",
        f"${{{variable}",
        f"${{{variable}}}",
        "/..",
        "~/",
        "a/b ",
        "\0",
        "\\",
        "é\u202e",
    ]
    commands = [one * 3_000 for one in parts] + [(one + other) * 2_000 for one in parts for other in parts]
    start = time.perf_counter()

    called = called_paths(commands, variable=variable)

    assert time.perf_counter() - start < 5
    assert not any(path.startswith("/") or ".." in path.split("/") for path in called)
