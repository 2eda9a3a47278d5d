"""Where artifacts land, what their configurations add, and what is made safe, left out, or a conflict."""

import hashlib
import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from deployment_sets.deployable import DeployableArtifact, DeployableFile, Member
from deployment_sets.layout import Layout, lay_out
from deployment_sets.names import folded, path_fault, safe_name
from marketplace.detection.vocabulary import ArtifactType as T
from marketplace.manifest import ContentKind

STORE: dict[str, bytes] = {}


def file(path: str, content: str | dict[str, Any] = "x", kind: str = "file") -> DeployableFile:
    data = (content if isinstance(content, str) else json.dumps(content)).encode()
    digest = hashlib.sha256(data).hexdigest()
    STORE[digest] = data
    mode = "100755" if kind == "executable" else "100644"
    plain = kind not in {"symlink", "submodule"}
    return DeployableFile(
        path=path, kind=ContentKind(kind), mode=mode, size=len(data), digest=digest if plain else None
    )


def artifact(number: int, type_: T, name: str, *files: DeployableFile, **values: Any) -> DeployableArtifact:
    return DeployableArtifact(uuid=UUID(int=number), type=type_, name=name, files=files, **values)


def layout(*artifacts: DeployableArtifact) -> Layout:
    return lay_out(artifacts, read=STORE.__getitem__)


def paths(found: Layout) -> list[str]:
    return [target.path for target in found.files]


def merged(found: Layout) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for merge in found.merges:
        values.setdefault(".".join(merge.entry.keys), []).append(json.loads(merge.entry.value))
    return values


def handled(command: str, **more: Any) -> dict[str, Any]:
    return {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": command, **more}]}]}}


def command_of(found: Layout) -> str:
    command: str = merged(found)["hooks.Stop"][0]["hooks"][0]["command"]
    return command


def test_each_type_lands_where_claude_code_reads_it() -> None:
    found = layout(
        artifact(1, T.SKILL, "pdf", file("SKILL.md"), file("scripts/run.sh", kind="executable")),
        artifact(2, T.COMMAND, "review", file("review.md", kind="executable"), namespace="git/pr"),
        artifact(3, T.AGENT, "helper", file("some-file.md")),
        artifact(4, T.PLUGIN, "tools", file(".claude-plugin/plugin.json"), file("commands/a.md")),
    )

    assert paths(found) == [
        ".claude/agents/helper.md",
        ".claude/commands/git/pr/review.md",
        ".claude/skills/pdf/SKILL.md",
        ".claude/skills/pdf/scripts/run.sh",
        ".claude/skills/tools/.claude-plugin/plugin.json",
        ".claude/skills/tools/commands/a.md",
    ]
    assert [target.mode for target in found.files if target.mode != 0o644] == [0o755]
    assert (found.conflicts, found.remarks, found.unusable) == ((), (), {})


def test_a_plugin_makes_room_for_a_skill_of_its_name() -> None:
    plugin = artifact(1, T.PLUGIN, "PDF", file(".claude-plugin/plugin.json"))
    found = layout(plugin, artifact(2, T.SKILL, "pdf", file("SKILL.md")))

    assert paths(found) == [
        ".claude/skills/PDF-plugin/.claude-plugin/plugin.json",
        ".claude/skills/pdf/SKILL.md",
    ]
    assert found.conflicts == ()


def test_a_member_of_a_plugin_comes_with_it() -> None:
    plugin = artifact(
        1,
        T.PLUGIN,
        "p",
        file(".claude-plugin/plugin.json"),
        repository="r",
        members=(Member(type=T.SKILL, locator="p/skills/a"),),
    )
    inside = artifact(2, T.SKILL, "a", file("SKILL.md"), repository="r", locator="p/skills/a")
    elsewhere = artifact(3, T.SKILL, "b", file("SKILL.md"), repository="other", locator="p/skills/a")

    found = layout(inside, elsewhere, plugin)
    assert found.satisfied == {inside.uuid: plugin.uuid}
    assert ".claude/skills/a/SKILL.md" not in paths(found)
    assert ".claude/skills/b/SKILL.md" in paths(found)


@pytest.mark.parametrize(
    ("command", "rewritten"),
    [
        ("${CLAUDE_PLUGIN_ROOT}/hooks/a.sh x", '"${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/hooks/a.sh x'),
        ('"${CLAUDE_PLUGIN_ROOT}/hooks/a.sh"', '"${CLAUDE_PROJECT_DIR}/.claude/hooks/p/hooks/a.sh"'),
        ('"$CLAUDE_PLUGIN_ROOT"/hooks/a.sh', '"${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/hooks/a.sh'),
        ("node ${CLAUDE_PLUGIN_ROOT:-.}/x.js", 'node "${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/x.js'),
        (
            "a hooks/a.sh;./hooks/a.sh",
            'a "${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/hooks/a.sh;"${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/hooks/a.sh',
        ),
        ("bash -c 'hooks/a.sh x'", "bash -c '${CLAUDE_PROJECT_DIR}/.claude/hooks/p/hooks/a.sh x'"),
        (
            "bash other/hooks/a.sh ~/hooks/a.sh hooks/a.sh.bak",
            "bash other/hooks/a.sh ~/hooks/a.sh hooks/a.sh.bak",
        ),
        ("echo $CLAUDE_PLUGIN_ROOTS", "echo $CLAUDE_PLUGIN_ROOTS"),
    ],
)
def test_a_plugins_hook_finds_its_scripts_in_the_project(command: str, rewritten: str) -> None:
    found = layout(
        artifact(
            1,
            T.HOOK,
            "p",
            file("hooks/hooks.json", handled(command)),
            file("hooks/a.sh", kind="executable"),
            file("hooks/a.sh.md"),
            locator="plugins/p/hooks/hooks.json",
        )
    )

    assert paths(found) == [".claude/hooks/p/hooks/a.sh", ".claude/hooks/p/hooks/a.sh.md"]
    assert command_of(found) == rewritten


@pytest.mark.parametrize(
    ("command", "rewritten"),
    [
        ('"$CLAUDE_PROJECT_DIR"/.claude/hooks/a.sh', '"${CLAUDE_PROJECT_DIR}"/.claude/hooks/proj/a.sh'),
        ("python3 .claude/hooks/a.sh", 'python3 "${CLAUDE_PROJECT_DIR}"/.claude/hooks/proj/a.sh'),
        ("cd $CLAUDE_PROJECT_DIR && make", "cd $CLAUDE_PROJECT_DIR && make"),
    ],
)
def test_a_projects_hook_has_its_scripts_below_its_name(command: str, rewritten: str) -> None:
    hook = artifact(
        1,
        T.HOOK,
        "proj",
        file(".claude/settings.json", handled(command)),
        file(".claude/hooks/a.sh"),
        locator="sub/.claude/settings.json",
    )
    found = layout(hook)

    assert paths(found) == [".claude/hooks/proj/a.sh"]
    assert command_of(found) == rewritten


def test_handlers_without_a_shell_get_no_quotes() -> None:
    config = handled("${CLAUDE_PLUGIN_ROOT}/a", args=["${CLAUDE_PLUGIN_ROOT}/a.js", 3])
    found = layout(artifact(1, T.HOOK, "p", file("hooks.json", config)))
    handler = merged(found)["hooks.Stop"][0]["hooks"][0]
    assert handler["args"] == ["${CLAUDE_PROJECT_DIR}/.claude/hooks/p/a.js", 3]
    assert '"' not in handler["command"]


def test_hooks_inline_in_manifests() -> None:
    plugin = {"name": "p", "hooks": handled("scripts/a.sh")}
    one = artifact(
        1,
        T.HOOK,
        "p",
        file(".claude-plugin/plugin.json", plugin),
        file("scripts/a.sh"),
        locator="x/.claude-plugin/plugin.json#p",
    )
    market = {
        "name": "m",
        "plugins": [
            {
                "name": "q",
                "source": "./plugins/q",
                "hooks": handled("${CLAUDE_PLUGIN_ROOT}/b.sh; c/d.sh")["hooks"],
            }
        ],
    }
    two = artifact(
        2,
        T.HOOK,
        "q",
        file(".claude-plugin/marketplace.json", market),
        file("plugins/q/b.sh"),
        file("plugins/q/c/d.sh"),
        locator=".claude-plugin/marketplace.json#q",
    )

    assert command_of(layout(one)) == '"${CLAUDE_PROJECT_DIR}"/.claude/hooks/p/scripts/a.sh'
    home = '"${CLAUDE_PROJECT_DIR}"/.claude/hooks/q/plugins/q'
    assert command_of(layout(two)) == f"{home}/b.sh; {home}/c/d.sh"


def test_servers_wrapped_bare_and_inline() -> None:
    servers = {"a": {"command": "x"}, "b": {"type": "http", "url": "https://example.org"}}
    for number, (name, content) in enumerate(
        [
            (".mcp.json", {"mcpServers": servers}),
            (".mcp.json", servers),
            ("plugin.json", {"name": "p", "mcpServers": servers}),
        ]
    ):
        found = layout(artifact(number, T.MCP_SERVER, "s", file(name, content), locator=f"d/{name}"))
        assert merged(found) == {"mcpServers.a": [servers["a"]], "mcpServers.b": [servers["b"]]}


def test_needs_are_the_variables_that_somebody_has_to_set() -> None:
    server = {
        "command": "x",
        "args": ["${REGION:-eu}", "${HOST}"],
        "env": {"KEY": "<your key>", "MODE": "fast", "T": "${TOKEN}"},
    }
    command = 'X=1; echo $X $SLACK_HOOK "$HOME" ${CLAUDE_PROJECT_DIR} $tmp ${A:-b}'
    found = layout(
        artifact(1, T.MCP_SERVER, "s", file(".mcp.json", {"s": server})),
        artifact(2, T.HOOK, "h", file("hooks.json", handled(command))),
    )
    assert found.needs == ("HOST", "KEY", "SLACK_HOOK", "TOKEN")


def test_a_server_that_needs_its_plugin_is_remarked() -> None:
    server = {"s": {"command": "node", "args": ["${CLAUDE_PLUGIN_ROOT}/index.js"]}}
    assert (
        "deploy the plugin"
        in layout(artifact(1, T.MCP_SERVER, "s", file(".mcp.json", server))).remarks[0].reason
    )


def test_what_is_not_a_plain_file_is_left_out_and_named() -> None:
    found = layout(
        artifact(
            1,
            T.SKILL,
            "s",
            file("SKILL.md"),
            file("link", kind="symlink"),
            file("sub", kind="submodule"),
            file("big.bin", kind="lfs"),
            file("../x"),
            file(".git/config"),
            file("a/con.txt"),
            file("a\u202eb"),
            file("skill.MD"),
            file("SKILL.md/x"),
            file("n" * 250),
        )
    )

    assert paths(found) == [".claude/skills/s/SKILL.md"]
    assert len(found.remarks) == 10


@pytest.mark.parametrize("content", ["no json", "[]", {}, {"hooks": {}}, '{"a": 1e999}'])
def test_an_artifact_that_cannot_be_used_does_not_stop_the_others(content: Any) -> None:
    broken = artifact(1, T.HOOK, "h", file("hooks.json", content))
    missing = artifact(2, T.MCP_SERVER, "m", file(".mcp.json", kind="symlink"))
    found = layout(broken, missing, artifact(3, T.AGENT, "a", file("a.md")))

    assert set(found.unusable) == {broken.uuid, missing.uuid}
    assert paths(found) == [".claude/agents/a.md"]
    assert found.merges == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (artifact(1, T.SKILL, "pdf", file("SKILL.md")), artifact(2, T.SKILL, "PDF", file("x"))),
        (artifact(1, T.SKILL, "a b", file("SKILL.md")), artifact(2, T.SKILL, "a/b", file("SKILL.md"))),
        (artifact(1, T.AGENT, "é", file("x.md")), artifact(2, T.AGENT, "e\u0301", file("y.md"))),
        (
            artifact(1, T.COMMAND, "n", file("n.md")),
            artifact(2, T.COMMAND, "c", file("c.md"), namespace="n.md"),
        ),
        (
            artifact(1, T.MCP_SERVER, "s", file(".mcp.json", {"db": {"command": "a"}})),
            artifact(2, T.MCP_SERVER, "t", file(".mcp.json", {"db": {"command": "b"}})),
        ),
    ],
)
def test_two_artifacts_on_one_path_are_a_conflict(one: DeployableArtifact, other: DeployableArtifact) -> None:
    assert [conflict.owners for conflict in layout(one, other).conflicts] == [(one.uuid, other.uuid)]
    assert len(layout(other, one).conflicts) == 1


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("pdf", "pdf"),
        ("..", "unnamed"),
        ("a/../b", "a-..-b"),
        (".git", "git"),
        ("con", "con_"),
        ("NUL.txt", "NUL_txt"),
        ("a\u202eb", "a-b"),
        ("x. ", "x"),
        ("日本", "日本"),
        ("a:b|c", "a-b-c"),
        ("-rf", "rf"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_a_safe_name_is_one_component_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert path_fault(safe) == "" and "/" not in safe and len(safe.encode()) <= 100  # noqa: PT018
    assert safe_name(safe) == safe


ANY_FILE = st.builds(
    file, st.text("aB./\\\0:é", min_size=1, max_size=12), st.just("{}"), st.sampled_from(list(ContentKind))
)
ANY = st.lists(
    st.tuples(
        st.sampled_from(list(T)),
        st.text(max_size=5),
        st.text("a/.", max_size=4),
        st.lists(ANY_FILE, max_size=4),
    ),
    max_size=4,
)


@given(ANY)
def test_nothing_lands_outside_or_twice(rows: list[tuple[T, str, str, list[DeployableFile]]]) -> None:
    artifacts = [
        artifact(number, type_, name, *files, namespace=namespace)
        for number, (type_, name, namespace, files) in enumerate(rows)
    ]
    found = layout(*artifacts)

    assert found == lay_out(artifacts, read=STORE.__getitem__)
    for path in paths(found):
        assert path.startswith(".claude/")
        assert path_fault(path) == ""
    if not found.conflicts:
        assert len({folded(path) for path in paths(found)}) == len(found.files)


def test_order_of_files_does_not_matter() -> None:
    files = [file("SKILL.md"), file("b"), file("a/c")]
    assert (
        layout(artifact(1, T.SKILL, "s", *files)).files
        == layout(artifact(1, T.SKILL, "s", *files[::-1])).files
    )


def test_a_server_of_the_registry_is_written_as_claude_code_reads_it() -> None:
    package = {
        "registryType": "npm",
        "identifier": "@x/db",
        "version": "1.2.3",
        "environmentVariables": [{"name": "KEY"}],
    }
    about = {"name": "io.example/db", "repository": {"url": "https://example.org"}}
    found = layout(artifact(1, T.MCP_SERVER, "db", file("server.json", {**about, "packages": [package]})))
    assert merged(found) == {
        "mcpServers.db": [{"command": "npx", "args": ["-y", "@x/db@1.2.3"], "env": {"KEY": "${KEY}"}}]
    }
    assert found.needs == ("KEY",)
    remote = {"type": "streamable-http", "url": "https://example.org/mcp"}
    found = layout(artifact(1, T.MCP_SERVER, "db", file("server.json", {**about, "remotes": [remote]})))
    assert merged(found) == {"mcpServers.db": [{"type": "http", "url": "https://example.org/mcp"}]}
    docker = {"registryType": "oci", "identifier": "x"}
    assert layout(
        artifact(1, T.MCP_SERVER, "db", file("server.json", {**about, "packages": [docker]}))
    ).unusable
