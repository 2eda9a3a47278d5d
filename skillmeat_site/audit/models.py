"""Audit events: append-only, and without foreign keys, so that they outlive what they speak of."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from skillmeat_site.rows import Row


class AuditEvent(Row):
    at = models.DateTimeField(db_index=True)
    verb = models.CharField(max_length=60, db_index=True)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=150, help_text="The user's name; empty for the system itself.")
    object_kind = models.CharField(max_length=60)
    object_id = models.UUIDField(null=True, db_index=True)
    object_label = models.CharField(max_length=300)
    project_id = models.UUIDField(null=True, db_index=True)
    project = models.CharField(max_length=50)
    request_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.actor or 'system'} {self.verb} {self.object_label}"
