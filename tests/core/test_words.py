"""Words of texts and queries: alike on both sides, and harmless whatever is typed."""

import pytest
from hypothesis import given, strategies as st

from marketplace.search.words import MAX_WORDS, WORD, folded, highlights, query_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PDF forms", ("pdf", "forms")),
        ("C++ and c#, F# or .NET", ("cpp", "and", "csharp", "fsharp", "or", "dotnet")),
        ("vitamin c", ("vitamin", "c")),
        ("snake_case kebab-case", ("snake", "case", "kebab")),
        ('"quoted" OR (NEAR x*) ^y -z', ("quoted", "or", "near", "x", "y", "z")),
        ("\u6570\u636e\u5206\u6790", ("\u6570", "\u636e", "\u5206", "\u6790")),
        ("Stra\u00dfe", ("strasse",)),
        ("\U0001f600 !!! \0", ()),
        ("", ()),
    ],
)
def test_a_query_is_its_words(text: str, words: tuple[str, ...]) -> None:
    assert query_words(text) == words


def test_of_a_long_text_only_so_many_words_are_looked_for() -> None:
    assert len(query_words(" ".join(f"word{n}" for n in range(5_000)))) == MAX_WORDS


@given(st.text())
def test_words_hold_nothing_that_an_engine_would_read_as_an_operator(text: str) -> None:
    assert all(WORD.fullmatch(word) and "_" not in word for word in query_words(text))


@given(st.text())
def test_a_text_holds_the_words_that_it_is_asked_for(text: str) -> None:
    assert set(query_words(text)) <= set(WORD.findall(folded(text)))


@given(st.text(), st.text(max_size=20))
def test_highlights_are_ranges_of_the_text(text: str, query: str) -> None:
    found = highlights(text, query_words(query))
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert list(found) == sorted(found, key=lambda one: one.start)


def test_highlights_show_the_words_and_what_begins_with_them() -> None:
    text = "PDF tools: fill pdf-forms, test <b>pdfs</b>"
    marked = [text[one.start : one.end] for one in highlights(text, query_words("pdf testing"))]
    assert marked == ["PDF", "pdf", "test", "pdfs"]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("Un caf\u00e9", "cafe", ["caf\u00e9"]),
        ("Un cafe", "caf\u00e9", ["cafe"]),
        ("C++ or C#, not c", "c++", ["C++"]),
        ("for .NET tools", ".net", [".NET"]),
        ("snake_case", "case", ["case"]),
        ("\u6570\u636e", "\u636e", ["\u636e"]),
        ("\ud55c", "\ud558", []),
    ],
)
def test_highlights_show_what_the_index_finds(text: str, query: str, marked: list[str]) -> None:
    assert [text[one.start : one.end] for one in highlights(text, query_words(query))] == marked
