"""A copy of everything that cannot be made again: the database, the content, what undoing needs, the secret key.

The database is copied first, as it is at one moment. Content is written before rows refer to it and is never
changed, so what is copied after that holds all that the copied rows refer to, whatever runs meanwhile.
"""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

from skillmeat_site.errors import DomainError, Kind

CONTENT = "content"
UNDO = "undo"
SECRET_KEY = "secret-key"  # noqa: S105  a file's name
DATABASE = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
SUMMARY = "backup.json"  # written last: without it, a backup was cut off


class BackupRefused(DomainError):
    """A backup goes into a new directory, so that none is overwritten, and is restored into an empty installation."""

    code = "backup_refused"
    kind = Kind.CONFLICT
    title = "Something is there already"


class BackupFailed(DomainError):
    """The database's own tool could not do it."""

    code = "backup_failed"
    kind = Kind.CONFLICT
    title = "The database could not be copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a backup holds; `bytes` are those of the files, without the database."""

    made_at: str
    database: str
    files: int
    bytes: int


def back_up(directory: Path, *, at: datetime) -> Summary:
    """Copy everything into this new directory; safe while servers and workers run.

    Raises BackupRefused when it is there already, and BackupFailed.
    """
    try:
        directory.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        raise BackupRefused(f"{directory} is there already.", hint="Name a new directory.") from None
    _dump(directory / DATABASE[connection.vendor])
    data: Path = settings.SKILLMEAT_DATA_DIR
    sizes = [*_copy(data / CONTENT, directory / CONTENT, link=True), *_copy(data / UNDO, directory / UNDO)]
    with contextlib.suppress(FileNotFoundError):  # it is in the environment then
        shutil.copy2(data / SECRET_KEY, directory / SECRET_KEY)
    summary = Summary(made_at=at.isoformat(), database=connection.vendor, files=len(sizes), bytes=sum(sizes))
    os.sync()
    (directory / SUMMARY).write_text(json.dumps(asdict(summary)))
    return summary


def restore(directory: Path) -> Summary:
    """Put a backup into the empty installation that the settings name.

    Raises BackupRefused when it is none, is of another database, or when there is data already; BackupFailed.
    """
    try:
        summary = Summary(**json.loads((directory / SUMMARY).read_text()))
    except (OSError, ValueError, TypeError):
        raise BackupRefused(f"{directory} is no complete backup: it has no {SUMMARY}.") from None
    if summary.database != connection.vendor:
        raise BackupRefused(
            f"It is a backup of {summary.database}, and DATABASE_URL names {connection.vendor}."
        )
    data: Path = settings.SKILLMEAT_DATA_DIR
    if (data / CONTENT).exists() or _has_database():
        hint = "Set SKILLMEAT_DATA_DIR, and DATABASE_URL, to an empty installation."
        raise BackupRefused("There is data already.", hint=hint)
    for _ in (*_copy(directory / CONTENT, data / CONTENT), *_copy(directory / UNDO, data / UNDO)):
        pass
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(directory / SECRET_KEY, data / SECRET_KEY)
    _load(directory / DATABASE[connection.vendor])
    os.sync()
    return summary


def _copy(source: Path, target: Path, *, link: bool = False) -> Iterator[int]:
    """The sizes of the files copied; what vanishes meanwhile is passed over.

    `link`: share the bytes where the file system can, which is right for files that are never changed.
    """
    for place, _, names in os.walk(source):
        new = target / Path(place).relative_to(source)
        new.mkdir(parents=True, exist_ok=True)
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                yield _copy_file(Path(place, name), new / name, link=link)


def _copy_file(source: Path, target: Path, *, link: bool) -> int:
    if link:
        with contextlib.suppress(OSError):
            target.hardlink_to(source)
            return target.stat().st_size
    shutil.copy2(source, target, follow_symlinks=False)
    return target.lstat().st_size


def _dump(file: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with contextlib.closing(sqlite3.connect(file)) as copy:
            connection.connection.backup(copy)
        file.chmod(0o600)
    else:
        _run("pg_dump", "--format=custom", f"--file={file}")


def _has_database() -> bool:
    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).exists()
    return bool(connection.introspection.table_names())


def _load(file: Path) -> None:
    if connection.vendor == "sqlite":
        shutil.copyfile(file, connection.settings_dict["NAME"])
    else:
        _run("pg_restore", "--no-owner", "--single-transaction", str(file), into="--dbname=")


def _run(program: str, *arguments: str, into: str = "") -> None:
    """One of PostgreSQL's programs on our database, told of it as Django tells psql."""
    given, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    call = [program, *given[1:-1], *arguments, f"{into}{given[-1]}"]
    try:
        done = subprocess.run(  # noqa: S603  PostgreSQL's own programs, with fixed words and our settings
            call, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        hint = "Install PostgreSQL's client programs (on Debian: apt-get install postgresql-client)."
        raise BackupFailed(f"There is no {program}.", hint=hint) from None
    if done.returncode:
        raise BackupFailed(f"{program}: {done.stderr.strip()}")
