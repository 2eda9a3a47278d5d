"""Audit events: append-only, and without foreign keys, so that they outlive what they speak of."""

from __future__ import annotations

from typing import Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from skillmeat_site.accounts.models import Project, Role, User
from skillmeat_site.rows import Row


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, user: User) -> Self:
        """The events of the projects that this user is an admin of; for a superuser all, also those of none."""
        if user.is_superuser:
            return self
        return self.filter(project_id__in=Project.objects.with_role(user, Role.ADMIN).values("pk"))

    def in_project(self, slug: str) -> Self:
        """The events of the project that has this slug now, by its id, which an index knows."""
        return self.filter(project_id__in=Project.objects.filter(slug=slug).values("pk"))

    def of_project(self, name: str) -> Self:
        """The events of the project with this slug or outside id, whether or not it is still there."""
        same = Q(project=name)
        if (project_id := Project.decode(name)) is not None:
            same |= Q(project_id=project_id)
        return self.filter(same)


class AuditEvent(Row):
    id_prefix = "aud"

    at = models.DateTimeField(db_index=True)
    verb = models.CharField(max_length=60, db_index=True)
    actor_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=150, help_text="The user's name; empty for the system itself.")
    object_kind = models.CharField(max_length=60)
    object_id = models.UUIDField(null=True, db_index=True)
    object_label = models.CharField(max_length=300)
    project_id = models.UUIDField(null=True)
    project = models.CharField(max_length=50)
    request_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["project_id", "id"], name="audit_event_by_project"),)

    def __str__(self) -> str:
        return f"{self.actor or 'system'} {self.verb} {self.object_label}"
