"""What a source's owner says about the repository."""

import pytest

from marketplace.detection.vocabulary import ArtifactType
from tests.detecting import AGENT, COMMAND, HOOKS, SERVERS, SKILL, found, scan


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
