"""Loose copies, edited copies and translations: what is uncertain because it is somewhere else already."""

import pytest

from marketplace.detection.vocabulary import ArtifactType
from tests.detecting import AGENT, PLUGIN, SKILL, found, scan


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


LONG_AGENT = AGENT + "".join(f"Rule {n}: think of it.\n" for n in range(20))


def test_an_edited_copy_is_uncertain_and_says_of_what() -> None:
    files = {".claude/agents/x.md": LONG_AGENT, "src/pack/agents/y.md": LONG_AGENT + "One more rule.\n"}

    (original, copy) = scan(files).artifacts

    assert (original.confidence, original.duplicate_of) == (100, None)
    assert (copy.confidence, copy.duplicate_of) == (45, ".claude/agents/x.md")
    assert copy.signals[-1].name == "edited_copy"


def test_the_same_name_alone_makes_no_copy() -> None:
    other = LONG_AGENT.partition("You think")[0] + "You sing.\n"

    assert found({".claude/agents/x.md": LONG_AGENT, "src/pack/agents/x.md": other}) == {
        ("agent", ".claude/agents/x.md"): 100,
        ("agent", "src/pack/agents/x.md"): 65,
    }


def test_edited_copies_that_are_both_loaded_are_both_real() -> None:
    files = {f"{p}/agents/x.md": LONG_AGENT + p for p in "pq"} | {
        f"{p}/.claude-plugin/plugin.json": PLUGIN for p in "pq"
    }

    assert set(found(files).values()) == {90}
    assert {a.duplicate_of for a in scan(files).artifacts if a.type is ArtifactType.AGENT} == {None}


@pytest.mark.parametrize(
    ("original", "translation"),
    [
        ("skills/x/SKILL.md", "docs/fr/skills/x/SKILL.md"),
        ("skills/x/SKILL.md", "docs/ja-JP/skills/x/SKILL.md"),
        ("skills/x/SKILL.md", "i18n/zh-cn/skills/x/SKILL.md"),
        ("skills/x/SKILL.md", "pt-BR/skills/x/SKILL.md"),
        ("agents/x.md", "translations/de/agents/x.md"),
        ("agents/x.md", "agents/x.zh-CN.md"),
        ("agents/x.md", "agents/x.fr.md"),
    ],
)
def test_a_translation_is_uncertain_and_says_of_what(original: str, translation: str) -> None:
    text = SKILL if "skills" in original else AGENT
    artifacts = {a.path: a for a in scan({original: text, translation: text + "x"}).artifacts}
    of, copy = (path.removesuffix("/SKILL.md") for path in (original, translation))

    assert artifacts[of].duplicate_of is None
    assert (artifacts[copy].duplicate_of, artifacts[copy].confidence) == (of, 35)


@pytest.mark.parametrize(
    "path", ["agents/ai-ml/x.md", "agents/go/x.md", "agents/x.agent.md", "lib/ui-ux/agents/x.md"]
)
def test_two_letters_alone_are_no_language(path: str) -> None:
    other = "---\nname: other\ndescription: Sings.\ntools: Bash\n---\nYou sing.\n"

    assert found({"agents/x.md": AGENT, path: other})["agent", path] == 65


def test_a_translation_without_an_original_is_no_copy() -> None:
    assert found({"i18n/de/agents/x.md": AGENT}) == {("agent", "i18n/de/agents/x.md"): 65}


def test_what_a_duplicate_points_to_is_no_duplicate() -> None:
    files = {
        ".claude/agents/x.md": LONG_AGENT,
        "pack/agents/x.md": LONG_AGENT + "Edited.\n",
        "more/agents/x.md": LONG_AGENT + "Edited.\n",
        "i18n/de/agents/x.md": LONG_AGENT.replace("think", "denk"),
    }

    pointers = {a.locator: a.duplicate_of for a in scan(files).artifacts}

    assert pointers.pop(".claude/agents/x.md") is None
    assert set(pointers.values()) == {".claude/agents/x.md"}
