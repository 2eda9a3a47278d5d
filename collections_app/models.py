"""What a project has taken: collections, artifacts with immutable versions, ordered groups, refresh runs."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q

from marketplace.models import Entry, Manifest, Source
from marketplace.models.entry import TYPES
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.rows import Row

REFRESH = "refresh"


class CollectionQuerySet(ProjectOwnedQuerySet["Collection"]):
    pass


class Collection(Row):
    id_prefix = "col"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    refresh_interval = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds, at least 900.")
    next_refresh_at = models.DateTimeField(null=True, db_index=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = CollectionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["project", "name"], name="collection_name_once_per_project"),
            models.CheckConstraint(
                condition=Q(refresh_interval=None) | Q(refresh_interval__gte=900),
                name="refresh_interval_sane",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ArtifactQuerySet(ProjectOwnedQuerySet["Artifact"]):
    project_path = "collection__project"


class Artifact(Row):
    """Its id is shown as a plain UUID: the identity that deployment sets resolve to."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="artifacts")
    type = models.CharField(max_length=10, choices=TYPES)
    namespace = models.CharField(max_length=500, blank=True)
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=60, blank=True, help_text="What upstream calls it.")
    license = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list)
    members = models.JSONField(default=list, help_text="Of a plugin: type, name and path of each member.")
    edited_fields = models.JSONField(default=list, help_text="What people changed here; refreshes keep it.")

    # Where it came from; the texts stay when source and entry are gone.
    source = models.ForeignKey(Source, null=True, on_delete=models.SET_NULL, related_name="artifacts")
    entry = models.ForeignKey(Entry, null=True, on_delete=models.SET_NULL, related_name="artifacts")
    origin_url = models.CharField(max_length=500)
    origin_ref = models.CharField(max_length=255)
    origin_locator = models.CharField(max_length=1000)
    origin_path = models.CharField(max_length=1000)

    current = models.ForeignKey(
        "ArtifactVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Never null for long.",
    )
    upstream_sha = models.CharField(max_length=64, blank=True, help_text="The commit a refresh saw last.")
    upstream_digest = models.CharField(max_length=71, blank=True)
    refreshed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["collection", "type", "namespace", "name"], name="artifact_name_once_per_collection"
            ),
            models.CheckConstraint(
                condition=Q(type__in=[name for name, _ in TYPES]), name="artifact_type_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    @property
    def project(self) -> Project:
        return self.collection.project


class Reason(models.TextChoices):
    """Why a version came to be."""

    IMPORT = "import"
    SYNC = "sync"
    ROLLBACK = "rollback"


class ArtifactVersion(Row):
    """One state of an artifact's content; never changed."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="Counts from 1 within the artifact.")
    commit = models.CharField(max_length=64)
    content_digest = models.CharField(max_length=71)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="versions")
    reason = models.CharField(max_length=8, choices=Reason)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=["artifact", "number"], name="version_number_once_per_artifact"),
            models.CheckConstraint(condition=Q(reason__in=Reason.values), name="version_reason_known"),
        )

    def __str__(self) -> str:
        return f"version {self.number}"


class GroupQuerySet(ProjectOwnedQuerySet["Group"]):
    project_path = "collection__project"


class Group(Row):
    id_prefix = "grp"

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = GroupQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["collection", "name"], name="group_name_once_per_collection"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def project(self) -> Project:
        return self.collection.project


class GroupMember(models.Model):
    """An artifact's place in a group; positions count from 0 without gaps."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="group_memberships")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=["group", "artifact"], name="artifact_once_per_group"),)

    def __str__(self) -> str:
        return f"{self.position}. {self.artifact_id}"


class RefreshRunQuerySet(ProjectOwnedQuerySet["RefreshRun"]):
    project_path = "collection__project"

    def running(self) -> Self:
        return self.filter(finished_at=None)


class RefreshRun(Row):
    """One refresh of a collection and what came of it."""

    id_prefix = "ref"

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="refreshes")
    mode = models.CharField(max_length=20)
    status = models.CharField(max_length=10, blank=True, help_text="Empty while it runs.")
    result = models.JSONField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = RefreshRunQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["collection"], condition=Q(finished_at=None), name="one_refresh_per_collection"
            ),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("started_at")),
                name="refresh_ends_after_start",
            ),
        )

    def __str__(self) -> str:
        return f"{self.mode} of {self.collection_id}"
