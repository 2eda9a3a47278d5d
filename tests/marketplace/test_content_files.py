"""Contents as files: whole or not there, private, and safe from a power cut once a row promises them."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from marketplace.content import store, upkeep
from marketplace.content.storage import content_storage, name_of
from marketplace.content.store import ContentStore
from marketplace.models import Blob

LONG_AGO = timezone.now() - timedelta(days=3)
YESTERDAY = timezone.now() - timedelta(days=1)
pytestmark = pytest.mark.django_db


def put(*contents: bytes) -> list[str]:
    return ContentStore(at=LONG_AGO).put(contents)


def path_of(digest: str) -> Path:
    return Path(content_storage().path(name_of(digest)))


def test_content_is_written_once() -> None:
    (digest,) = put(b"one")
    written = path_of(digest).stat()
    put(b"one")
    assert path_of(digest).stat().st_ino == written.st_ino


def test_stored_files_are_for_the_servers_user_alone() -> None:
    (digest,) = put(b"one")
    assert path_of(digest).stat().st_mode & 0o077 == 0


def test_files_and_their_directories_are_synced_before_a_row_promises_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    sync = os.fsync

    def watched(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def promised(execute: Any, sql: str, *rest: Any) -> Any:
        done.extend(["promised"] if sql.startswith('UPDATE "marketplace_blob" SET "is_whole"') else [])
        return execute(sql, *rest)

    monkeypatch.setattr(os, "fsync", watched)
    with connection.execute_wrapper(promised):
        (digest,) = put(b"one")
    assert "/incoming/" in done[0]
    assert set(done[1:-1]) == {str(directory) for directory in path_of(digest).parents[:3]}
    assert done[-1] == "promised"


def leftover(name: str) -> Path:
    incoming = Path(content_storage().path("incoming"))
    incoming.mkdir(parents=True, exist_ok=True)
    (incoming / name).write_bytes(b"half")
    return incoming / name


@pytest.mark.parametrize("dry_run", [True, False])
def test_leftovers_of_interrupted_writes_go(dry_run: bool) -> None:
    old, young = leftover("tmpold"), leftover("tmpyoung")
    os.utime(old, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    collected = upkeep.collect_garbage(before=YESTERDAY, dry_run=dry_run, progress=lambda *_: None)
    assert collected.leftovers == 1
    assert (old.exists(), young.exists()) == (dry_run, True)


def test_a_collection_that_is_cut_off_leaves_no_promise_of_what_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (digest,) = put(b"one")

    def cut_off(path: str) -> None:
        raise KeyboardInterrupt(path)

    monkeypatch.setattr(os, "remove", lambda path: (Path(path).unlink(), cut_off(path)))
    with pytest.raises(KeyboardInterrupt):
        upkeep.collect_garbage(before=YESTERDAY, dry_run=False, progress=lambda *_: None)
    assert Blob.objects.filter(pk=digest).exists()
    put(b"one")
    assert store.read(digest) == b"one"
