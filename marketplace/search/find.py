"""Asking the index: the entries that answer a question, best first, and how they are spread.

A word may stand in every document, and ranking all of them would take seconds. So hits are counted up to a
number, and the best are looked for among fewer still: those that have the words in their name first, then
those with them in their tags, then in their description, then anywhere.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from marketplace.models import TrustLevel
from marketplace.search.engines import SHORT_COLUMNS, engine

TRUST = {
    TrustLevel.UNTRUSTED: 0.7,
    TrustLevel.BASIC: 1.0,
    TrustLevel.VERIFIED: 1.2,
    TrustLevel.OFFICIAL: 1.4,
}
COUNTED = 10_000
RANKED = 1_200  # more than any page reaches: offsets end at 1,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is searched for. `projects`: None means all; every given filter has to hold."""

    words: Sequence[str]
    projects: Sequence[UUID] | None = None
    type: str | None = None
    trust_level: str | None = None
    min_confidence: int | None = None
    source: UUID | None = None
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How many hits there are, by type and by trust level. Where there are more than `COUNTED`, of so many."""

    by_type: Counter[str]
    by_trust: Counter[str]
    is_exact: bool

    @property
    def total(self) -> int:
        return self.by_type.total()


def spread(question: Question) -> Spread:
    hits = _hits(question, "document.type, source.trust_level", at_most=COUNTED + 1)
    counted = hits[:COUNTED]
    return Spread(
        by_type=Counter(artifact_type for artifact_type, _ in counted),
        by_trust=Counter(trust for _, trust in counted),
        is_exact=len(counted) == len(hits),
    )


def page(question: Question, *, total: int, limit: int, offset: int) -> list[UUID]:
    """Entry ids, best first; `total` is what the question's spread has said."""
    return [UUID(str(key)) for key in _ranked(question, total)[offset : offset + limit]]


def _ranked(question: Question, total: int) -> list[Any]:
    found: dict[Any, tuple[float, int]] = {}
    for place in (*SHORT_COLUMNS, None) if total > RANKED else (None,):
        if len(found) < RANKED:
            found |= _scores(question, place)
    return sorted(sorted(found, key=str), key=found.__getitem__, reverse=True)


def _scores(question: Question, place: str | None) -> dict[Any, tuple[float, int]]:
    """What hits are ranked by, up to `RANKED` of those that have the words in this place (None: anywhere).

    That is how well the words fit, leaning on how sure the artifact and how trusted its source is.
    """
    columns = f"document.entry_id, {engine().score}, document.confidence, source.trust_level"
    return {
        key: (score * (0.5 + confidence / 200) * TRUST[TrustLevel(trust)], confidence)
        for key, score, confidence, trust in _hits(question, columns, at_most=RANKED, place=place)
    }


def _hits(
    question: Question, columns: str, *, at_most: int, place: str | None = None
) -> list[tuple[Any, ...]]:
    if not question.words:
        return []
    matching, parameters = engine().matching(question.words, place)
    sql = f"SELECT {columns} FROM {matching} AND source.indexing_enabled"
    for condition, values in _conditions(question):
        sql += f" AND {condition}"
        parameters += values
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} LIMIT %s", [*parameters, at_most])
        return list(cursor.fetchall())


def _conditions(question: Question) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    if question.projects is not None:
        ids: list[Any] = [_key(project) for project in question.projects] or [None]
        found.append((f"document.project_id IN ({', '.join(['%s'] * len(ids))})", ids))
    if question.type:
        found.append(("document.type = %s", [question.type]))
    if question.trust_level:
        found.append(("source.trust_level = %s", [question.trust_level]))
    if question.min_confidence is not None:
        found.append(("document.confidence >= %s", [question.min_confidence]))
    if question.source:
        found.append(("document.source_id = %s", [_key(question.source)]))
    tagged = (
        "EXISTS (SELECT 1 FROM marketplace_entrytag AS tag"
        " WHERE tag.tag = %s AND tag.source_id = document.source_id AND tag.entry_id = document.entry_id)"
    )
    return found + [(tagged, [tag]) for tag in question.tags]


def _key(value: UUID) -> str:
    """A UUID as the database's columns have it."""
    return value.hex if connection.vendor == "sqlite" else str(value)
