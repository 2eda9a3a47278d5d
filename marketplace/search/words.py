"""Text as the index has it, queries as people type them, and where their words stand in a text. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_WORDS = 16
MAX_QUERY = 1_000
MAX_HIGHLIGHTS = 20
SHORTEST_STEM = 4
WORD = re.compile(r"\w+")
# Names whose sign is all that tells them from a letter.
SIGNS = re.compile(r"\b(c\+\+|c#|f#|\.net)(?!\w)|(?<!\w)\.net(?!\w)", re.IGNORECASE)
SPELLED = {"c++": "cpp", "c#": "csharp", "f#": "fsharp", ".net": "dotnet"}
# Scripts that are written without spaces: each character is a word of its own.
UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af])")
MARKED = re.compile(rf"{SIGNS.pattern}|{UNSPACED.pattern}|(?:(?!{UNSPACED.pattern})[^\W_])+", re.IGNORECASE)
ABOVE = 200  # the least combining class of accents


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """From character `start` up to, not including, `end`."""

    start: int
    end: int


def folded(text: str) -> str:
    """The text as words that both databases split alike: lower case, signs spelled out, no NUL."""
    spelled = SIGNS.sub(lambda found: SPELLED[found[0].lower()], text.replace("\0", " "))
    spaced = UNSPACED.sub(r" \1 ", spelled)
    return unicodedata.normalize("NFKC", spaced).casefold().replace("_", " ")


def query_words(text: str) -> tuple[str, ...]:
    """The words of a query, in order, each once; only so many, whatever is pasted."""
    words = WORD.findall(folded(text[:MAX_QUERY]))
    return tuple(dict.fromkeys(words))[:MAX_WORDS]


def highlights(text: str, words: Sequence[str]) -> tuple[Range, ...]:
    """Where words of the query begin words of the text: plain positions, for clients to mark as they like."""
    return tuple(_found(text, words))[:MAX_HIGHLIGHTS]


def _found(text: str, words: Sequence[str]) -> Iterator[Range]:
    wanted = tuple(_bare(_stem(word)) for word in words)
    for match in MARKED.finditer(text):
        if wanted and _bare(folded(match[0])).strip().startswith(wanted):
            yield Range(start=match.start(), end=match.end())


def _bare(text: str) -> str:
    """Without accents, which SQLite's index passes over, too."""
    letters = unicodedata.normalize("NFD", text)
    return unicodedata.normalize(
        "NFC", "".join(each for each in letters if unicodedata.combining(each) < ABOVE)
    )


def _stem(word: str) -> str:
    """What "testing" shares with "tests": enough to show why a stemmed word was found."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= SHORTEST_STEM:
            return word.removesuffix(ending)
    return word
