"""A catalogue entry: one artifact of a source, as facts from which its status follows."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from urllib.parse import quote

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, Value, When

from marketplace.detection.vocabulary import ArtifactType
from marketplace.models.content import Manifest
from marketplace.models.source import Source
from skillmeat_site.accounts.models import Project
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.rows import Row

TYPES = [(artifact_type.value, artifact_type.value) for artifact_type in ArtifactType]

DIRECTORY_TYPES = {ArtifactType.SKILL, ArtifactType.PLUGIN}

FEW_SOURCES = 200


class Status(models.TextChoices):
    """Derived, never stored: see `EntryQuerySet.with_status`."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


class EntryQuerySet(ProjectOwnedQuerySet["Entry"]):
    project_path = "source__project"

    def of_sources(self, sources: models.QuerySet[Source]) -> Self:
        """For lists of all: entries of few sources are gathered, those of many are met soon on the way through."""
        few = list(sources.order_by().values_list("pk", flat=True)[: FEW_SOURCES + 1])
        if len(few) <= FEW_SOURCES:
            return self.filter(source__in=few)
        return self.filter(Exists(sources.filter(pk=OuterRef("source_id"))))

    def present(self) -> Self:
        return self.filter(removed_at=None)

    def counted(self) -> Self:
        """What a source's numbers speak of: present and not excluded."""
        return self.filter(removed_at=None, excluded_at=None)

    def confidences(self) -> dict[tuple[str, int], int]:
        """How many counted entries there are of each type and confidence."""
        counted = self.counted().order_by().values_list("type", "confidence").annotate(n=Count("*"))
        return {(kind, confidence): n for kind, confidence, n in counted}

    def matching(self, text: str) -> Self:
        """Entries whose name, title, description or path contain the text, whatever its case."""
        return self.filter(search_text__contains=text.casefold())

    def for_lists(self) -> Self:
        """With the source, and without what lists do not show: some of that may be large."""
        unseen = ("frontmatter", "signals", "findings", "search_text")
        of_source = (
            "repo_readme",
            "repo_description",
            "suggested_sources",
            "manual_map",
            "search_text",
            "notes",
        )
        return self.select_related("source").defer(*unseen, *(f"source__{name}" for name in of_source))

    def of_status(self, status: str) -> Self:
        """Those of this status, as `with_status` says, by conditions that an index can answer."""
        if status == Status.REMOVED:
            return self.exclude(removed_at=None)
        latest, present = F("source__advanced_at"), self.present()
        match status:
            case Status.NEW:
                return present.filter(first_seen_at__gte=latest)
            case Status.UPDATED:
                ever_changed = present.filter(changed_at__gt=F("first_seen_at"))  # they have an index
                return ever_changed.filter(first_seen_at__lt=latest, changed_at__gte=latest)
        before = Q(first_seen_at__lt=latest, changed_at__lt=latest)
        return present.filter(before | Q(source__advanced_at=None))

    def with_status(self) -> Self:
        """Annotates `status`: removed, or what the latest scan that found a new commit did to the entry."""
        latest = F("source__advanced_at")
        return self.annotate(
            status=Case(
                When(~Q(removed_at=None), then=Value(Status.REMOVED)),
                When(first_seen_at__gte=latest, then=Value(Status.NEW)),
                When(changed_at__gte=latest, then=Value(Status.UPDATED)),
                default=Value(Status.UNCHANGED),
                output_field=models.CharField(),
            )
        )


class Entry(Row):
    id_prefix = "ent"

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, db_index=False, related_name="entries"
    )  # `entry_identity` begins with it
    type = models.CharField(max_length=10, choices=TYPES)
    locator = models.CharField(max_length=1000, help_text="Identity within source and type.")
    path = models.CharField(max_length=1000)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="members")
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="duplicates")

    name = models.CharField(max_length=200)
    namespace = models.CharField(max_length=500, blank=True)
    title = models.CharField(max_length=200, blank=True)
    version = models.CharField(max_length=60, blank=True)
    license = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list)
    path_tags = models.JSONField(default=list)
    confidence = models.PositiveSmallIntegerField()
    worst_finding = models.CharField(
        max_length=7, blank=True, help_text="The severity of the worst finding; what lists filter by."
    )

    manifest = models.ForeignKey(Manifest, on_delete=models.PROTECT, related_name="entries")
    incomplete = models.CharField(
        max_length=500, blank=True, help_text="Why not all files are stored, so that it cannot be imported."
    )
    content_digest = models.CharField(max_length=71)
    detected_sha = models.CharField(max_length=64, help_text="Where the present content was first seen.")
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="When the present content was first seen.")
    removed_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)
    excluded_at = models.DateTimeField(null=True)
    excluded_reason = models.CharField(max_length=500, blank=True)

    # What may be long stands behind what lists are filtered and sorted by: SQLite reads a row from its start.
    description = models.TextField(blank=True)
    search_text = models.TextField(default="", help_text="What `matching` looks into, case-folded.")
    findings = models.JSONField(default=list, help_text="Which rules of its format it breaks.")
    signals = models.JSONField(default=list, help_text="Why this type and confidence.")
    frontmatter = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    status: str  # annotated by with_status

    class Meta:
        verbose_name_plural = "entries"
        ordering = ("-confidence", "path", "id")
        constraints = (
            models.UniqueConstraint(fields=["source", "type", "locator"], name="entry_identity"),
            models.CheckConstraint(
                condition=Q(type__in=[name for name, _ in TYPES]), name="entry_type_known"
            ),
            models.CheckConstraint(condition=Q(confidence__lte=100), name="entry_confidence_percent"),
        )
        indexes = (
            models.Index(fields=["source", "-confidence", "path"], name="entry_by_confidence"),
            models.Index(
                fields=["source", "type", "confidence"],
                condition=Q(removed_at=None, excluded_at=None),
                name="entry_counted",
            ),
            # With what such lists are ordered by, so that they are sorted without their rows.
            models.Index(
                fields=["source", "first_seen_at", "changed_at", "type", "confidence", "path", "id"],
                condition=Q(removed_at=None, excluded_at=None),
                name="entry_by_status",
            ),
            models.Index(
                fields=["type", "confidence"],
                condition=Q(removed_at=None, excluded_at=None),
                name="entry_confidences",
            ),
            models.Index(fields=["-removed_at"], condition=~Q(removed_at=None), name="entry_removed"),
            # The console's list, newest first or surest first, and what is rare in it.
            models.Index(fields=["-confidence", "-id"], name="entry_surest"),
            models.Index(fields=["type", "-id"], name="entry_of_type"),
            models.Index(fields=["type", "-confidence", "-id"], name="entry_surest_of_type"),
            models.Index(
                fields=["-id", "source", "changed_at", "first_seen_at"],
                condition=Q(removed_at=None, changed_at__gt=F("first_seen_at")),
                name="entry_changed",
            ),
            models.Index(fields=["-id"], condition=~Q(imported_at=None), name="entry_imported"),
            models.Index(fields=["-id"], condition=~Q(excluded_at=None), name="entry_excluded"),
            models.Index(
                fields=["worst_finding", "-id"], condition=~Q(worst_finding=""), name="entry_with_findings"
            ),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.name}"

    @property
    def project(self) -> Project:
        return self.source.project

    @property
    def upstream_url(self) -> str | None:
        source = self.source
        return upstream_url_of(
            source.repo_url, source.resolved_sha, self.type, self.path, self.detected_sha, self.removed_at
        )


def upstream_url_of(
    repo_url: str, resolved_sha: str, type: str, path: str, detected_sha: str, removed_at: datetime | None
) -> str | None:
    """Where the host shows an entry at the scanned commit; None for a local repository."""
    if repo_url.startswith("file:"):
        return None
    commit = detected_sha if removed_at else resolved_sha
    place = "" if path == "." else f"/{quote(path)}"
    view = "tree" if type in DIRECTORY_TYPES else "blob"
    return f"{repo_url}/{view}/{commit}{place}"


class EntryTag(models.Model):
    """The index of `tags` and `path_tags`: what the filter by tag looks into.

    The entry's source stands in it, so that a source's entries with a tag lie side by side.
    """

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="tag_rows")
    # It goes with its entry.
    source = models.ForeignKey(
        Source, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    tag = models.CharField(max_length=50)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tag", "source", "entry"], name="entry_tag_once"),)

    def __str__(self) -> str:
        return self.tag

    @classmethod
    def all_of(cls, entry: Entry) -> list[EntryTag]:
        """The rows that an entry has to have."""
        tags = sorted({*entry.tags, *entry.path_tags})
        return [cls(entry=entry, source_id=entry.source_id, tag=tag) for tag in tags]
