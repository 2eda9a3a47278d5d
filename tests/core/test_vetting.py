"""Every rule finds what it is for, is silent on its near miss, and survives whatever anybody writes."""

import json
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings as fuzz, strategies as st

from marketplace.detection.artifacts import DetectedArtifact, DetectionSettings
from marketplace.detection.detect import survey
from marketplace.detection.index import TreeIndex
from marketplace.detection.vocabulary import ArtifactType
from marketplace.repository import Tree, TreeFile
from marketplace.vetting.findings import CODES, MAX_DETAIL, Finding, Severity, finding, ordered, quoted
from marketplace.vetting.vet import EVERY_TYPE, MAX_FINDINGS, RULES, vet
from tests.core.test_example import STARTER, walk

SHA = "0" * 40
LINK, SUBMODULE, RUN = "120000", "160000", "100755"


@dataclass(frozen=True, kw_only=True)
class Example:
    """One artifact by what is in its files; `around` is in the repository, but not the artifact's."""

    type: ArtifactType
    path: str
    files: Mapping[str, str]
    modes: Mapping[str, str] = field(default_factory=dict)
    around: Mapping[str, str] = field(default_factory=dict)
    parent: str | None = None
    key: str = ""
    name: str = "thing"
    description: str = ""
    frontmatter: Mapping[str, Any] = field(default_factory=dict)

    def findings(self, *, with_index: bool = True) -> tuple[Finding, ...]:
        own = self._tree(self.files)
        is_directory = self.type in {ArtifactType.SKILL, ArtifactType.PLUGIN}
        artifact = DetectedArtifact(
            type=self.type,
            locator=f"{self.path}#{self.key}" if self.key else self.path,
            path=self.path,
            name=self.name,
            confidence=100,
            signals=(),
            files=own.files,
            content_digest="",
            directory=self.path.removeprefix(".") if is_directory else self.path.rpartition("/")[0],
            description=self.description,
            parent_locator=self.parent,
            frontmatter=self.frontmatter,
        )
        index = TreeIndex(self._tree({**self.around, **self.files}))
        return vet(artifact, {**self.around, **self.files}, index=index if with_index else None)

    def codes(self) -> set[str]:
        return {found.code for found in self.findings()}

    def _tree(self, files: Mapping[str, str]) -> Tree:
        rows = (
            TreeFile(path=path, mode=self.modes.get(path, "100644"), sha=SHA, size=len(text))
            for path, text in sorted(files.items())
        )
        return Tree(files=tuple(rows))


FRONTMATTER = {"name": "x", "description": "Use it."}


def document(body: str = "Read.\n", **values: Any) -> str:
    lines = "".join(f"{key.replace('_', '-')}: {json.dumps(value)}\n" for key, value in values.items())
    return f"---\n{lines}---\n{body}"


def skill(body: str = "Read.\n", **values: Any) -> Example:
    text = document(body, **(FRONTMATTER | values))
    return Example(type=ArtifactType.SKILL, path="skills/x", files={"skills/x/SKILL.md": text})


def skill_with(files: Mapping[str, str], modes: Mapping[str, str] | None = None) -> Example:
    texts = {"skills/x/SKILL.md": document(**FRONTMATTER)} | {f"skills/x/{p}": t for p, t in files.items()}
    own = {f"skills/x/{path}": mode for path, mode in (modes or {}).items()}
    return Example(type=ArtifactType.SKILL, path="skills/x", files=texts, modes=own)


def skill_text(text: str, file: str = "SKILL.md") -> Example:
    return Example(type=ArtifactType.SKILL, path="skills/x", files={f"skills/x/{file}": text})


def agent(text: str) -> Example:
    return Example(type=ArtifactType.AGENT, path="agents/x.md", files={"agents/x.md": text})


def command(text: str) -> Example:
    return Example(type=ArtifactType.COMMAND, path="commands/x.md", files={"commands/x.md": text})


def plugin(values: Any, *files: str) -> Example:
    texts = dict.fromkeys((f"p/{file}" for file in files or ("commands/a.md",)), "")
    manifest = {"p/.claude-plugin/plugin.json": values if isinstance(values, str) else json.dumps(values)}
    return Example(type=ArtifactType.PLUGIN, path="p", files=manifest | texts)


def hook(
    values: Any, around: Mapping[str, str] | None = None, modes: Mapping[str, str] | None = None
) -> Example:
    text = values if isinstance(values, str) else json.dumps(values)
    return Example(
        type=ArtifactType.HOOK,
        path="p/hooks/hooks.json",
        files={"p/hooks/hooks.json": text},
        around=around or {},
        modes=modes or {},
        parent="p",
    )


def handlers(*values: Any, event: str = "Stop") -> dict[str, Any]:
    return {"hooks": {event: [{"hooks": list(values)}]}}


def runs(line: str, **extra: Any) -> dict[str, Any]:
    return handlers({"type": "command", "command": line} | extra)


def server(**values: Any) -> Example:
    text = json.dumps({"mcpServers": {"one": values}})
    return Example(type=ArtifactType.MCP_SERVER, path=".mcp.json", files={".mcp.json": text})


SCRIPT = {"p/run.sh": ""}
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
GOOD_PLUGIN = {"name": "p", "version": "1.0.0-rc.1", "author": {"name": "Ada"}}
KEY = "ghp_" + "a1B2c3D4" * 4
REMOTE = {"type": "http", "url": "https://example.com/mcp"}

# For each code one that breaks the rule, and one that nearly does.
EXAMPLES: dict[str, tuple[Example, Example]] = {
    "case_collision": (
        skill_with({"a.md": "", "A.md": ""}),
        skill_with({"a.md": "", "b/a.md": ""}),
    ),
    "invisible_characters": (skill("Read\u200b this.\n"), skill("\u0645\u06cc\u200c\u062e 👨‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿.\n")),
    "json_unreadable": (hook("[]"), hook(runs("true"))),
    "lfs_pointer": (skill_with({"big.md": LFS}), skill_with({"big.md": f"It starts with {LFS}"})),
    "submodule": (skill_with({"lib": ""}, {"lib": SUBMODULE}), skill_with({"lib": ""})),
    "symlink": (skill_with({"lib": ""}, {"lib": LINK}), skill_with({"lib": ""}, {"lib": RUN})),
    "windows_file_name": (skill_with({"aux.md": ""}), skill_with({"auxiliary.md": ""})),
    "wrong_type": (agent(document(**FRONTMATTER, model=["a"])), agent(document(**FRONTMATTER, tools=["A"]))),
    "description_missing": (agent(document(name="x")), agent(document(**FRONTMATTER))),
    "frontmatter_missing": (agent("# X\n"), command("# X\n")),
    "frontmatter_not_yaml": (
        agent("---\nname: x\ndescription: Use: it\n---\n"),
        agent("---\nname: x\ndescription: 'Use: it'\n---\n"),
    ),
    "frontmatter_unclosed": (agent("---\nname: x\ndescription: y\n"), agent("---\nname: x\n---\n")),
    "broken_link": (
        skill("See [a](references/y.md#top)."),
        skill("See [a](../z.md) [b](https://x.org/y.md) [c](#top) `[d](y.md)`\n```\n[e](y.md)\n```\n"),
    ),
    "compatibility_too_long": (skill(compatibility="x" * 501), skill(compatibility="x" * 500)),
    "skill_body_long": (skill("a\n" * 501), skill("a\n" * 500)),
    "skill_description_too_long": (skill(description="x" * 1_025), skill(description="x" * 1_024)),
    "skill_file_spelling": (skill_text(document(**FRONTMATTER), "skill.md"), skill()),
    "skill_name_differs": (skill(name="y"), skill(name="x")),
    "skill_name_invalid": (skill(name="a--b"), skill(name="a-2b")),
    "skill_name_missing": (skill_text(document(description="Use it.")), skill()),
    "skill_name_too_long": (skill(name="x" * 65), skill(name="x" * 64)),
    "unknown_key": (skill(version="1"), skill(metadata={"version": "1"}, user_invocable=False)),
    "agent_name_invalid": (agent(document(name="My Agent")), agent(document(name="my-agent-2"))),
    "agent_name_missing": (agent(document(description="y")), agent(document(name="y"))),
    "command_description_missing": (command("Do it.\n"), command(document(description="Does it."))),
    "plugin_empty": (plugin(GOOD_PLUGIN, "README.md"), plugin(GOOD_PLUGIN, ".lsp.json")),
    "plugin_manifest_absent": (
        Example(type=ArtifactType.PLUGIN, path="p", files={"p/commands/a.md": ""}),
        plugin(GOOD_PLUGIN),
    ),
    "plugin_name_invalid": (plugin({"name": "My Plugin"}), plugin({"name": "my-plugin"})),
    "plugin_name_missing": (plugin({"name": " "}), plugin({"name": "p"})),
    "plugin_path_missing": (
        plugin({"name": "p", "agents": "./extra/"}),
        plugin({"name": "p", "agents": ["./extra/"], "mcpServers": "https://x.org/a.mcpb"}, "extra/a.md"),
    ),
    "plugin_path_outside": (
        plugin({"name": "p", "hooks": "./../x.json"}),
        plugin({"name": "p", "hooks": {}}),
    ),
    "plugin_path_unprefixed": (
        plugin({"name": "p", "commands": {"a": {"source": "commands/a.md"}}}),
        plugin({"name": "p", "commands": {"a": {"source": "./commands/a.md"}}}),
    ),
    "plugin_version_invalid": (plugin({"name": "p", "version": "1.0"}), plugin(GOOD_PLUGIN)),
    "hook_entry_invalid": (hook(handlers({"type": "command"})), hook(handlers({"type": "http", "url": "x"}))),
    "hook_event_unknown": (hook(handlers(event="OnStop")), hook(handlers(event="TeammateIdle"))),
    "hook_events_missing": (hook({"hooks": {}}), hook({"Stop": []})),
    "hook_script_missing": (
        hook(runs("python3 '${CLAUDE_PLUGIN_ROOT}/my hooks/run.py' --fast")),
        hook(runs('"${CLAUDE_PLUGIN_ROOT}"/run.sh; cat "$CLAUDE_PROJECT_DIR"/a.py'), SCRIPT),
    ),
    "hook_script_not_executable": (
        hook(runs("A=1 ${CLAUDE_PLUGIN_ROOT}/run.sh"), SCRIPT),
        hook(runs("bash ${CLAUDE_PLUGIN_ROOT}/run.sh"), SCRIPT),
    ),
    "hook_timeout_invalid": (hook(runs("true", timeout="30")), hook(runs("true", timeout=0.5))),
    "hook_type_unknown": (
        hook(handlers({"type": "shell"})),
        hook(handlers({"type": "agent", "prompt": "x"})),
    ),
    "literal_secret": (
        server(command="a", env={"TOKEN": "k3J9x0Qw7Zp2Lm5N"}),
        server(command="a", env={"TOKEN": "${TOKEN}", "API_KEY": "your-api-key-goes-h3re", "KEY_NAME": "a"}),
    ),
    "mcp_server_incomplete": (server(args=["a"]), server(command="a")),
    "mcp_transport_missing": (server(url="https://x.org"), server(**REMOTE)),
    "mcp_transport_unknown": (server(type="carrier-pigeon", url="https://x.org"), server(**REMOTE)),
    "mcp_url_insecure": (
        server(type="http", url="http://x.org/mcp"),
        server(type="http", url="http://localhost:8080/mcp"),
    ),
}


def test_every_code_has_an_example_and_a_sentence() -> None:
    assert EXAMPLES.keys() == CODES.keys()
    assert all(
        code.replace("_", "").isalpha() and code.islower() and text.endswith(".")
        for code, (_, text) in CODES.items()
    )
    assert {severity for severity, _ in CODES.values()} == set(Severity)


@pytest.mark.parametrize("code", EXAMPLES)
def test_is_found(code: str) -> None:
    (found, *_) = [found for found in EXAMPLES[code][0].findings() if found.code == code]

    assert found.severity is CODES[code][0]
    assert 0 < len(found.detail) <= MAX_DETAIL
    assert found.detail.endswith(".")


@pytest.mark.parametrize("code", EXAMPLES)
def test_is_not_found_on_a_near_miss(code: str) -> None:
    assert code not in EXAMPLES[code][1].codes()


def test_the_starter_repository_breaks_no_rule() -> None:
    tree, texts = walk(STARTER)
    seen = survey(tree, texts, DetectionSettings())

    assert [
        (artifact.locator, found)
        for artifact in seen.detect().artifacts
        for found in vet(artifact, texts, index=seen.index)
    ] == []


def test_every_type_has_rules() -> None:
    assert RULES.keys() == set(ArtifactType)


@pytest.mark.parametrize("example", [example for pair in EXAMPLES.values() for example in pair])
def test_an_unknown_text_is_nobodys_fault(example: Example) -> None:
    """What is found without texts is said about names and modes in the tree, or about what is not there."""
    about_tree = {"symlink", "submodule", "windows_file_name", "case_collision", "skill_file_spelling"}
    artifact = DetectedArtifact(
        type=example.type,
        locator=example.path,
        path=example.path,
        name="x",
        confidence=100,
        signals=(),
        files=example._tree(example.files).files,
        content_digest="",
        directory=example.path if example.type in {"skill", "plugin"} else "",
    )

    assert {found.code for found in vet(artifact, {})} <= about_tree | {
        "plugin_manifest_absent",
        "plugin_empty",
    }


def test_without_the_index_nothing_is_said_about_files_elsewhere() -> None:
    example = hook(runs("${CLAUDE_PLUGIN_ROOT}/gone.sh"))

    assert {found.code for found in example.findings()} == {"hook_script_missing"}
    assert example.findings(with_index=False) == ()


def test_a_skill_and_a_plugin_know_their_own_files_without_the_index() -> None:
    broken = EXAMPLES["broken_link"][0].findings(with_index=False)
    missing = EXAMPLES["plugin_path_missing"][0].findings(with_index=False)

    assert {found.code for found in broken} == {"broken_link"}
    assert {found.code for found in missing} == {"plugin_path_missing"}


def test_what_lies_behind_a_link_may_exist() -> None:
    example = skill_with({"SKILL.md": document("[a](lib/y.md)", **FRONTMATTER), "lib": ""}, {"lib": LINK})

    assert example.codes() == {"symlink"}


def test_a_link_to_a_directory_is_whole() -> None:
    text = document("[a](references/) [b](references/a%20b.md)", **FRONTMATTER)

    assert skill_with({"SKILL.md": text, "references/a b.md": ""}).codes() == set()


def test_examples_of_markdown_with_fences_inside_are_not_judged() -> None:
    assert skill("```markdown\n```sql\nx\n```\n[a](gone.md)\n```\n").codes() == set()


def test_a_skill_at_the_root_has_no_directory_to_be_named_after() -> None:
    files = {"SKILL.md": document("[a](skills/y/SKILL.md)", **FRONTMATTER)}
    example = Example(type=ArtifactType.SKILL, path=".", files=files)

    assert example.findings(with_index=False) == ()


@pytest.mark.parametrize(
    "line",
    [
        '[ -f "${CLAUDE_PLUGIN_ROOT}/gone.sh" ] && "${CLAUDE_PLUGIN_ROOT}/gone.sh"',
        'echo done >> "${CLAUDE_PLUGIN_ROOT}/log.sh"',
        "${CLAUDE_PLUGIN_ROOT}/$(uname).sh",
        "cd ${CLAUDE_PLUGIN_ROOT} && make",
        "cat ${CLAUDE_PLUGIN_ROOT}/notes.txt",
        "$CLAUDE_PROJECT_DIR/gone.sh",
        'bash -c "${CLAUDE_PLUGIN_ROOT}/gone.sh now',
    ],
)
def test_what_a_shell_decides_is_not_judged(line: str) -> None:
    assert hook(runs(line)).codes() == set()


@pytest.mark.parametrize(
    "line",
    [
        "${CLAUDE_PLUGIN_ROOT}/gone",
        '"${CLAUDE_PLUGIN_ROOT}"/./gone.sh',
        "true && ${CLAUDE_PLUGIN_ROOT}/gone.sh arg",
        "node ${CLAUDE_PLUGIN_ROOT}/gone.mjs",
        'bash "${CLAUDE_PLUGIN_ROOT:-.}/hooks/gone.sh"',
        "uv run --script '${CLAUDE_PLUGIN_ROOT}/gone.py'",
    ],
)
def test_a_script_is_found_however_it_is_called(line: str) -> None:
    assert hook(runs(line)).codes() == {"hook_script_missing"}


def test_arguments_of_a_hook_name_scripts_too() -> None:
    assert hook(runs("node", args=["${CLAUDE_PLUGIN_ROOT}/gone.js"])).codes() == {"hook_script_missing"}


def test_a_projects_scripts_are_looked_for_in_the_project() -> None:
    path = "app/.claude/settings.json"
    text = json.dumps(runs('"$CLAUDE_PROJECT_DIR"/.claude/hooks/a.sh && $CLAUDE_PROJECT_DIR/b.sh'))
    around = {"app/.claude/hooks/a.sh": ""}
    example = Example(type=ArtifactType.HOOK, path=path, files={path: text}, around=around)

    assert [found.detail for found in example.findings()] == [
        "app/b.sh is called, but does not exist.",
        "app/.claude/hooks/a.sh is called directly, but not executable.",
    ]


def test_an_executable_script_may_be_called() -> None:
    assert hook(runs("${CLAUDE_PLUGIN_ROOT}/run.sh"), SCRIPT, {"p/run.sh": RUN}).codes() == set()


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("plugin.json", {"name": "p", "hooks": handlers({"type": "command"})["hooks"]}),
        ("plugin.json", {"name": "p", "hooks": ["./a.json", handlers({"type": "command"})]}),
        (
            "marketplace.json",
            {"plugins": [3, {"name": "p", "hooks": handlers({"type": "command"})["hooks"]}]},
        ),
    ],
)
def test_inline_hooks_are_judged_where_they_stand(file: str, values: Any) -> None:
    path = f".claude-plugin/{file}"
    files = {path: json.dumps(values)}
    example = Example(type=ArtifactType.HOOK, path=path, key="p", files=files, parent=".")

    assert example.codes() == {"hook_entry_invalid"}


def test_an_inline_declaration_that_is_not_found_is_not_judged() -> None:
    files = {".claude-plugin/marketplace.json": json.dumps({"plugins": [{"name": "other"}]})}
    example = Example(type=ArtifactType.HOOK, path=next(iter(files)), key="p", files=files)

    assert example.codes() == set()


@pytest.mark.parametrize("file", ["server.json", "package.json"])
def test_other_formats_of_servers_are_not_judged(file: str) -> None:
    files = {file: json.dumps({"name": "a/b", "remotes": [{}], "repository": {}})}

    assert Example(type=ArtifactType.MCP_SERVER, path=file, files=files).codes() == set()


def test_servers_without_a_wrapper_are_judged() -> None:
    files = {".mcp.json": json.dumps({"$schema": "x", "one": {"args": []}})}

    assert Example(type=ArtifactType.MCP_SERVER, path=".mcp.json", files=files).codes() == {
        "mcp_server_incomplete"
    }


def test_a_plugin_without_manifest_is_judged_by_its_marketplace_entry() -> None:
    example = Example(
        type=ArtifactType.PLUGIN,
        path="p",
        files={"p/skills/a/SKILL.md": ""},
        frontmatter={"name": "p", "source": "./p", "skills": ["./skills/a", "./skills/gone", "skills/a"]},
    )

    assert example.codes() == {"plugin_manifest_absent", "plugin_path_missing", "plugin_path_unprefixed"}


@pytest.mark.parametrize(
    "values",
    [
        {"command": "a", "env": {"ANYTHING": KEY}},
        {"command": "a", "args": ["--token", KEY]},
        {"command": "a", "env": {"X": f"${{X:-{KEY}}}"}},
        {"type": "http", "url": f"https://x.org/?key={KEY}"},
        {"type": "http", "url": "https://x.org", "headers": {"Authorization": f"Bearer {KEY}"}},
        {"type": KEY, "url": f"http://{KEY}.org", "headers": {KEY: KEY}},
    ],
)
def test_a_secret_is_never_repeated(values: Any) -> None:
    found = server(**values).findings()

    assert "literal_secret" in {f.code for f in found}
    assert not any(KEY[4:] in f.detail for f in found)


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\U000e0041", "\u200d\u200c", "\ufe0f\ufe0e", "x\u200dy"]
)
def test_hidden_characters_are_found_in_name_and_description(hidden: str) -> None:
    example = command(document(description="Does it."))
    named = Example(
        type=example.type, path=example.path, files=example.files, name=hidden, description=hidden
    )

    assert [found.code for found in named.findings()] == ["invisible_characters"] * 2


def test_a_byte_order_mark_at_the_start_is_no_hidden_character() -> None:
    assert command("\ufeff" + document(description="Dóes it.")).codes() == set()


@pytest.mark.parametrize("name", ["a:b.md", "a?.md", "con", "b /c.md", "d.", "lpt1.txt"])
def test_names_that_windows_cannot_have(name: str) -> None:
    assert skill_with({name: ""}).codes() == {"windows_file_name"}


def test_findings_come_by_severity_and_code_each_once() -> None:
    found = [finding("symlink", "b"), finding("symlink", "a"), finding("agent_name_missing", "z")] * 2

    assert [(f.code, f.detail) for f in ordered(found, limit=3)] == [
        ("agent_name_missing", "z"),
        ("symlink", "a"),
        ("symlink", "b"),
    ]
    assert len(ordered(found, limit=1)) == 1


def test_quotations_are_one_printable_line() -> None:
    assert quoted("a\x1b[31m\n\u202eb\ud800") == "a [31m b"
    assert len(quoted("x" * 1_000)) == 80


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "name",
        "description",
        "model",
        "color",
        "tools",
        "allowed-tools",
        "argument-hint",
        "metadata",
        "hooks",
        "mcpServers",
        "skills",
        "commands",
        "agents",
        "version",
        "author",
        "keywords",
        "compatibility",
        "one",
        "plugins",
        "Stop",
        "PreToolUse",
        "type",
        "command",
        "url",
        "env",
        "headers",
        "args",
        "timeout",
        "source",
    ]
)
LIKELY = st.recursive(
    JSON | st.sampled_from(["command", "http", "./x", "../x", "${CLAUDE_PLUGIN_ROOT}/a.sh", "http://[", KEY]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
PATHS = {
    ArtifactType.SKILL: ("s/SKILL.md", "s"),
    ArtifactType.AGENT: ("a/x.md", "a/x.md"),
    ArtifactType.COMMAND: ("c/x.md", "c/x.md"),
    ArtifactType.HOOK: ("p/hooks/hooks.json", "p/hooks/hooks.json"),
    ArtifactType.MCP_SERVER: (".mcp.json", ".mcp.json"),
    ArtifactType.PLUGIN: ("p/.claude-plugin/plugin.json", "p"),
}


def check(example: Example) -> None:
    found = example.findings()
    assert found == ordered(found, limit=MAX_FINDINGS)
    assert len(found) <= MAX_FINDINGS
    assert all(f.severity is CODES[f.code][0] for f in found)
    assert all(0 < len(f.detail) <= MAX_DETAIL and f.detail.isprintable() for f in found)


@fuzz(max_examples=300, deadline=None)
@given(kind=st.sampled_from(ArtifactType), value=LIKELY, wrap=st.sampled_from(["", "hooks", "mcpServers"]))
def test_no_value_of_any_shape_raises(kind: ArtifactType, value: Any, wrap: str) -> None:
    document_path, path = PATHS[kind]
    text = json.dumps({wrap: value} if wrap else value)
    is_markdown = document_path.endswith(".md")
    entry = value if isinstance(value, dict) else {}
    check(
        Example(
            type=kind,
            path=path,
            files={document_path: f"---\n{text}\n---\n" if is_markdown else text},
            parent="p" if kind is ArtifactType.HOOK else None,
            frontmatter=entry,
        )
    )
    if kind is ArtifactType.PLUGIN:
        check(Example(type=kind, path=path, files={"p/a": ""}, frontmatter=entry))


@fuzz(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(ArtifactType),
    text=st.text(max_size=300) | st.text(alphabet="-\n:[]()`#{}\"'ab./ $\u200d\U000e0041", max_size=300),
    name=st.text(max_size=30),
)
def test_no_text_raises(kind: ArtifactType, text: str, name: str) -> None:
    document_path, path = PATHS[kind]
    check(Example(type=kind, path=path, files={document_path: text}, name=name, description=text))


@fuzz(max_examples=200, deadline=None)
@given(secret=st.text(alphabet=string.ascii_letters + string.digits, min_size=24, max_size=60))
def test_no_value_of_env_or_headers_is_repeated(secret: str) -> None:
    for part in ("env", "headers"):
        found = server(type="http", url="http://x.org", **{part: {"API_TOKEN": secret}}).findings()
        assert not any(secret in f.detail for f in found)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ArtifactType)
def test_work_is_bounded(kind: ArtifactType) -> None:
    """A hundred thousand odd files, ten megabytes of text, and more broken rules than are told."""
    document_path, path = PATHS[kind]
    base = path if kind in {"skill", "plugin"} else document_path.rpartition("/")[0]
    odd = {f"{base}/{'A' if n % 2 else 'a'}{n // 2}:": "" for n in range(100_000 if base == path else 10)}
    link, event = "[x](gone{}.md) ", {"type": "command", "command": "${{CLAUDE_PLUGIN_ROOT}}/{}.sh"}
    texts = {
        "md": "---\nname: x\n---\n" + "".join(link.format(n) for n in range(600_000)) + "\u00e9",
        "json": json.dumps(
            {
                "hooks": {f"E{n}": 3 for n in range(500)} | handlers(*[event] * 3_000)["hooks"],
                "mcpServers": {f"s{n}": {} for n in range(3_000)},
                "agents": [f"../{n}" for n in range(3_000)],
            }
        ),
    }
    example = Example(
        type=kind, path=path, files=odd | {document_path: texts[document_path.rpartition(".")[2]]}
    )

    check(example)


def test_every_rule_names_its_source() -> None:
    rules = {rule for rules in RULES.values() for rule in rules} | set(EVERY_TYPE)

    assert all(rule.__doc__ for rule in rules)
