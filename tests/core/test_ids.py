"""Identifiers: their order, and the way out of the house and back."""

import time
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from skillmeat_site.ids import ALPHABET, LENGTH, decode, encode, uuid7

prefixes = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=5)


def test_every_id_is_greater_than_those_before() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_ids_are_version_7_of_the_rfc() -> None:
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_an_id_begins_with_the_time_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7().int >> 80
    assert before <= made <= time.time_ns() // 1_000_000 + 10


@given(prefixes, st.uuids())
def test_decode_is_the_inverse_of_encode(prefix: str, value: UUID) -> None:
    text = encode(prefix, value)
    assert decode(prefix, text) == value
    assert len(text) == len(prefix) + 1 + LENGTH


@given(st.uuids(), st.uuids())
def test_the_outside_forms_sort_like_the_ids(one: UUID, other: UUID) -> None:
    assert (encode("src", one) < encode("src", other)) == (one < other)


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_each_id_has_one_outside_form_only(body: str) -> None:
    text = f"src_{body}"
    if body[0] > "7":  # would be more than 128 bits
        with pytest.raises(ValueError, match="no src_ id"):
            decode("src", text)
    else:
        assert encode("src", decode("src", text)) == text


@given(st.text(max_size=40))
def test_whatever_else_is_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no src_ id"):
        decode("src", text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.upper(),
        lambda text: text.replace("src_", "ent_"),
        lambda text: text.removeprefix("src_"),
        lambda text: text + "0",
        lambda text: text[:-1],
        lambda text: text[:-1] + "u",  # not in Crockford's alphabet
        lambda text: text[:-1] + "o",  # no alias of 0: one id, one form
        lambda text: f" {text}",
        lambda text: f"{text}\n",
        lambda text: text.replace("_", "-"),
    ],
)
def test_only_the_canonical_form_is_taken(spoil: object) -> None:
    with pytest.raises(ValueError, match="no src_ id"):
        decode("src", spoil(encode("src", uuid7())))  # type: ignore[operator]


def test_the_complaint_about_a_huge_id_is_short() -> None:
    with pytest.raises(ValueError, match="no src_ id") as caught:
        decode("src", "x" * 1_000_000)
    assert len(str(caught.value)) < 100
