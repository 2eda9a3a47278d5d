"""A catalogue entry: one artifact of a source, as facts from which its status follows."""

from __future__ import annotations

from typing import Self
from urllib.parse import quote

from django.db import models
from django.db.models import Case, Count, F, Q, Value, When

from marketplace.detection.vocabulary import ArtifactType
from marketplace.models.content import Manifest
from marketplace.models.source import Source
from skillmeat_site.accounts.models import Project
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.rows import Row

TYPES = [(artifact_type.value, artifact_type.value) for artifact_type in ArtifactType]

DIRECTORY_TYPES = {ArtifactType.SKILL, ArtifactType.PLUGIN}


class Status(models.TextChoices):
    """Derived, never stored: see `EntryQuerySet.with_status`."""

    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


class EntryQuerySet(ProjectOwnedQuerySet["Entry"]):
    project_path = "source__project"

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

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="entries")
    type = models.CharField(max_length=10, choices=TYPES)
    locator = models.CharField(max_length=1000, help_text="Identity within source and type.")
    path = models.CharField(max_length=1000)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="members")
    duplicate_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="duplicates")

    name = models.CharField(max_length=200)
    namespace = models.CharField(max_length=500, blank=True)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    version = models.CharField(max_length=60, blank=True)
    license = models.CharField(max_length=200, blank=True)
    author = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list)
    path_tags = models.JSONField(default=list)
    frontmatter = models.JSONField(default=dict)
    confidence = models.PositiveSmallIntegerField()
    signals = models.JSONField(default=list, help_text="Why this type and confidence.")

    findings = models.JSONField(default=list, help_text="Which rules of its format it breaks.")
    worst_finding = models.CharField(
        max_length=7, blank=True, help_text="The severity of the worst of them; what lists filter by."
    )

    search_text = models.TextField(default="", help_text="What `matching` looks into, case-folded.")

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
                fields=["source", "type"],
                condition=Q(removed_at=None, excluded_at=None),
                name="entry_counted",
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
            models.Index(fields=["-id"], condition=~Q(removed_at=None), name="entry_gone"),
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
        """Where the host shows it at the scanned commit; None for a local repository."""
        if self.source.repo_url.startswith("file:"):
            return None
        commit = self.detected_sha if self.removed_at else self.source.resolved_sha
        path = "" if self.path == "." else f"/{quote(self.path)}"
        view = "tree" if self.type in DIRECTORY_TYPES else "blob"
        return f"{self.source.repo_url}/{view}/{commit}{path}"


class EntryTag(models.Model):
    """The index of `tags` and `path_tags`: what the filter by tag looks into."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="tag_rows")
    tag = models.CharField(max_length=50)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tag", "entry"], name="entry_tag_once"),)

    def __str__(self) -> str:
        return self.tag
