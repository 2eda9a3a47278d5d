"""Our entries come and go; whatever else is in the file stays, to the byte."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from deployment_sets.jsontext import reverted
from deployment_sets.merge import Entry, Merged, SettingsMalformed, merge

GROUP = {"matcher": "Bash", "hooks": [{"type": "command", "command": "é 'x'"}]}
HOOK = Entry.of(("hooks", "PreToolUse"), GROUP, listed=True)
SERVER = Entry.of(("mcpServers", "db"), {"command": "npx", "args": ["-y", "db"]}, listed=False)
FOREIGN = """\
{
    "$schema": "https://json.schemastore.org/claude-code-settings.json",
    "permissions": {"allow": ["Bash(ls:*)",   "Read"], "deny": []},
    "price": 1.50e+3,  "escaped": "\\u00e9",
    "hooks": {
        "PreToolUse": [
            {"matcher": "Write", "hooks": []}
        ],
        "Stop": []
    }
}
"""
TEXTS = [FOREIGN, FOREIGN.replace("\n", "\r\n"), "\ufeff" + FOREIGN, "{}", "{}\n", '{"a":1}', '{"hooks":{}}',
         '{\n\t"a": {\n\t\t"b": []\n\t}\n}', '{"hooks":{"PreToolUse":[{"x":1}]}}',
         '{ "mcpServers": {"a": {}} }']  # fmt: skip

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
FILES = st.builds(
    lambda values, indent, newline, ascii_only: json.dumps(
        values, indent=indent, ensure_ascii=ascii_only
    ).replace("\n", newline),
    st.fixed_dictionaries(
        {},
        optional={
            "x": JSON,
            "hooks": st.dictionaries(st.sampled_from(["PreToolUse", "Stop"]), st.lists(JSON, max_size=3), max_size=2),
            "mcpServers": st.dictionaries(st.sampled_from(["db", "b"]), JSON, max_size=2),
            "é": JSON,
        },
    ),
    st.sampled_from([None, 0, 2, 4, "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)  # fmt: skip
WANTED = st.lists(
    st.builds(lambda event, value: Entry.of(("hooks", event), value, listed=True),
              st.sampled_from(["PreToolUse", "Stop", "Fresh"]), JSON)
    | st.builds(lambda key, value: Entry.of(("mcpServers", key), value, listed=False),
                st.sampled_from(["db", "b", "c"]), JSON),
    max_size=4, unique_by=lambda entry: (entry.keys, entry.value if entry.listed else ""),
)  # fmt: skip


def merged(text: str | None, *want: Entry, **options: Any) -> Merged:
    return merge(
        text.encode("utf-8", "surrogatepass") if text is not None else None,
        file="f.json",
        want=want,
        **options,
    )


def text_of(outcome: Merged) -> str:
    assert outcome.data is not None
    return outcome.data.decode()


@pytest.mark.parametrize("text", TEXTS)
def test_what_was_added_goes_without_a_trace(text: str) -> None:
    added = merged(text, HOOK, SERVER)
    removed = merged(text_of(added), owned=added.owned, created=added.created)

    assert json.loads(text_of(added).removeprefix("\ufeff"))["mcpServers"]["db"]["command"] == "npx"
    assert text_of(removed) == text
    assert reverted(text_of(added), added.patches) == text


def test_an_entry_is_laid_out_like_its_neighbours() -> None:
    assert text_of(merged(FOREIGN, HOOK)) == FOREIGN.replace(
        '{"matcher": "Write", "hooks": []}\n',
        """{"matcher": "Write", "hooks": []},
            {
                "hooks": [
                    {
                        "command": "é 'x'",
                        "type": "command"
                    }
                ],
                "matcher": "Bash"
            }
""",
    )
    assert text_of(merged('{"a":1}', SERVER)) == (
        '{"a":1,"mcpServers":{"db":{"args":["-y","db"],"command":"npx"}}}'
    )
    assert "\n" not in text_of(merged(FOREIGN.replace("\n", "\r\n"), HOOK)).replace("\r\n", "")


def test_a_file_that_was_not_there_goes_with_its_last_entry() -> None:
    added = merged(None, HOOK)

    assert text_of(added).endswith("}\n")
    assert merged(text_of(added), owned=added.owned, created=added.created).data is None
    assert merged(None).data is None


def test_a_file_of_ours_stays_when_somebody_else_wrote_into_it() -> None:
    added = merged(None, SERVER)
    theirs = text_of(added).replace('"mcpServers": {', '"mcpServers": {\n    "x": {},')
    assert json.loads(text_of(merged(theirs, owned=added.owned, created=added.created))) == {
        "mcpServers": {"x": {}}
    }


def test_another_server_under_the_key_is_a_clash_and_stays() -> None:
    text = '{"mcpServers": {"db": {"command": "mine", "env": {"TOKEN": "secret"}}}}'
    outcome = merged(text, SERVER)

    assert outcome.clashes == (("mcpServers", "db"),)
    assert text_of(outcome) == text
    assert "secret" not in repr([outcome.patches, outcome.removed, outcome.added, outcome.owned])
    assert json.loads(text_of(merged(text, SERVER, overwrite=True)))["mcpServers"]["db"]["command"] == "npx"


def test_what_somebody_else_wrote_just_so_remains_theirs() -> None:
    text = text_of(merged(None, HOOK, SERVER))
    assert merged(text, HOOK, SERVER).owned == ()


def test_a_new_version_takes_the_place_of_the_old() -> None:
    first = merged(FOREIGN, HOOK, SERVER)
    newer = Entry.of(SERVER.keys, {"command": "uvx"}, listed=False)
    hook = Entry.of(HOOK.keys, {"hooks": []}, listed=True)
    second = merged(text_of(first), newer, hook, owned=first.owned, created=first.created)

    values = json.loads(text_of(second))
    assert values["mcpServers"] == {"db": {"command": "uvx"}}
    assert values["hooks"]["PreToolUse"] == [{"matcher": "Write", "hooks": []}, {"hooks": []}]
    assert reverted(text_of(second), second.patches) == text_of(first)
    back = merged(
        text_of(second), *second.removed, owned=[e.owned for e in second.added], created=second.created
    )
    assert json.loads(text_of(back)) == json.loads(text_of(first))


def test_our_entry_that_was_edited_stays_when_it_is_no_longer_wanted() -> None:
    first = merged(None, SERVER)
    edited = text_of(first).replace("npx", "mine")
    outcome = merged(edited, owned=first.owned, created=first.created)

    assert text_of(outcome) == edited
    assert outcome.clashes == (SERVER.keys,)


def test_a_group_of_ours_that_was_edited_is_a_clash_and_not_doubled() -> None:
    first = merged(FOREIGN, HOOK)
    edited = text_of(first).replace('"Bash"', '"Bash|Write"')
    outcome = merged(edited, HOOK, owned=first.owned, created=first.created)

    assert text_of(outcome) == edited
    assert outcome.clashes == (HOOK.keys,)
    assert outcome.owned == first.owned
    newer = Entry.of(HOOK.keys, GROUP | {"matcher": "*"}, listed=True)
    assert merged(edited, newer, owned=first.owned, created=first.created).owned == first.owned
    replaced = merged(edited, newer, owned=first.owned, created=first.created, overwrite=True)
    assert text_of(replaced) == edited.replace('"Bash|Write"', '"*"')
    assert reverted(text_of(replaced), replaced.patches) == edited


def test_a_group_of_ours_that_was_removed_comes_back_beside_those_of_others() -> None:
    first = merged(FOREIGN, HOOK)
    outcome = merged(FOREIGN, HOOK, owned=first.owned)
    assert (text_of(outcome), outcome.clashes) == (text_of(first), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1"),
        ('{"a": 1,}', "no JSON"),
        ("// x\n{}", "no JSON"),
        ("[]", "not an object"),
        ('{"hooks": []}', '"hooks" is not an object'),
        ('{"hooks": {"PreToolUse": {}}}', '"hooks.PreToolUse" is not an array'),
        ('{"hooks": {}, "hooks": {}}', "twice"),
        ('{"a": NaN}', "NaN"),
        ("[" * 100_000, "nested|no JSON"),
        ('{"a":' * 100_000, "nested|no JSON"),
    ],
)
def test_what_is_malformed_is_named_and_not_touched(text: str, reason: str) -> None:
    with pytest.raises(SettingsMalformed, match=rf"f\.json.*(?:{reason})"):
        merged(text, HOOK)
    with pytest.raises(SettingsMalformed, match="UTF-8"):
        merge(b"\xff\xfe", file="f.json", want=[HOOK])


@given(text=FILES, want=WANTED, later=WANTED)
def test_merging_is_idempotent_keeps_the_foreign_and_can_be_taken_back(
    text: str, want: list[Entry], later: list[Entry]
) -> None:
    before = json.loads(text)
    first = merged(text, *want)
    again = merged(text_of(first), *want, owned=first.owned, created=first.created)
    assert (again.data, again.owned, again.created) == (first.data, first.owned, first.created)
    assert json.loads(text_of(first)).get("x", 0) == before.get("x", 0)

    second = merged(text_of(first), *later, owned=first.owned, created=first.created)
    assert reverted(text_of(second), second.patches) == text_of(first)
    assert reverted(text_of(first), first.patches) == text

    # Without white space inside of empty containers, removing is exact as well.
    assert text_of(merged(text_of(second), owned=second.owned, created=second.created)) == text
