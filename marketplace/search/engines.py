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
# Where words weigh most; they can be asked for by themselves.
SHORT_COLUMNS = COLUMNS[:3]


class Engine(Protocol):
    def install(self) -> None:
        """Make the index and what keeps it up to date, where they are missing."""

    def rebuild(self) -> None:
        """Make the index anew from the table."""

    score: str
    """SQL of how well a document fits; greater is better."""

    key: str
    """SQL of a hit's document, as conditions upon it are quickest."""

    def matching(self, words: Sequence[str], column: str | None) -> tuple[str, list[Any]]:
        """What stands behind FROM, up to a first condition, for the `document` of each hit.

        A hit has all words, the last of which is a beginning, in this column or anywhere. With parameters.
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
            f"CREATE TRIGGER IF NOT EXISTS {INDEX}_update AFTER UPDATE OF {columns} ON {TABLE}"
            f" BEGIN {remove} {add} END",
        )

    def rebuild(self) -> None:
        _run(f"INSERT INTO {INDEX}({INDEX}) VALUES ('rebuild')")

    key = (
        "+hit.rowid"  # the sign keeps SQLite from asking the index for each document by itself, which is slow
    )
    score = f"-bm25({INDEX}, {', '.join(map(str, WEIGHTS))})"

    def matching(self, words: Sequence[str], column: str | None) -> tuple[str, list[Any]]:
        """The cross join keeps the order: hits are read until there are enough."""
        quoted = [f'"{word}"' for word in words]  # words are letters and digits: nothing to escape
        asked = " AND ".join([*quoted[:-1], f"{quoted[-1]} *"])
        joined = f"{INDEX} AS hit CROSS JOIN {TABLE} AS document ON document.id = hit.rowid"
        sql = f"{joined} WHERE {INDEX} MATCH %s"
        return sql, [f"{{{column}}} : ({asked})" if column else asked]


class PostgreSQLEngine:
    key = "document.id"
    score = "ts_rank('{0.1, 0.3, 0.4, 1.0}', document.words, asked.query)"

    def install(self) -> None:
        """What is there is asked first: changing a table needs it to itself, even to find nothing to do."""
        with connection.cursor() as cursor:
            columns = {each.name for each in connection.introspection.get_table_description(cursor, TABLE)}
            indexes = connection.introspection.get_constraints(cursor, TABLE)
        ranked = " || ".join(
            f"setweight({_vector(name)}, '{letter}')" for name, letter in zip(COLUMNS, "ABCDD", strict=True)
        )
        if "words" not in columns:
            _run(f"ALTER TABLE {TABLE} ADD COLUMN words tsvector GENERATED ALWAYS AS ({ranked}) STORED")
        wanted = {INDEX: "words"} | {f"{INDEX}_{name}": f"({_vector(name)})" for name in SHORT_COLUMNS}
        _run(
            *(
                f"CREATE INDEX IF NOT EXISTS {name} ON {TABLE} USING gin ({what})"
                for name, what in wanted.items()
                if name not in indexes
            )
        )

    def rebuild(self) -> None:
        """Nothing: a generated column and its index cannot lag behind their table."""

    def matching(self, words: Sequence[str], column: str | None) -> tuple[str, list[Any]]:
        """A word counts in any of its forms (english) or as it is (simple), which names need."""
        each = ["(to_tsquery('simple', %s) || plainto_tsquery('english', %s))"] * len(words)
        last = len(words) - 1
        parameters = [
            value
            for index, word in enumerate(words)
            for value in (f"'{word}':*" if index == last else f"'{word}'", word)
        ]
        vector = _vector(f"document.{column}") if column else "document.words"
        sql = (
            f"{TABLE} AS document CROSS JOIN (SELECT {' && '.join(each)} AS query) AS asked"
            f" WHERE {vector} @@ asked.query"
        )
        return sql, parameters


def _vector(column: str) -> str:
    return f"(to_tsvector('simple', {column}) || to_tsvector('english', {column}))"


def engine() -> Engine:
    return SQLiteEngine() if connection.vendor == "sqlite" else PostgreSQLEngine()


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
