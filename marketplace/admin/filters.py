"""Questions that operators ask of the two lists, each answered by one condition."""

from collections import Counter
from functools import partial
from typing import Any, cast

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import ScanStatus, Source, Status, TrustLevel
from marketplace.models.entry import EntryQuerySet
from marketplace.models.source import SourceQuerySet
from marketplace.vetting.findings import Severity
from skillmeat_site.accounts.models import Project
from skillmeat_site.admin_pages import operator
from skillmeat_site.admin_pages.filters import Question

MOST_TAGS = 30
MOST_PROJECTS = 100


def _with(rows: QuerySet[Any], **values: Any) -> QuerySet[Any]:
    return rows.filter(**values)


def _of_status(rows: Any, *, status: Status) -> QuerySet[Any]:
    known: QuerySet[Any] = rows.of_status(status)
    return known


def _found(rows: QuerySet[Any]) -> QuerySet[Any]:
    """In the words of the partial index, which SQLite otherwise passes by."""
    return rows.exclude(worst_finding="")


class ScanState(Question):
    title, parameter_name = "scan", "scan"
    answers = {
        "failing": ("failing", lambda rows: rows.filter(outcome=ScanStatus.ERROR)),
        "never": ("never scanned", lambda rows: rows.filter(outcome="")),
        "now": ("scanning now", lambda rows: rows.scanning()),
        "fine": ("fine", lambda rows: rows.filter(outcome=ScanStatus.SUCCESS)),
    }


class Schedule(Question):
    title, parameter_name = "schedule", "schedule"
    answers = {
        "due": ("due", lambda rows: rows.filter(next_rescan_at__lte=timezone.now())),
        "scheduled": ("scheduled", lambda rows: rows.exclude(rescan_interval=None)),
        "paused": ("only when asked", lambda rows: rows.filter(rescan_interval=None)),
    }


class Access(Question):
    title, parameter_name = "visibility", "visibility"
    answers = {
        "private": ("private", lambda rows: rows.private()),
        "public": ("public", lambda rows: rows.public()),
    }


class Holding(SimpleListFilter):
    title, parameter_name = "artifacts", "holding"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        return [("none", "none"), *((each.value, each.value) for each in ArtifactType)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return queryset.filter(artifact_count=0)
        known: Any = queryset
        return known.with_artifact_of(value) if value in set(ArtifactType) else queryset


class SourceTrust(Question):
    title, parameter_name = "trust", "trust"
    answers = {level.value: (level.value, partial(_with, trust_level=level)) for level in TrustLevel}


class Tagged(SimpleListFilter):
    """The tags that most sources have; another one may stand in the address."""

    title, parameter_name = "tag", "tag"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        mine = Source.objects.visible_to(operator(request))
        counted: Counter[str] = Counter()
        for tags, number in mine.order_by().values_list("tags").annotate(n=Count("id")):
            counted.update(dict.fromkeys(tags, number))
        most = sorted(counted.items(), key=lambda tag: (-tag[1], tag[0]))
        return [(tag, f"{tag} ({number})") for tag, number in most[:MOST_TAGS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip().lower()  # as tags are kept
        if "\0" in value:
            return queryset.none()
        return cast("SourceQuerySet", queryset).tagged([value]) if value else queryset


class InProject(SimpleListFilter):
    """Projects are few beside rows, so they are listed whether or not a row is theirs."""

    title, parameter_name = "project", "project"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        return [(slug, slug) for slug in _slugs(request)]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(project__slug=value) if value else queryset


class SourceInProject(InProject):
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value, known = self.value(), cast("EntryQuerySet", queryset)
        return known.of_sources(Source.objects.filter(project__slug=value)) if value else queryset


def _slugs(request: HttpRequest) -> list[str]:
    return list(Project.objects.visible_to(operator(request)).values_list("slug", flat=True)[:MOST_PROJECTS])


class Confidence(Question):
    title, parameter_name = "confidence", "sure"
    answers = {
        "high": ("90 and more", lambda rows: rows.filter(confidence__gte=90)),
        "good": ("70 to 89", lambda rows: rows.filter(confidence__range=(70, 89))),
        "fair": ("50 to 69", lambda rows: rows.filter(confidence__range=(50, 69))),
        "low": ("below 50", lambda rows: rows.filter(confidence__lt=50)),
    }


class EntryStatus(Question):
    """Without an answer, what is gone upstream is left out, as in the API."""

    title, parameter_name = "status", "status"
    answers = {
        "any": ("all, removed too", lambda rows: rows),
        **{status.value: (status.value, partial(_of_status, status=status)) for status in Status},
    }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().queryset(request, queryset) if self.value() else queryset.filter(removed_at=None)


class Imported(Question):
    title, parameter_name = "imported", "imported"
    answers = {
        "yes": ("imported", lambda rows: rows.exclude(imported_at=None)),
        "no": ("not imported", lambda rows: rows.filter(imported_at=None)),
    }


class Excluded(Question):
    title, parameter_name = "excluded", "excluded"
    answers = {
        "yes": ("excluded", lambda rows: rows.exclude(excluded_at=None)),
        "no": ("not excluded", lambda rows: rows.filter(excluded_at=None)),
    }


class Findings(Question):
    title, parameter_name = "findings", "findings"
    answers = {
        "error": ("with errors", lambda rows: _found(rows).filter(worst_finding=Severity.ERROR)),
        "warning": (
            "with warnings at worst",
            lambda rows: _found(rows).filter(worst_finding=Severity.WARNING),
        ),
        "any": ("with any", _found),
        "none": ("without", lambda rows: rows.filter(worst_finding="")),
    }


class Type(Question):
    title, parameter_name = "type", "type"
    answers = {each.value: (each.value, partial(_with, type=each)) for each in ArtifactType}


class EntryTrust(Question):
    title, parameter_name = "trust", "trust"
    answers = {level.value: (level.value, partial(_with, source__trust_level=level)) for level in TrustLevel}
