"""Asking the index: a page of entry ids, best first, and how the hits are spread."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from marketplace.models import TrustLevel
from marketplace.search.engines import TABLE, engine

TRUST = {
    TrustLevel.UNTRUSTED: 0.7,
    TrustLevel.BASIC: 1.0,
    TrustLevel.VERIFIED: 1.2,
    TrustLevel.OFFICIAL: 1.4,
}
# How well the words fit, leaning on how sure the artifact and how trusted its source is.
BLEND = (
    "score * (0.5 + document.confidence / 200.0) * CASE source.trust_level "
    + " ".join(f"WHEN '{level}' THEN {factor}" for level, factor in TRUST.items())
    + " END"
)


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
    """How many hits there are, by type and by trust level."""

    by_type: Counter[str] = field(default_factory=Counter)
    by_trust: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.by_type.total()


def page(question: Question, *, limit: int, offset: int) -> list[UUID]:
    """Entry ids, best first."""
    if not question.words:
        return []
    sql, parameters = _matching(question, "document.entry_id")
    order = f" ORDER BY {BLEND} DESC, document.confidence DESC, document.id LIMIT %s OFFSET %s"
    return [UUID(str(row[0])) for row in _rows(sql + order, [*parameters, limit, offset])]


def spread(question: Question) -> Spread:
    found = Spread()
    if question.words:
        sql, parameters = _matching(question, "document.type, source.trust_level, count(*)")
        for artifact_type, trust, count in _rows(f"{sql} GROUP BY 1, 2", parameters):
            found.by_type[artifact_type] += count
            found.by_trust[trust] += count
    return found


def _matching(question: Question, columns: str) -> tuple[str, list[Any]]:
    hits, parameters = engine().hits(question.words)
    sql = (
        f"WITH hits AS MATERIALIZED ({hits}) SELECT {columns} FROM hits"
        f" JOIN {TABLE} AS document ON document.id = hits.id"
        " JOIN marketplace_source AS source ON source.id = document.source_id WHERE source.indexing_enabled"
    )
    for condition, values in _conditions(question):
        sql += f" AND {condition}"
        parameters += values
    return sql, parameters


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


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
