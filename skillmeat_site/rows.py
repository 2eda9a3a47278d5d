"""What every table of ours has in common: UUIDv7 keys, the form in which ids leave the house, how many rows go."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models, transaction

from skillmeat_site import ids

BATCH = 500


class Row(models.Model):
    """A table whose ids sort by creation. `id_prefix` names the kind in the outside form, if it has one."""

    id_prefix: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        return ids.encode(self.id_prefix, self.id)

    @classmethod
    def made_since(cls, at: datetime) -> models.QuerySet[Any]:
        """The rows made since then, found by their keys, so that it costs as much as there are."""
        return cls._default_manager.filter(pk__gte=ids.first_at(at.timestamp()))

    @classmethod
    def decode(cls, text: str) -> UUID | None:
        """The id behind an outside form of this kind, or None."""
        try:
            return ids.decode(cls.id_prefix, text)
        except ValueError:
            return None


def remove(rows: models.QuerySet[Any], *, dry_run: bool = False) -> int:
    """Delete these rows, however many they are, in short transactions; how many there were, or would be.

    A row that is not among them any more when its turn comes stays. Safe to interrupt and to run twice at once.
    """
    if dry_run:
        return rows.count()
    removed, last = 0, None
    while True:
        left = rows if last is None else rows.filter(pk__gt=last)
        batch = list(left.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not batch:
            return removed
        with transaction.atomic():
            _, by_model = rows.filter(pk__in=batch).delete()
        removed += by_model.get(rows.model._meta.label, 0)
        last = batch[-1]
