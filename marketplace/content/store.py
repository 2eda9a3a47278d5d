"""Putting content in and getting it out: written once, verified when read."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from marketplace.content.storage import content_storage, name_of
from marketplace.manifest import Manifest as ManifestValue
from marketplace.models.content import Blob, Manifest
from skillmeat_site.errors import DomainError


class ContentDamaged(DomainError):
    """A stored file is missing or has other bytes than those that were stored. It is never given out.

    `manage.py check_content` finds all such files and the sources to scan again.
    """

    code = "content_damaged"
    title = "Stored content is damaged"
    hint = "Run `manage.py check_content`, then scan the source again with force."


class ContentStore:
    """The store as one scan uses it.

    `at`: until a day after it, what was put is safe from garbage collection. `anew`: what is there is written
    again, because it may be damaged.
    """

    def __init__(self, *, at: datetime, anew: bool = False) -> None:
        self._at, self._anew = at, anew

    def put(self, contents: Sequence[bytes]) -> list[str]:
        """Store each if it is not there yet, or anew; their SHA-256 (hex), in the same order."""
        digests = [hashlib.sha256(data).hexdigest() for data in contents]
        blobs = dict(zip(digests, contents, strict=True))
        there = set() if self._anew else self._claim(blobs)
        if missing := {digest: data for digest, data in blobs.items() if digest not in there}:
            self._write(missing)
        return digests

    def _claim(self, digests: Collection[str]) -> set[str]:
        """What is there already. Saying first that it is wanted keeps the garbage collection from taking it.

        The rows' word is enough: one says that it is whole only after its bytes were stored for good, and
        `check_content` takes that back. Asking the storage as well would be a request for each.
        """
        return change(Blob.objects.filter(digest__in=digests, is_whole=True), wanted_at=self._at)

    def _write(self, blobs: Mapping[str, bytes]) -> None:
        """Rows first, so that what a killed process leaves is known and can be collected."""
        Blob.objects.bulk_create(
            [
                Blob(digest=digest, size=len(data), wanted_at=self._at)
                for digest, data in sorted(blobs.items())  # the order of `change`
            ],
            update_conflicts=True,
            unique_fields=["digest"],
            update_fields=["wanted_at"],
        )
        content_storage().save_all({name_of(digest): data for digest, data in blobs.items()})
        change(Blob.objects.filter(digest__in=blobs), is_whole=True)

    def keep(self, manifests: Mapping[str, ManifestValue]) -> None:
        """Store each manifest, given by its digest, if it is not there yet."""
        rows = [
            Manifest(digest=digest, files=manifest.rows, size=manifest.size, wanted_at=self._at)
            for digest, manifest in sorted(manifests.items())
        ]
        Manifest.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["digest"], update_fields=["wanted_at"]
        )


def change(blobs: QuerySet[Blob], **values: Any) -> set[str]:
    """Set these values; which blobs that were. All lock in one order, or two scans could wait in a circle."""
    with transaction.atomic():
        digests = set(blobs.select_for_update().order_by("pk").values_list("pk", flat=True))
        Blob.objects.filter(pk__in=digests).update(**values)
    return digests


def read(digest: str) -> bytes:
    """The bytes with this SHA-256. Raises ContentDamaged when they are not there, ContentUnavailable."""
    try:
        with content_storage().open(name_of(digest)) as file:
            data: bytes = file.read()
    except OSError:
        raise ContentDamaged(f"The file {digest} cannot be read.") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise ContentDamaged(f"The file {digest} has other bytes than were stored.")
    return data
