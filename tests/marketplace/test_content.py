"""The content store: written once, verified when read, cleaned and checked without harm.

All of this holds on files and on objects alike; what is only theirs is in the two files beside this one.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import ProtectedError
from django.utils import timezone

from marketplace.content import store, upkeep
from marketplace.content.storage import content_storage, name_of
from marketplace.content.store import ContentDamaged, ContentStore
from marketplace.manifest import ContentKind, Manifest as ManifestValue, ManifestFile
from marketplace.models import Blob, Manifest, Source
from tests.factories import EntryFactory
from tests.scanning import Create, Scan

LONG_AGO = timezone.now() - timedelta(days=3)
YESTERDAY = timezone.now() - timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=["files", "objects"])
def storage(request: pytest.FixtureRequest) -> None:
    """Where contents are kept."""
    if request.param == "objects":
        request.getfixturevalue("objects")


def silent(phase: str, done: int = 0, total: int = 0) -> None:
    """Nobody watches."""


def put(*contents: bytes, at: Any = LONG_AGO) -> list[str]:
    return ContentStore(at=at).put(contents)


def manifest_of(*digests: str, at: Any = LONG_AGO) -> Manifest:
    files = tuple(
        ManifestFile(path=str(n), kind=ContentKind.FILE, mode="100644", size=1, sha="", digest=digest)
        for n, digest in enumerate(digests)
    )
    value = ManifestValue(files=files)
    ContentStore(at=at).keep({value.digest: value})
    return Manifest.objects.get(pk=value.digest)


def spoil(digest: str) -> None:
    content_storage().save_all({name_of(digest): b"?"})


def lose(digest: str) -> None:
    content_storage().delete_all([name_of(digest)])


def is_there(digest: str) -> bool:
    return content_storage().exists(name_of(digest))


def collect(*, dry_run: bool = False) -> upkeep.Collected:
    return upkeep.collect_garbage(before=YESTERDAY, dry_run=dry_run, progress=silent)


def check(*, dry_run: bool = False) -> list[upkeep.Damage]:
    return upkeep.check(dry_run=dry_run, progress=silent)


def test_what_is_put_in_is_what_comes_out() -> None:
    digests = put(b"one", b"", b"one")
    assert digests == [hashlib.sha256(data).hexdigest() for data in (b"one", b"", b"one")]
    assert [store.read(digest) for digest in digests] == [b"one", b"", b"one"]
    assert Blob.objects.count() == 2


def test_a_file_that_a_check_missed_is_written_again() -> None:
    (digest,) = put(b"one")
    lose(digest)
    assert [damage.digest for damage in check()] == [digest]
    put(b"one")
    assert store.read(digest) == b"one"


@pytest.mark.parametrize("damage", [lose, spoil])
def test_damaged_content_is_never_given_out(damage: Callable[[str], None]) -> None:
    (digest,) = put(b"one")
    damage(digest)
    with pytest.raises(ContentDamaged, match=digest):
        store.read(digest)


def test_garbage_is_what_nothing_refers_to_and_is_old() -> None:
    used, unused, young = put(b"used"), put(b"unused"), put(b"young", at=timezone.now())
    EntryFactory(manifest=manifest_of(*used))
    manifest_of(*unused)
    fresh = manifest_of(*young, at=timezone.now())
    collected = collect()
    assert (collected.manifests, collected.blobs, collected.bytes) == (1, 1, len(b"unused"))
    assert set(Blob.objects.values_list("pk", flat=True)) == {*used, *young}
    assert Manifest.objects.filter(pk=fresh.pk).exists()
    assert not is_there(unused[0])
    assert is_there(used[0])
    assert collect() == upkeep.Collected()


def test_a_dry_run_says_the_same_and_removes_nothing() -> None:
    (digest,) = put(b"unused")
    manifest_of(digest)
    before = collect(dry_run=True)
    assert store.read(digest) == b"unused"
    assert collect() == before == upkeep.Collected(manifests=1, blobs=1, bytes=6)


def test_many_pieces_of_garbage_go_in_batches() -> None:
    put(*(str(n).encode() for n in range(210)))
    kept = put(b"0")
    EntryFactory(manifest=manifest_of(*kept))
    assert collect().blobs == 209
    assert list(Blob.objects.values_list("pk", flat=True)) == kept


def test_content_that_a_scan_wants_again_is_no_garbage() -> None:
    (digest,) = put(b"wanted")
    put(b"wanted", at=timezone.now())  # a scan relies on it and has not saved its entries yet
    assert collect() == upkeep.Collected()
    assert store.read(digest) == b"wanted"


def test_a_manifest_that_is_used_cannot_be_deleted() -> None:
    entry = EntryFactory(manifest=manifest_of(*put(b"used")))
    with pytest.raises(ProtectedError):
        entry.manifest.delete()


def test_deleting_a_source_makes_its_content_garbage_after_a_day(source: Source) -> None:
    assert collect() == upkeep.Collected()
    source.delete()
    assert collect() == upkeep.Collected()  # it is young
    Blob.objects.update(wanted_at=LONG_AGO)
    Manifest.objects.update(wanted_at=LONG_AGO)
    assert collect().blobs == 3
    assert (Blob.objects.count(), Manifest.objects.count()) == (0, 0)


def test_a_check_finds_nothing_where_nothing_is_wrong(source: Source) -> None:
    assert check() == []


def test_a_check_finds_other_bytes_missing_files_and_missing_rows() -> None:
    other, gone, never = put(b"other"), put(b"gone"), [hashlib.sha256(b"never").hexdigest()]
    spoil(other[0])
    lose(gone[0])
    listing = manifest_of(*never, *gone)
    found = {damage.digest: damage.manifests for damage in check()}
    assert found == {other[0]: (), gone[0]: (listing.pk,), never[0]: (listing.pk,)}


@pytest.mark.parametrize("damage", [lose, spoil])
def test_a_forced_scan_mends_what_is_damaged(
    source: Source, scan: Scan, damage: Callable[[str], None]
) -> None:
    (digest,) = Blob.objects.order_by("pk").values_list("pk", flat=True)[:1]
    damage(digest)
    assert [found.digest for found in check(dry_run=True)] == [digest]
    scan(source, force=True)
    assert check() == []


def test_what_a_check_found_is_whole_again_after_a_forced_scan(source: Source, scan: Scan) -> None:
    digest = source.entries.get(name="pdf").manifest.files[0]["digest"]
    spoil(digest)
    assert [found.digest for found in check()] == [digest]
    assert not Blob.objects.get(pk=digest).is_whole
    scan(source, force=True)
    assert check() == []
    assert not Blob.objects.filter(is_whole=False).exists()


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_collect_garbage_tells_what_it_did(source: Source) -> None:
    put(b"unused")
    said = json.loads(run("collect_garbage", "--dry-run", "--json"))
    assert said == {"manifests": 0, "blobs": 1, "bytes": 6, "leftovers": 0, "dry_run": True}
    assert run("collect_garbage").startswith("Removed 1 files (6 bytes)")
    assert Blob.objects.count() == 3


def test_check_content_names_the_sources_to_scan_again(source: Source, capsys: Any) -> None:
    assert run("check_content") == "Every stored file is what it should be.\n"
    digest = source.entries.get(name="pdf").manifest.files[0]["digest"]
    spoil(digest)
    out = StringIO()
    with pytest.raises(CommandError, match="1 stored files are damaged"):
        call_command("check_content", stdout=out)
    assert f"rescan_sources --source {source.public_id} --force" in out.getvalue()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_content", "--json", "--dry-run", stdout=out)
    (damage,) = json.loads(out.getvalue())["items"]
    assert damage["sources"] == [source.public_id]
    assert "checking" in capsys.readouterr().err


def test_an_old_scan_that_never_saved_leaves_only_garbage(tools: Any, create: Create) -> None:
    source = create()
    kept = Blob.objects.count()
    put(b"of a scan that was killed")
    assert collect().blobs == 1
    assert Blob.objects.count() == kept
    assert source.entries.count() == 3
