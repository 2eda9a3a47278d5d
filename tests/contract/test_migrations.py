"""Migrations as a live PostgreSQL sees them: what would lock a table for long is found before it is released."""

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parents[2]
OURS = ("skillmeat_site", "marketplace", "collections_app", "deployment_sets")
NOT_OURS = {
    "prefer-text-field",  # lengths are part of the contract, and Django's to declare
    "prefer-bigint-over-int",  # of numbers that a check keeps small
    "prefer-bigint-over-smallint",
    "require-lock-timeout",  # set by who migrates: PGOPTIONS="-c lock_timeout=5s"
    "require-statement-timeout",
}
# Harmless where the table was made in the same migration, and so is empty.
OF_FIRST_MIGRATIONS = {"adding-foreign-key-constraint", "adding-required-field"}


def migrations() -> list[tuple[str, str]]:
    loaded = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted(key for key, migration in loaded.items() if migration.__module__.startswith(OURS))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the linter reads PostgreSQL's SQL")
@pytest.mark.skipif(not shutil.which("squawk"), reason="squawk is not installed")
@pytest.mark.django_db
@pytest.mark.parametrize(("app", "name"), migrations())
def test_a_migration_locks_no_table_for_long(app: str, name: str) -> None:
    sql = StringIO()
    call_command("sqlmigrate", app, name, stdout=sql)
    excluded = NOT_OURS | (OF_FIRST_MIGRATIONS if name.endswith("_initial") else set())
    command = ["squawk", "--pg-version", "15", "--reporter", "gcc", "--exclude", ",".join(excluded)]
    done = subprocess.run(
        command, input=sql.getvalue(), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
