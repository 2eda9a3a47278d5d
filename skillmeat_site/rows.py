"""What every table of ours has in common: a UUIDv7 primary key, and the form in which ids leave the house."""

from typing import ClassVar
from uuid import UUID

from django.db import models

from skillmeat_site import ids


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
    def decode(cls, text: str) -> UUID | None:
        """The id behind an outside form of this kind, or None."""
        try:
            return ids.decode(cls.id_prefix, text)
        except ValueError:
            return None
