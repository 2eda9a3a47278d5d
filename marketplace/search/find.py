"""Asking the index: the entries that answer a question, best first, and how they are spread.

A hit that has the words in its name stands before one that has them in its tags, then come descriptions and
the rest. A word may stand in every document, and ranking all of them would take seconds: so hits are counted
up to a number, and of each place no more are ranked than a page can reach.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from marketplace.models import TrustLevel
from marketplace.search.engines import SHORT_COLUMNS, TABLE, engine

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
    """How many hits there are, by type and by trust level. Of `COUNTED` where there are more, or just as many."""

    by_type: Counter[str]
    by_trust: Counter[str]
    is_exact: bool

    @property
    def total(self) -> int:
        return self.by_type.total()


def spread(question: Question) -> Spread:
    by_type, by_trust = Counter[str](), Counter[str]()
    if not question.words:
        return Spread(by_type=by_type, by_trust=by_trust, is_exact=True)
    hits, parameters = _hits(question, "document.type, document.trust_level", at_most=COUNTED)
    counted = f"SELECT type, trust_level, count(*) FROM ({hits}) AS hits GROUP BY type, trust_level"
    for artifact_type, trust_level, count in _rows(counted, parameters):
        by_type[artifact_type] += count
        by_trust[trust_level] += count
    return Spread(by_type=by_type, by_trust=by_trust, is_exact=by_type.total() < COUNTED)


def page(question: Question, *, limit: int, offset: int) -> list[UUID]:
    """Entry ids, best first."""
    ranked: dict[Any, None] = {}
    for place in (*SHORT_COLUMNS, None) if question.words else ():
        if len(ranked) < offset + limit:
            ranked |= dict.fromkeys(_ranked(question, place))
    return [UUID(str(key)) for key in [*ranked][offset : offset + limit]]


def _ranked(question: Question, place: str | None) -> list[Any]:
    """Keys of up to `RANKED` hits that have the words in this place (None: anywhere), best first.

    That is how well the words fit, leaning on how sure the artifact and how trusted its source is.
    """
    columns = f"document.entry_id, {engine().score}, document.confidence, document.trust_level"
    order = {
        key: (-score * (0.5 + confidence / 200) * TRUST[TrustLevel(trust)], -confidence, str(key))
        for key, score, confidence, trust in _rows(*_hits(question, columns, at_most=RANKED, place=place))
    }
    return sorted(order, key=order.__getitem__)


def _hits(
    question: Question, columns: str, *, at_most: int, place: str | None = None
) -> tuple[str, list[Any]]:
    """The question in SQL, with its parameters."""
    matching, parameters = engine().matching(question.words, place)
    sql = f"SELECT {columns} FROM {matching}"
    for condition, values in _conditions(question):
        sql += f" AND {condition}"
        parameters += values
    return f"{sql} LIMIT %s", [*parameters, at_most]


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _conditions(question: Question) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    if question.projects is not None:
        ids: list[Any] = [_key(project) for project in question.projects] or [None]
        found.append((f"document.project_id IN ({', '.join(['%s'] * len(ids))})", ids))
    if question.type:
        found.append(("document.type = %s", [question.type]))
    if question.trust_level:
        found.append(("document.trust_level = %s", [question.trust_level]))
    if question.min_confidence is not None:
        found.append(("document.confidence >= %s", [question.min_confidence]))
    # What leaves few documents is looked up first: then other hits are passed over without a look at them.
    if question.source:
        within = f"{engine().key} IN (SELECT id FROM {TABLE} WHERE source_id = %s)"
        found.append((within, [_key(question.source)]))
    tagged = (
        f"{engine().key} IN (SELECT other.id FROM marketplace_entrytag AS tag JOIN {TABLE} AS other"
        " ON other.entry_id = tag.entry_id WHERE tag.tag = %s)"
    )
    return found + [(tagged, [tag]) for tag in question.tags]


def _key(value: UUID) -> str:
    """A UUID as the database's columns have it."""
    return value.hex if connection.vendor == "sqlite" else str(value)
