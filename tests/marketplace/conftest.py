"""What several files of this folder look with: the database as it is, whatever models there may be."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture
def all_rows(db: None) -> Callable[[], Tables]:
    """Reads every column of every row of every table, through a cursor and not through models."""

    def read() -> Tables:
        found: Tables = {}
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                names = [column[0] for column in cursor.description]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
                found[table] = sorted(rows, key=repr)
        return found

    return read
