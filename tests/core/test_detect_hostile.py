"""Trees and texts from hostile hands, and large ones: nothing crashes, hangs or bloats."""

import json
import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.detect import survey
from marketplace.repository import Tree, TreeFile
from tests.calls import calls
from tests.detecting import (
    AGENT,
    COMMAND,
    HOOKS,
    MEMBERS,
    PLUGIN,
    SKILL,
    found,
    marketplace,
    only,
    scan,
    scan_tree,
    tree_of,
)

pytestmark = pytest.mark.no_cover  # large trees on the same path


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


NAMES = [
    "..",
    ".",
    "",
    "a\nb",
    "a\tb",
    "a\0b",
    "\x1b[31m",
    "\u202egpj",
    "\u2066x\u2069",
    "caf\u00e9",
    "cafe\u0301",
    "CAFE",
    "cafe",
    "\ud800",
    "x" * 255,
    "x" * 256,
    "\u00e9" * 128,
    "<script>alert(1)</script>",
    "'; drop table entries; --",
    "a#b",
    "%2e%2e",
    "C:",
    "a\\b",
    "con",
    "-rf",
    " ",
]
PLACES = [
    ".claude/agents/{}.md",
    ".claude/commands/{}/x.md",
    ".claude/skills/{}/SKILL.md",
    "{}/.claude-plugin/plugin.json",
    "{}/.mcp.json",
    "/{}/.claude/agents/x.md",
    "{}",
]


@given(
    paths=st.lists(
        st.builds(lambda place, name: place.format(name), st.sampled_from(PLACES), st.sampled_from(NAMES))
    )
)
@hypothesis_settings(max_examples=80, deadline=None)
def test_no_path_is_too_strange_and_none_leads_out(paths: list[str]) -> None:
    texts = dict.fromkeys(paths, "---\nname: x\ndescription: y\n---\nDo.\n") | {
        path: PLUGIN for path in paths if path.endswith("plugin.json")
    }

    for artifact in scan(texts, frontmatter=True).artifacts:
        for path in (artifact.path, *(file.path for file in artifact.files)):
            names = [] if path == "." else path.split("/")
            assert not {"", ".", ".."} & set(names)
            assert all(len(name.encode("utf-8", "surrogatepass")) <= 255 for name in names)
        assert "\0" not in artifact.name
        assert "\n" not in artifact.name


def test_a_path_that_is_no_text_is_content_and_nothing_else() -> None:
    files = {
        ".claude/skills/x/SKILL.md": SKILL,
        ".claude/skills/x/\udcff.txt": "",
        ".claude/agents/\udcff.md": AGENT,
        ".claude/settings.json": HOOKS.replace("true", ".claude/hooks/a.sh"),
        ".claude/hooks/a.sh": "",
        ".claude/hooks/\udcff.sh": "",
    }

    hook, skill = scan(files).artifacts

    assert [file.path for file in hook.files] == [".claude/hooks/a.sh", ".claude/settings.json"]
    assert [file.path for file in skill.files] == [".claude/skills/x/SKILL.md", ".claude/skills/x/\udcff.txt"]


def test_names_that_differ_in_case_or_form_are_different_artifacts() -> None:
    names = ["cafe\u0301", "caf\u00e9", "CAFE", "cafe"]

    assert len(found({f".claude/agents/{name}.md": AGENT for name in names})) == 4


TEXTS = [
    "",
    "\0" * 1_000,
    "\ufeff" + AGENT,
    AGENT.replace("\n", "\r\n"),
    AGENT.replace("\n", "\r"),
    "\ufffd" * 10_000,
    "---\nname: \ufffd\ndescription: \ufffd\n---\n\ufffd",
    "---\nname: [1, 2]\ndescription: {a: b}\ntags: 7\nmodel: null\ntools: {}\n---\nx",
    "---\nname: true\ndescription: 12\nmetadata: [x]\nversion: {}\nauthor: []\n---\nx",
    "---\n" + "a:\n".join(" " * n for n in range(300)) + "\n---\n",
    "---\nname: x\ndescription: " + "[" * 10_000 + "\n---\n",
    "---\na: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(100)) + "---\n",
    "---\nname: " + "x" * 100_000 + "\ndescription: " + "y" * 100_000 + "\n---\n",
    "---\nname: <img src=x onerror=alert(1)>\ndescription: <script>alert(1)</script>\n---\n<b>x</b>",
    "---\n" + "".join(f"key{n}: value\n" for n in range(20_000)) + "---\n",
    "---\nname: \u202ex\ndescription: \u2066y\n---\n",
    "x" * 30_000_000,
    '{"hooks":' * 100_000,
    "[" * 100_000,
    '{"a": "' + "x" * 30_000_000 + '"}',
    json.dumps({"mcpServers": {f"s{n}": {"command": "x"} for n in range(10_000)}}),
    json.dumps({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "a/b " * 2_000}] * 100}] * 30}}),
    json.dumps({"name": "<script>", "hooks": {"Stop": 7}, "mcpServers": [[]], "skills": [{}], "agents": 1.5}),
    json.dumps({"plugins": [{"name": f"p{n}", "source": "./"} for n in range(5_000)]}),
    json.dumps({"plugins": [{"name": "<b>", "source": {"source": "url", "url": "javascript:x"}}]}),
]
EVERYWHERE = [
    ".claude/agents/x.md",
    ".claude/commands/x.md",
    ".claude/skills/x/SKILL.md",
    ".claude/settings.json",
    ".mcp.json",
    "server.json",
    "hooks/hooks.json",
    "mcp/x.json",
    "p/.claude-plugin/plugin.json",
    ".claude-plugin/marketplace.json",
    "docs/de/agents/x.md",
    "agents/x.md",
]


@pytest.mark.parametrize("text", TEXTS, ids=[f"{text[:16]!r}..." for text in TEXTS])
def test_no_text_crashes_hangs_or_bloats(text: str) -> None:
    files = tuple(
        TreeFile(path=path, mode="100644", sha="0" * 40, size=min(len(text), 1_000)) for path in EVERYWHERE
    )
    start = time.thread_time()

    artifacts = scan_tree(
        Tree(files=files), dict.fromkeys(EVERYWHERE, text), DetectionSettings(frontmatter=True)
    ).artifacts

    assert time.thread_time() - start < 5
    for artifact in artifacts:
        assert len(repr(replace(artifact, files=()))) < 200_000
        assert len(artifact.name) <= 200
        assert len(artifact.description) <= 2_000
        assert not re.search("[\0\ud800-\udfff]", artifact.name + artifact.title + artifact.description)


def test_html_stays_text() -> None:
    agent = only({".claude/agents/x.md": "---\nname: <b>x</b>\ndescription: <script>a</script>\n---\n"})

    assert (agent.name, agent.description) == ("<b>x</b>", "<script>a</script>")


def tree_of_size(count: int) -> tuple[Tree, dict[str, str]]:
    """One path in a hundred has a document of an artifact; the others are an ordinary code base."""
    texts = {
        f"src/m{n % 300}/s{n % 17}/c{n}.{('md', 'json', 'ts')[n % 3]}": "" for n in range(count * 99 // 100)
    }
    documents = {
        path: text
        for n in range(count // 700)
        for path, text in {
            f"plugins/p{n}/.claude-plugin/plugin.json": json.dumps({"name": f"p{n}"}),
            f"plugins/p{n}/hooks/hooks.json": HOOKS,
            f"plugins/p{n}/skills/s/SKILL.md": SKILL,
            f"plugins/p{n}/agents/a.md": AGENT + str(n),
            f"plugins/p{n}/commands/c.md": COMMAND,
            f"copies/p{n}/agents/a.md": AGENT + f"Edited {n}.",
            f"docs/de/skills/s{n}/SKILL.md": SKILL,
        }.items()
    }
    listing = marketplace(*({"name": f"p{n}", "source": f"./plugins/p{n}"} for n in range(count // 700)))
    documents[".claude-plugin/marketplace.json"] = listing
    return tree_of(texts | documents), documents


def cost_of(count: int) -> int:
    tree, documents = tree_of_size(count)
    return calls(lambda: survey(tree, documents, DetectionSettings()).detect(), at_most=100 * count)


def test_twice_as_many_paths_cost_twice_as_much() -> None:
    assert 1.9 < cost_of(20_000) / cost_of(10_000) < 2.1


@pytest.mark.parametrize(
    ("entry", "paths"),
    [
        ({}, [f"s/{n % 500}/f{n}.ts" for n in range(50_000)]),
        ({"commands": "./", "agents": "./"}, [f"s/{n}/README.md" for n in range(50_000)]),
        ({"agents": ["./agents/1.md"]}, [f"agents/{n}.md" for n in range(50_000)]),
    ],
)
def test_many_entries_for_one_large_directory_do_not_look_through_it_each_time(
    entry: dict[str, object], paths: list[str]
) -> None:
    listing = marketplace(*({"name": f"p{n}", "source": "./", **entry} for n in range(2_000)))
    path = ".claude-plugin/marketplace.json"
    tree = tree_of({**dict.fromkeys(paths, ""), path: listing})

    calls(lambda: survey(tree, {path: listing}, DetectionSettings()).detect(), at_most=200 * len(tree.files))
