"""What a project has taken: collections, artifacts with immutable versions, ordered groups, refresh runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce

from marketplace.models import Entry, Manifest, Source
from marketplace.models.entry import TYPES
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.jobs.models import Job
from skillmeat_site.rows import Row

REFRESH = "refresh"
BATCH = 500


class CollectionQuerySet(ProjectOwnedQuerySet["Collection"]):
    def matching(self, text: str) -> Self:
        """Collections whose name or description contains the text, whatever its case."""
        return self.filter(search_text__contains=text.casefold())

    def due(self, at: datetime) -> Self:
        return self.filter(next_refresh_at__lte=at).order_by("next_refresh_at")

    def with_numbers(self) -> Self:
        """Annotates `artifact_count`, `update_count`, and of the last refresh `refreshed_at`, `refresh_status`."""
        own: dict[str, Any] = {"collection": OuterRef("pk")}
        ended = RefreshRun.objects.filter(**own).exclude(finished_at=None).order_by("-id")
        return self.annotate(
            artifact_count=_count(Artifact.objects.filter(**own)),
            update_count=_count(Artifact.objects.with_update_available().outdated().filter(**own)),
            refreshed_at=Subquery(ended.values("finished_at")[:1]),
            refresh_status=Subquery(ended.values("status")[:1]),
        )


def _count(rows: models.QuerySet[Any]) -> Coalesce:
    """How many rows of a collection there are, as a subquery."""
    counted = rows.order_by().values("collection").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)


class Collection(Row):
    id_prefix = "col"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="collections")
    name = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    refresh_interval = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds, at least 900.")
    next_refresh_at = models.DateTimeField(null=True, db_index=True)
    search_text = models.TextField(editable=False, help_text="What `matching` looks into, case-folded.")
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

    def next_refresh_after(self, at: datetime) -> datetime | None:
        return at + timedelta(seconds=self.refresh_interval) if self.refresh_interval else None

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = f"{self.name}\n{self.description}".casefold()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text"}
        super().save(*args, **kwargs)


class ArtifactQuerySet(ProjectOwnedQuerySet["Artifact"]):
    project_path = "collection__project"

    def write(self, artifacts: Sequence[Artifact], fields: Sequence[str]) -> None:
        """Save these fields of rows that exist and are locked; as an upsert, five times as fast as bulk_update."""
        self.bulk_create(
            artifacts, update_conflicts=True, unique_fields=["id"], update_fields=fields, batch_size=BATCH
        )

    def with_update_available(self) -> Self:
        """Annotates `update_available`: upstream was last seen with other content than is here now.

        Seen by a refresh or the import, or by a scan of the source that came later.
        """
        scanned_later = Q(entry__removed_at=None, entry__changed_at__gt=F("upstream_seen_at"))
        latest = Case(When(scanned_later, then=F("entry__content_digest")), default=F("upstream_digest"))
        return self.annotate(latest_digest=Coalesce(latest, F("upstream_digest"))).annotate(
            update_available=Case(
                When(Q(latest_digest="") | Q(latest_digest=F("current__content_digest")), then=False),
                default=True,
                output_field=models.BooleanField(),
            )
        )

    def outdated(self) -> Self:
        """Those with an update available; after `with_update_available`."""
        return self.filter(update_available=True)


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
    origin_settings = models.JSONField(
        default=dict, help_text="How its source was read; its fields are those of DetectionSettings."
    )

    current = models.ForeignKey(
        "ArtifactVersion",
        on_delete=models.RESTRICT,  # unlike PROTECT it lets both go together
        related_name="+",
        help_text="Both databases check this at the end of the transaction, so either row may come first.",
    )

    # What upstream was when an import or a refresh last looked, so that the next refresh can ask for changes.
    upstream_sha = models.CharField(max_length=64)
    upstream_etag = models.CharField(max_length=200, blank=True)
    upstream_digest = models.CharField(
        max_length=71,
        blank=True,
        help_text="Of the artifact's content at that commit; empty when it was gone.",
    )
    upstream_locator = models.CharField(
        max_length=1000, blank=True, help_text="Where it was; it can have moved since it was taken."
    )
    upstream_metadata = models.JSONField(default=dict)
    upstream_seen_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = ArtifactQuerySet.as_manager()

    update_available: bool  # annotated by with_update_available

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

    @property
    def public_id(self) -> str:
        return str(self.pk)

    @classmethod
    def decode(cls, text: str) -> UUID | None:
        """A UUID as it is written; other spellings of one are none."""
        try:
            found = UUID(text)
        except ValueError:
            return None
        return found if str(found) == text.lower() else None


class Reason(models.TextChoices):
    """Why a version came to be."""

    IMPORT = "import"
    SYNC = "sync"
    ROLLBACK = "rollback"


class ArtifactVersionQuerySet(ProjectOwnedQuerySet["ArtifactVersion"]):
    project_path = "artifact__collection__project"

    def last_numbers(self, artifacts: Iterable[UUID]) -> dict[UUID, int]:
        """The number of the newest version of each of these artifacts."""
        versions = self.filter(artifact__in=list(artifacts)).order_by().values("artifact")
        return dict(versions.annotate(last=Max("number")).values_list("artifact", "last"))


class ArtifactVersion(Row):
    """One state of an artifact's content; never changed."""

    id_prefix = "ver"

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(help_text="Counts from 1 within the artifact.")
    commit = models.CharField(max_length=64)
    content_digest = models.CharField(max_length=71)
    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="versions")
    reason = models.CharField(max_length=8, choices=Reason)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    objects = ArtifactVersionQuerySet.as_manager()

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

    def renumber(self) -> None:
        """Close the gaps between positions."""
        members = list(self.memberships.order_by("position"))
        for position, member in enumerate(members):
            member.position = position
        GroupMember.objects.bulk_update(members, ["position"], batch_size=BATCH)

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


class RefreshStatus(models.TextChoices):
    """How a refresh ended: everything, something or nothing was looked at."""

    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"


class RefreshRunQuerySet(ProjectOwnedQuerySet["RefreshRun"]):
    project_path = "collection__project"

    def running(self) -> Self:
        return self.filter(finished_at=None)

    def outlived(self, before: datetime) -> Self:
        """Finished before then, and not the last one of their collection."""
        later = RefreshRun.objects.filter(collection=OuterRef("collection"), pk__gt=OuterRef("pk"))
        return self.filter(Exists(later.exclude(finished_at=None)), finished_at__lt=before)


class RefreshRun(Row):
    """One refresh of a collection and what came of it."""

    id_prefix = "ref"

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="refreshes")
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="+")
    options = models.JSONField(help_text="As `drift.Options` writes them.")
    status = models.CharField(
        max_length=7, choices=RefreshStatus, blank=True, help_text="Empty while it runs."
    )
    counts = models.JSONField(default=dict)
    entries = models.JSONField(default=list, help_text="What became of each artifact.")
    duration_ms = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    alive_until = models.DateTimeField(
        null=True,
        help_text="When it counts as dead if nothing is heard of it; a job's run ends with its job.",
    )
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
        return f"refresh of {self.started_at:%Y-%m-%d %H:%M} UTC"

    @property
    def project(self) -> Project:
        return self.collection.project
