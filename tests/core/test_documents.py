"""Frontmatter and JSON from hostile hands."""

import json
import time

import pytest
from hypothesis import given, strategies as st

from marketplace.detection.documents import read_json, read_markdown


def values(frontmatter: str) -> object:
    return read_markdown(f"---\n{frontmatter}\n---\n").frontmatter.values


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("version: 1.10", {"version": "1.10"}),
        ("at: 12:30:45", {"at": "12:30:45"}),
        ("day: 2026-01-31", {"day": "2026-01-31"}),
        ("enabled: yes", {"enabled": "yes"}),
        ("on: push", {"on": "push"}),
        ("plain: true", {"plain": True}),
        ("nothing:", {"nothing": None}),
        ("count: 12", {"count": 12}),
        ("octal: 0o17", {"octal": "0o17"}),
        ("huge: 123456789012345678901234567890", {"huge": "123456789012345678901234567890"}),
        ("tags: [a, b]", {"tags": ["a", "b"]}),
        ("metadata:\n  version: 2", {"metadata": {"version": 2}}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
    ],
)
def test_yaml_is_read_without_the_surprises_of_its_first_version(written: str, read: object) -> None:
    assert values(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("description: Use when: always", {"description": "Use when: always"}),
        ("argument-hint: [x] [y]", {"argument-hint": "[x] [y]"}),
        ("a: b: c\ntext: >\n  one\n  two", {"a": "b: c", "text": "one two"}),
        ("a: b: c\ntext: |\n  one\n  two", {"a": "b: c", "text": "one\ntwo"}),
        ("a: b: c\ntags:\n  - x\n  - 'y'", {"a": "b: c", "tags": ["x", "y"]}),
        ('a: b: c\ntags: [x, "y"]', {"a": "b: c", "tags": ["x", "y"]}),
        ("a: b: c\nlong: one\n  two", {"a": "b: c", "long": "one two"}),
        ("a: b: c\non: true", {"a": "b: c", "on": True}),
        ("name: x\n\tdescription: tabs", {"name": "x description: tabs"}),
    ],
)
def test_what_yaml_refuses_is_read_line_by_line(written: str, read: object) -> None:
    frontmatter = read_markdown(f"---\n{written}\n---\n").frontmatter

    assert frontmatter.values == read
    assert not frontmatter.strict


@pytest.mark.parametrize(
    "bomb",
    [
        "a: " + "[" * 30_000,
        "a: " + "{a: " * 10_000,
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
        "base: &base {a: 1}\nname:\n  <<: *base",
        "a: !!python/object/apply:os.system [id]",
        "a: !!binary aGk=",
        "a: [" + "x, " * 6_000 + "]",
        "- a\n- b",
        "name: x\x07",
    ],
)
def test_a_yaml_bomb_is_refused_at_once(bomb: str) -> None:
    start = time.perf_counter()

    frontmatter = read_markdown(f"---\n{bomb}\n---\n").frontmatter

    assert not frontmatter.strict
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    "text", ["# A" + " " * 60_000 + "x", "#" * 60_000, "`" * 60_000, " " * 60_000, "\n" * 60_000]
)
def test_no_line_takes_long_to_read(text: str) -> None:
    start = time.perf_counter()

    read_markdown(text)

    assert time.perf_counter() - start < 1


def test_text_without_frontmatter_has_none() -> None:
    markdown = read_markdown("# Title\n\n---\nname: x\n---\n")

    assert markdown.frontmatter.values == {}
    assert markdown.frontmatter.strict


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_frontmatter_may_follow_a_byte_order_mark_and_any_newline(newline: str) -> None:
    markdown = read_markdown("\ufeff" + newline.join(["---", "name: x", "---", "# Title"]))

    assert markdown.frontmatter.values == {"name": "x"}
    assert markdown.title == "Title"


def test_frontmatter_that_never_ends_is_read_as_far_as_it_goes() -> None:
    frontmatter = read_markdown("---\nname: x\ndescription: cut o").frontmatter

    assert frontmatter.values == {"name": "x", "description": "cut o"}
    assert not frontmatter.strict


def test_nul_characters_and_lone_surrogates_are_removed() -> None:
    assert values('name: "a\\0b"') == {"name": "ab"}
    assert read_json('{"a\\u0000": "\\ud800x"}') == {"a": "x"}


def test_strings_are_cut() -> None:
    assert len(read_markdown(f"---\nname: {'x' * 20_000}\n---").frontmatter.values["name"]) == 10_000


@pytest.mark.parametrize(
    ("body", "title", "lead"),
    [
        ("# One\n\nTwo\nthree.\n\nFour.", "One", "Two three."),
        ("Two.\n\n## One ##\n", "One", "Two."),
        ("```\n# code\n```\n# One", "One", ""),
        ("<img src=x>\n\n#hashtag is no heading", "", "#hashtag is no heading"),
        ("", "", ""),
    ],
)
def test_the_first_heading_and_the_first_paragraph_are_found(body: str, title: str, lead: str) -> None:
    markdown = read_markdown(body)

    assert (markdown.title, markdown.lead) == (title, lead)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{",
        "1",
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"a": "' + "x" * 600_000 + '"}',
        '{"a":' * 40 + "1" + "}" * 40,
    ],
)
def test_json_that_is_no_small_object_is_nothing(text: str) -> None:
    assert read_json(text) is None


def test_json_numbers_that_a_database_cannot_keep_become_text() -> None:
    assert read_json('{"a": 1.5, "b": NaN, "c": 7, "d": 123456789012345678901}') == {
        "a": "1.5",
        "b": "NaN",
        "c": 7,
        "d": "123456789012345678901",
    }


@given(st.text(max_size=300))
def test_no_text_makes_reading_fail_and_all_values_are_json(text: str) -> None:
    for document in (text, f"---\n{text}\n---\n", f"---\n{text}"):
        json.dumps(dict(read_markdown(document).frontmatter.values)).encode()
    read_json(text)
