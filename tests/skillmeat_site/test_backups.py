"""A backup that is made while people write is whole, and becomes a working installation elsewhere."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections

from marketplace.models import Blob, Manifest
from tests.factories import EntryFactory, SourceFactory, stored
from tests.installations import address, finished, manage

pytestmark = pytest.mark.django_db(transaction=True)
AT_FIRST = 20


def write(number: int, source: Any) -> None:
    manifest = stored({f"{name}.md": f"{name} of {number}".encode() for name in range(5)})
    EntryFactory(source=source, manifest=Manifest.objects.get(pk=manifest.digest))


@contextmanager
def somebody_writing(source: Any) -> Iterator[None]:
    """Inside, content and the rows that refer to it come in without a pause."""
    stop, failures = threading.Event(), []

    def go_on() -> None:
        number = AT_FIRST
        try:
            while not stop.is_set():
                write(number, source)
                number += 1
        except Exception as error:  # noqa: BLE001  what a thread raises is told by nobody else
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert failures == []
    assert Blob.objects.count() > 5 * AT_FIRST


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if connection.vendor == "sqlite":
        yield address(str(tmp_path / "elsewhere.sqlite3"))
        return
    name = f"{connection.settings_dict['NAME']}_elsewhere"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    yield address(name)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.slow
def test_what_is_backed_up_while_somebody_writes_is_whole_where_it_is_restored(
    on_disk: None, tmp_path: Path, elsewhere: str, settings: Any
) -> None:
    source, backup, data = SourceFactory(), tmp_path / "backup", tmp_path / "other"
    for number in range(AT_FIRST):
        write(number, source)
    undo = settings.SKILLMEAT_DATA_DIR / "undo/dep_1/file"
    undo.parent.mkdir(parents=True)
    undo.write_text("what was there before")
    with somebody_writing(source):
        call_command("backup", str(backup))
    code, out, err = finished(manage("restore", str(backup), data=data, database=elsewhere))
    assert (code, "Restored the backup" in out) == (0, True), err
    assert (data / "undo/dep_1/file").read_text() == "what was there before"
    code, out, err = finished(manage("check_content", "--json", data=data, database=elsewhere))
    assert (code, json.loads(out)["items"]) == (0, []), err
    code, out, _ = finished(manage("rebuild_search_index", "--json", data=data, database=elsewhere))
    assert (code, json.loads(out)["documents"] >= AT_FIRST) == (0, True)
    code, _, err = finished(manage("restore", str(backup), data=data, database=elsewhere))
    assert (code, "There is data already" in err) == (1, True)


def test_a_backup_overwrites_nothing_and_is_for_its_owner_alone(on_disk: None, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "backup"))
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", str(tmp_path / "backup"))


def test_a_backup_that_was_cut_off_is_not_restored(on_disk: None, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "backup"))
    (tmp_path / "backup/backup.json").unlink()
    with pytest.raises(CommandError, match="no complete backup"):
        call_command("restore", str(tmp_path / "backup"))
