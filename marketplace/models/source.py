"""A source: a repository at a ref and below a root, of which a project wants to know the artifacts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from marketplace.detection.artifacts import DetectionSettings
from marketplace.detection.vocabulary import ArtifactType
from skillmeat_site.accounts.models import Project
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.jobs.models import Job
from skillmeat_site.rows import Row

SCAN = "scan"
WORD_BYTES = 17  # as long as a digest's word, so that 20 tags are 361 bytes
DERIVED = {
    "search_text": {"owner", "repo_name", "description", "tags"},
    "type_bits": {"counts_by_type"},
    "tag_words": {"tags"},
}
TYPE_BITS: dict[str, int] = {  # stored: a bit never changes its meaning
    ArtifactType.SKILL: 1,
    ArtifactType.COMMAND: 2,
    ArtifactType.AGENT: 4,
    ArtifactType.HOOK: 8,
    ArtifactType.MCP_SERVER: 16,
    ArtifactType.PLUGIN: 32,
}


class TrustLevel(models.TextChoices):
    """How far the project trusts what comes from a source."""

    UNTRUSTED = "untrusted"
    BASIC = "basic"
    VERIFIED = "verified"
    OFFICIAL = "official"


class Visibility(models.TextChoices):
    PUBLIC = "public"
    PRIVATE = "private"


# What `Source.visibility` says, in SQL.
PRIVATE = Q(visibility_set=Visibility.PRIVATE) | Q(visibility_set="", private_upstream=True)


class ScanStatus(models.TextChoices):
    """Derived, never stored: see `SourceQuerySet.with_scan_status`."""

    PENDING = "pending"
    SCANNING = "scanning"
    SUCCESS = "success"
    ERROR = "error"


def _scanned_now() -> models.QuerySet[Any, Any]:
    return Job.objects.live().filter(kind=SCAN).values("subject_id")


class SourceQuerySet(ProjectOwnedQuerySet["Source"]):
    def with_scan_status(self) -> Self:
        """Annotates `scan_status`: a live job says scanning, else the last finished scan decides."""
        live = Job.objects.live().filter(kind=SCAN, subject_id=OuterRef("pk"))
        return self.annotate(
            scan_status=Case(
                When(Exists(live), then=Value(ScanStatus.SCANNING)),
                When(outcome="", then=Value(ScanStatus.PENDING)),
                default=F("outcome"),
                output_field=models.CharField(),
            )
        )

    def with_artifact_of(self, artifact_type: str) -> Self:
        """Sources with at least one present, not excluded artifact of this type."""
        return self.filter(GreaterThan(F("type_bits").bitand(TYPE_BITS[artifact_type]), 0))

    def tagged(self, tags: Iterable[str]) -> Self:
        """Sources with all of these tags."""
        tagged = self
        for tag in tags:
            tagged = tagged.filter(GreaterThan(StrIndex("tag_words", Value(f"|{_word(tag)}|")), 0))
        return tagged

    def same_as(self, source: Source) -> Self:
        """The one of its project with the same repository, ref and root, which may be the source itself."""
        return self.filter(
            project=source.project, repo_key=source.repo_key, ref=source.ref, root_hint=source.root_hint
        )

    def matching(self, text: str) -> Self:
        """Sources whose repository, description or tags contain the text, whatever its case."""
        return self.filter(search_text__contains=text.casefold())

    def failing(self) -> Self:
        """Sources whose last finished scan failed."""
        return self.filter(outcome=ScanStatus.ERROR)

    def scanning(self) -> Self:
        """Those with a live scan, found from the few jobs and not from the many sources."""
        return self.filter(pk__in=_scanned_now())

    def of_scan_status(self, status: str) -> Self:
        """Those of this status, as `with_scan_status` says, without a look at the jobs of each."""
        if status == ScanStatus.SCANNING:
            return self.scanning()
        outcome = "" if status == ScanStatus.PENDING else status
        return self.filter(outcome=outcome).exclude(pk__in=_scanned_now())

    def private(self) -> Self:
        return self.filter(PRIVATE)

    def public(self) -> Self:
        return self.exclude(PRIVATE)

    def due(self, at: datetime) -> Self:
        return self.filter(next_rescan_at__lte=at).order_by("next_rescan_at")


class Source(Row):
    id_prefix = "src"

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, db_index=False, related_name="sources"
    )  # `source_filtered` begins with it

    # What `index` writes, for filters to look into: SQLite reads a row from its start, so long texts are last.
    type_bits = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="One for each type of its counted artifacts."
    )
    tag_words = models.CharField(max_length=400, editable=False, help_text="|docs|python|")
    search_text = models.TextField(editable=False, help_text="What `matching` looks into, case-folded.")

    repo_url = models.CharField(max_length=500)
    repo_key = models.CharField(max_length=400, editable=False, help_text="The same for every spelling.")
    owner = models.CharField(max_length=100)
    repo_name = models.CharField(max_length=255)
    ref = models.CharField(max_length=255)
    ref_assumed = models.BooleanField(
        default=False, help_text="The default branch was not known yet; the first scan corrects it."
    )
    root_hint = models.CharField(max_length=500, blank=True, help_text="Only what lies below counts.")
    trust_level = models.CharField(max_length=10, choices=TrustLevel, default=TrustLevel.BASIC)
    visibility_set = models.CharField(
        "visibility", max_length=7, choices=Visibility, blank=True, help_text="Empty: as upstream says."
    )
    private_upstream = models.BooleanField(default=False, editable=False)
    description = models.CharField(max_length=500, blank=True)
    enable_frontmatter_detection = models.BooleanField(default=False)
    indexing_enabled = models.BooleanField(default=True)
    import_repo_description = models.BooleanField(default=False)
    import_repo_readme = models.BooleanField(default=False)
    rescan_interval = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds, at least 900.")
    tags = models.JSONField(default=list, blank=True)

    # What scans and the host found out; never edited by people.
    suggested_tags = models.JSONField(default=list)
    is_described = models.BooleanField(default=False, help_text="The host has said what it knows.")
    resolved_sha = models.CharField(max_length=64, blank=True)
    etag = models.CharField(max_length=200, blank=True)
    fingerprint = models.CharField(
        max_length=64, blank=True, help_text="Settings and detector version of the last scan that read."
    )
    advanced_at = models.DateTimeField(null=True, help_text="The latest scan that found a new commit.")
    settings_changed_at = models.DateTimeField(
        null=True, help_text="When what decides about a scan's result was last changed by people."
    )
    outcome = models.CharField(max_length=7, blank=True, help_text="Of the last finished scan.")
    last_sync_at = models.DateTimeField(null=True)
    last_indexed_at = models.DateTimeField(null=True)
    next_rescan_at = models.DateTimeField(null=True, db_index=True)
    artifact_count = models.PositiveIntegerField(default=0)
    counts_by_type = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # What may be long.
    notes = models.TextField(max_length=2000, blank=True)
    last_error = models.TextField(blank=True)
    access_token = models.TextField(blank=True, help_text="Encrypted; erased when the first scan has ended.")
    repo_description = models.TextField(blank=True)
    manual_map = models.JSONField(default=dict, blank=True, help_text="Directory -> type, or null.")
    suggested_sources = models.JSONField(
        default=list, help_text="Other repositories that its marketplace.json points to."
    )
    repo_readme = models.TextField(blank=True)

    objects = SourceQuerySet.as_manager()

    scan_status: str  # annotated by with_scan_status

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["project", "repo_key", "ref", "root_hint"],
                name="one_source_per_repository_ref_and_root",
            ),
            models.CheckConstraint(condition=Q(trust_level__in=TrustLevel.values), name="trust_level_known"),
            models.CheckConstraint(
                condition=Q(rescan_interval=None) | Q(rescan_interval__gte=900), name="rescan_interval_sane"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["", ScanStatus.SUCCESS, ScanStatus.ERROR]), name="scan_outcome_known"
            ),
        )
        indexes = (
            models.Index(fields=["-id"], condition=Q(outcome=ScanStatus.ERROR), name="source_failing"),
            # A page's keys and the count under these filters are found in the index alone, for members of projects.
            models.Index(
                fields=["project", "-id", "trust_level", "type_bits", "outcome", "tag_words"],
                name="source_filtered",
            ),
        )

    def __str__(self) -> str:
        place = f"/{self.root_hint}" if self.root_hint else ""
        return f"{self.owner}/{self.repo_name}@{self.ref}{place}"

    @property
    def visibility(self) -> str:
        return visibility_of(self.visibility_set, self.private_upstream)

    @property
    def detection_settings(self) -> DetectionSettings:
        types = {path: value and ArtifactType(value) for path, value in self.manual_map.items()}
        return DetectionSettings(
            root_hint=self.root_hint, manual_map=types, frontmatter=self.enable_frontmatter_detection
        )

    def next_rescan_after(self, at: datetime) -> datetime | None:
        return at + timedelta(seconds=self.rescan_interval) if self.rescan_interval else None

    def index(self) -> None:
        """Write down again what the filters look into, which `save` does, too."""
        words = [self.owner, self.repo_name, f"{self.owner}/{self.repo_name}", self.description, *self.tags]
        self.search_text = "\n".join(words).casefold()
        self.type_bits = sum(TYPE_BITS[name] for name in self.counts_by_type)
        self.tag_words = f"|{'|'.join(map(_word, self.tags))}|"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.index()
        if (fields := kwargs.get("update_fields")) is not None:
            derived = {name for name, made_of in DERIVED.items() if made_of & set(fields)}
            kwargs["update_fields"] = {*fields, *derived}
        super().save(*args, **kwargs)


def visibility_of(visibility_set: str, private_upstream: bool) -> str:
    """What people have set, else what the host says."""
    return visibility_set or (Visibility.PRIVATE if private_upstream else Visibility.PUBLIC)


def _word(tag: str) -> str:
    """What stands for a tag between bars; of a long one 64 bits of its digest, as rows of an index must be short."""
    is_plain = len(tag.encode()) <= WORD_BYTES and "|" not in tag and not tag.startswith("#")
    return tag if is_plain else f"#{sha256(tag.encode()).hexdigest()[:16]}"
