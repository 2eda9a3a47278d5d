"""Each database's own full text index on `SearchDocument`, and the SQL that only it understands.

SQLite: FTS5 with external content (https://www.sqlite.org/fts5.html), kept by triggers. PostgreSQL: a
generated tsvector with a GIN index. Both are made after every migration, because Django does not know them
and drops the triggers when it rebuilds a table.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from django.db import connection

TABLE = "marketplace_searchdocument"
INDEX = "marketplace_search"
COLUMNS = ("name", "tags", "description", "origin", "body")
WEIGHTS = (10, 4, 3, 2, 1)


class Engine(Protocol):
    def install(self) -> None:
        """Make the index and what keeps it up to date, where they are missing."""

    def rebuild(self) -> None:
        """Make the index anew from the table."""

    def hits(self, words: Sequence[str]) -> tuple[str, list[Any]]:
        """SQL, with parameters, of (id, score) of the documents that have all words; the last is a beginning.

        A greater score is a better hit.
        """


class SQLiteEngine:
    def install(self) -> None:
        columns = ", ".join(COLUMNS)
        new, old = (", ".join(f"{row}.{name}" for name in COLUMNS) for row in ("new", "old"))
        remove = f"INSERT INTO {INDEX}({INDEX}, rowid, {columns}) VALUES ('delete', old.id, {old});"
        add = f"INSERT INTO {INDEX}(rowid, {columns}) VALUES (new.id, {new});"
        _run(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {INDEX} USING fts5({columns}, content='{TABLE}',"
            " content_rowid='id', tokenize='porter unicode61 remove_diacritics 2', prefix='2 3')",
            f"CREATE TRIGGER IF NOT EXISTS {INDEX}_insert AFTER INSERT ON {TABLE} BEGIN {add} END",
            f"CREATE TRIGGER IF NOT EXISTS {INDEX}_delete AFTER DELETE ON {TABLE} BEGIN {remove} END",
            f"CREATE TRIGGER IF NOT EXISTS {INDEX}_update AFTER UPDATE ON {TABLE} BEGIN {remove} {add} END",
        )

    def rebuild(self) -> None:
        _run(f"INSERT INTO {INDEX}({INDEX}) VALUES ('rebuild')")

    def hits(self, words: Sequence[str]) -> tuple[str, list[Any]]:
        quoted = [f'"{word}"' for word in words]  # words are letters and digits: nothing to escape
        weights = ", ".join(map(str, WEIGHTS))
        sql = f"SELECT rowid AS id, -bm25({INDEX}, {weights}) AS score FROM {INDEX} WHERE {INDEX} MATCH %s"
        return sql, [" ".join([*quoted[:-1], f"{quoted[-1]} *"])]


class PostgreSQLEngine:
    def install(self) -> None:
        ranked = " || ".join(
            f"setweight(to_tsvector('simple', {name}), '{letter}') || "
            f"setweight(to_tsvector('english', {name}), '{letter}')"
            for name, letter in zip(COLUMNS, "ABCDD", strict=True)
        )
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, TABLE)
        if "words" not in {column.name for column in columns}:  # asked first: ALTER needs the table to itself
            _run(
                f"ALTER TABLE {TABLE} ADD COLUMN words tsvector GENERATED ALWAYS AS ({ranked}) STORED",
                f"CREATE INDEX {INDEX} ON {TABLE} USING gin (words)",
            )

    def rebuild(self) -> None:
        """Nothing: a generated column and its index cannot lag behind their table."""

    def hits(self, words: Sequence[str]) -> tuple[str, list[Any]]:
        """A word counts in any of its forms (english) or as it is (simple), which names need."""
        each = ["(to_tsquery('simple', %s) || plainto_tsquery('english', %s))"] * len(words)
        query = " && ".join(each)
        last = len(words) - 1
        parameters = [
            value
            for index, word in enumerate(words)
            for value in (f"'{word}':*" if index == last else f"'{word}'", word)
        ]
        sql = (
            f"SELECT id, ts_rank('{{0.1, 0.3, 0.4, 1.0}}', words, query) AS score"
            f" FROM {TABLE}, (SELECT {query} AS query) AS asked WHERE words @@ query"
        )
        return sql, parameters


def engine() -> Engine:
    return SQLiteEngine() if connection.vendor == "sqlite" else PostgreSQLEngine()


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
