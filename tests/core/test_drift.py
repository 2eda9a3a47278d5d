"""As imported, as it is here, as it is upstream: what a refresh makes of the three."""

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from collections_app.drift import (
    CONTENT,
    METADATA_FIELDS,
    Local,
    Metadata,
    Mode,
    Options,
    Outcome,
    Upstream,
    compare,
)

words = st.sampled_from(["", "a", "b"])
metadata = st.builds(
    Metadata,
    description=words,
    author=words,
    license=words,
    version=words,
    tags=st.lists(st.sampled_from("xyz"), unique=True).map(tuple),
)
digests = st.sampled_from(["1", "2", "3"])
locals_ = st.builds(
    Local,
    metadata=metadata,
    edited=st.frozensets(st.sampled_from(METADATA_FIELDS)),
    imported=digests,
    digest=digests,
)
upstreams = st.builds(Upstream, metadata=metadata, digest=digests)
chosen = st.one_of(st.none(), st.lists(st.sampled_from(METADATA_FIELDS), min_size=1, unique=True).map(tuple))
options = st.builds(
    Options, mode=st.sampled_from(Mode), fields=chosen, dry_run=st.booleans(), force=st.booleans()
)

HERE = Local(metadata=Metadata(description="old"), edited=frozenset(), imported="1", digest="1")
THERE = Upstream(metadata=Metadata(description="new", tags=("x",)), digest="2")
SYNC, FORCED = Options(mode=Mode.SYNC), Options(mode=Mode.SYNC, force=True)


@given(locals_, upstreams, options)
def test_nothing_is_ever_made_blank(here: Local, there: Upstream, asked: Options) -> None:
    after = compare(here, there, asked).metadata.as_json()
    assert [name for name, value in here.metadata.as_json().items() if value and not after[name]] == []


@given(locals_, upstreams, options)
def test_what_people_edited_is_kept_unless_a_sync_is_forced(
    here: Local, there: Upstream, asked: Options
) -> None:
    said = compare(here, there, asked)
    if asked.mode is Mode.METADATA or not asked.force:
        before, after = here.metadata.as_json(), said.metadata.as_json()
        assert {name for name in here.edited if before[name] != after[name]} == set()
        assert said.edited == here.edited


@given(locals_, upstreams, options)
def test_edited_content_is_not_overwritten_unless_forced(
    here: Local, there: Upstream, asked: Options
) -> None:
    said = compare(here, there, asked)
    if said.takes_content:
        assert asked.mode is not Mode.METADATA
        assert there.digest != here.digest
        assert asked.force or not here.is_edited
    if said.outcome is Outcome.CONFLICT:
        assert not asked.force
        assert said.metadata == here.metadata
        assert said.reason


@given(locals_, upstreams, options)
def test_changes_are_all_there_is_between_before_and_after(
    here: Local, there: Upstream, asked: Options
) -> None:
    said = compare(here, there, asked)
    before, after = here.metadata.as_json(), said.metadata.as_json()
    told = {change.field: (change.old, change.new) for change in said.changes if change.field != CONTENT}
    assert told == {
        name: (before[name], after[name]) for name in METADATA_FIELDS if before[name] != after[name]
    }
    assert asked.fields is None or set(told) <= set(asked.fields)
    assert (said.outcome is Outcome.REFRESHED) == bool(said.changes)


@given(locals_, upstreams, options)
def test_the_second_time_nothing_changes(here: Local, there: Upstream, asked: Options) -> None:
    said = compare(here, there, asked)
    after = replace(here, metadata=said.metadata, edited=said.edited)
    if said.takes_content:
        after = replace(after, imported=there.digest, digest=there.digest)
    assert compare(after, there, asked).changes == ()


def test_metadata_takes_the_words_and_leaves_the_content() -> None:
    said = compare(HERE, THERE, Options())
    assert {change.field for change in said.changes} == {"description", "tags"}
    assert not said.takes_content


def test_sync_takes_the_content_too() -> None:
    said = compare(HERE, THERE, SYNC)
    assert {change.field for change in said.changes} == {"description", "tags", CONTENT}
    assert said.takes_content


def test_new_content_over_an_edit_is_a_conflict() -> None:
    edited = replace(HERE, edited=frozenset({"description"}))
    said = compare(edited, THERE, SYNC)
    assert (said.outcome, said.changes) == (Outcome.CONFLICT, ())
    assert "description was changed" in said.reason
    assert compare(edited, THERE, FORCED).metadata.description == "new"
    assert compare(edited, THERE, FORCED).edited == frozenset()


def test_an_edit_alone_is_no_conflict() -> None:
    edited = replace(HERE, edited=frozenset({"description"}))
    said = compare(edited, replace(THERE, digest="1"), SYNC)
    assert [change.field for change in said.changes] == ["tags"]


def test_what_was_rolled_back_stays_until_upstream_goes_on() -> None:
    rolled_back = replace(HERE, imported="2", digest="1")
    assert not compare(rolled_back, THERE, SYNC).takes_content
    assert compare(rolled_back, replace(THERE, digest="3"), SYNC).outcome is Outcome.CONFLICT
    assert compare(rolled_back, THERE, FORCED).takes_content


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("", "pdf", True),
        ("p*", "PDF", True),
        ("P?F", "pdf", True),
        ("[a-c]*", "pdf", False),
        ("pd", "pdf", False),
    ],
)
def test_a_pattern_is_a_shells(pattern: str, name: str, matches: bool) -> None:
    assert Options(name_pattern=pattern).matches("skill", name) is matches
    assert not Options(name_pattern=pattern, type="agent").matches("skill", name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    Options(name_pattern=pattern).matches("skill", name)


@given(options)
def test_options_are_kept_and_found_again(asked: Options) -> None:
    assert Options.from_json(asked.as_json()) == asked
