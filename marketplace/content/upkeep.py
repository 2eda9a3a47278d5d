"""Keeping the store clean and whole: what nothing refers to goes, what is damaged is found."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from marketplace.content.storage import INCOMING, content_storage, name_of
from marketplace.content.store import ContentDamaged, change, read
from marketplace.fetching import Progress
from marketplace.models.content import Blob, Manifest

BATCH = 200


@dataclass(slots=True, kw_only=True)
class Collected:
    """What was, or would be, removed; `leftovers` are files that interrupted writes left behind."""

    manifests: int = 0
    blobs: int = 0
    bytes: int = 0
    leftovers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A blob that is not what it should be, why, and the manifests that list it."""

    digest: str
    reason: str
    manifests: tuple[str, ...] = ()


def collect_garbage(*, before: datetime, dry_run: bool, progress: Progress) -> Collected:
    """Remove what no row refers to and nothing has wanted since `before`.

    Safe while scans run, as these say what they want before they rely on it; safe to interrupt and repeat.
    """
    collected = Collected()
    progress("manifests")
    collected.manifests = _remove_manifests(before, dry_run=dry_run)
    needed = _digests_in_use(before)
    old = Blob.objects.filter(wanted_at__lt=before)
    total = old.count()
    for done, batch in enumerate(_batches(old), start=1):
        _remove_blobs(
            [blob for blob in batch if blob.digest not in needed], before, collected, dry_run=dry_run
        )
        progress("files", min(done * BATCH, total), total)
    collected.leftovers = _remove_leftovers(before, dry_run=dry_run)
    return collected


def _unreferenced(before: datetime) -> QuerySet[Manifest]:
    """Old manifests to which no foreign key points, whatever app it belongs to."""
    manifests = Manifest.objects.filter(wanted_at__lt=before)
    for relation in Manifest._meta.related_objects:
        users = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        manifests = manifests.exclude(Exists(users))
    return manifests


def _remove_manifests(before: datetime, *, dry_run: bool) -> int:
    garbage = _unreferenced(before)
    if dry_run:
        return garbage.count()
    removed = 0
    while batch := list(garbage.values_list("pk", flat=True)[:BATCH]):
        removed += garbage.filter(pk__in=batch).delete()[0]
    return removed


def _digests_in_use(before: datetime) -> set[str]:
    """What stays listed once the unreferenced manifests are gone."""
    kept = Manifest.objects.exclude(pk__in=_unreferenced(before).values("pk"))
    lists = kept.values_list("files", flat=True).iterator(chunk_size=BATCH)
    return {file["digest"] for files in lists for file in files if file["digest"]}


def _remove_blobs(blobs: list[Blob], before: datetime, collected: Collected, *, dry_run: bool) -> None:
    """Rows and files of a batch.

    They are declared not whole first and for good, so that no row ever promises bytes that are gone, however
    this ends. The lock makes a scan that wants one of them wait, and then write it anew: the one place that
    asks the storage inside a transaction, once for the whole batch.
    """
    old = Blob.objects.filter(pk__in=[blob.pk for blob in blobs], wanted_at__lt=before)
    if not dry_run:
        change(old, is_whole=False)
    with transaction.atomic():
        doomed = list(old if dry_run else old.order_by("pk").select_for_update())  # all lock in this order
        collected.blobs += len(doomed)
        collected.bytes += sum(blob.size for blob in doomed)
        if not dry_run:
            Blob.objects.filter(pk__in=[blob.pk for blob in doomed]).delete()
            content_storage().delete_all([name_of(blob.digest) for blob in doomed])


def _remove_leftovers(before: datetime, *, dry_run: bool) -> int:
    storage = content_storage()
    if not storage.exists(INCOMING):
        return 0
    paths = [f"{INCOMING}/{name}" for name in storage.listdir(INCOMING)[1]]
    old = [path for path in paths if _is_older(path, before)]
    for path in () if dry_run else old:
        storage.delete(path)
    return len(old)


def _is_older(path: str, before: datetime) -> bool:
    try:
        return content_storage().get_modified_time(path) < before
    except FileNotFoundError:  # a scan has just moved it to its place
        return False


def check(*, dry_run: bool, progress: Progress) -> list[Damage]:
    """Read every blob; which are damaged or missing. Unless `dry_run`, the next scan with force replaces them."""
    total = Blob.objects.count()
    reasons: dict[str, str] = {}
    known: set[str] = set()
    for batch in _batches(Blob.objects.all()):
        for blob in batch:
            known.add(blob.digest)
            if reason := _fault(blob.digest):
                reasons[blob.digest] = reason
        progress("checking", len(known), total)
    lists = _manifests_listing(reasons, known)
    never = dict.fromkeys(lists.keys() - reasons.keys(), "It is listed but was never stored.")
    # What is not whole and not listed is the rest of an interrupted write: garbage, but no damage.
    unlisted = Blob.objects.filter(pk__in=reasons.keys() - lists.keys(), is_whole=False)
    garbage = set(unlisted.values_list("pk", flat=True))
    if not dry_run:
        change(Blob.objects.filter(pk__in=reasons), is_whole=False)
    return [
        Damage(digest=digest, reason=reason, manifests=tuple(lists.get(digest, ())))
        for digest, reason in sorted((reasons | never).items())
        if digest not in garbage
    ]


def _fault(digest: str) -> str:
    try:
        read(digest)
    except ContentDamaged as damage:
        return damage.detail
    return ""


def _manifests_listing(damaged: dict[str, str], known: set[str]) -> dict[str, list[str]]:
    """The manifests that list each damaged blob, or one that is not known at all."""
    found: dict[str, list[str]] = {}
    rows = Manifest.objects.values_list("pk", "files").iterator(chunk_size=BATCH)
    for manifest, files in rows:
        for digest in {file["digest"] for file in files} - {None}:
            if digest in damaged or digest not in known:
                found.setdefault(digest, []).append(manifest)
    return found


def _batches(blobs: QuerySet[Blob]) -> Iterator[list[Blob]]:
    """By key, so that removing rows on the way skips none."""
    last = ""
    while batch := list(islice(blobs.filter(pk__gt=last).order_by("pk")[:BATCH], BATCH)):
        yield batch
        last = batch[-1].pk
