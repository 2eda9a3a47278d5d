"""The query parameters of the marketplace's lists, each one SQL condition."""

from typing import Any

import django_filters

from marketplace.detection.vocabulary import ALIASES, ArtifactType
from marketplace.models import ScanStatus, Status, TrustLevel
from skillmeat_site.accounts.models import Project
from skillmeat_site.api.filters import BooleanFilter, OptionFilter, RangeFilter, TagsFilter, TextFilter

TYPE_CHOICES = [(artifact_type.value, artifact_type.value) for artifact_type in ArtifactType]
TYPE_ALIASES = {alias: artifact_type.value for alias, artifact_type in ALIASES.items()}

BEST_FIRST = ("-confidence", "path", "id")
NEWEST_FIRST = ("-changed_at", "path", "id")
BY_TYPE = ("type", "-confidence", "path", "id")
ORDERINGS = {
    "confidence": ("confidence", "path", "id"),
    "-confidence": BEST_FIRST,
    "date": ("changed_at", "path", "id"),
    "-date": NEWEST_FIRST,
    "type": BY_TYPE,
    "-type": ("-type", "-confidence", "path", "id"),
    "name": ("name", "path", "id"),
    "-name": ("-name", "path", "id"),
    "by_confidence": BEST_FIRST,
    "by_date": NEWEST_FIRST,
    "by_type": BY_TYPE,
}


class SourceFilter(django_filters.FilterSet):
    trust_level = OptionFilter(choices=TrustLevel.choices)  # what is quickly compared comes first
    artifact_type = OptionFilter(choices=TYPE_CHOICES, aliases=TYPE_ALIASES, method="of_type")
    tags = TagsFilter(method="tagged")
    scan_status = OptionFilter(choices=ScanStatus.choices, method="of_scan_status")
    search = TextFilter(method="containing")
    project = TextFilter(method="in_project")

    def of_type(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.with_artifact_of(value)

    def tagged(self, queryset: Any, _name: str, value: list[str]) -> Any:
        return queryset.tagged(value)

    def of_scan_status(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.of_scan_status(value)

    def containing(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.matching(value)

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(project__in=Project.objects.named(value))


class EntryStatusFilter(OptionFilter):
    """Removed entries only when asked for."""

    def filter(self, qs: Any, value: str | None) -> Any:
        return qs.of_status(value) if value else qs.present()


class EntryFilter(django_filters.FilterSet):
    type = OptionFilter(choices=TYPE_CHOICES, aliases=TYPE_ALIASES)
    status = EntryStatusFilter(choices=Status.choices)
    min_confidence = RangeFilter(field_name="confidence", lookup_expr="gte", low=0, high=100)
    max_confidence = RangeFilter(field_name="confidence", lookup_expr="lte", low=0, high=100)
    imported = BooleanFilter(method="by_import")
    excluded = BooleanFilter(method="by_exclusion", default=False)
    tags = TagsFilter(field_name="tag_rows__tag", within="source")
    search = TextFilter(method="containing")
    ordering = OptionFilter(choices=[(name, name) for name in ORDERINGS], method="ordered")

    def by_import(self, queryset: Any, _name: str, value: bool) -> Any:
        return queryset.filter(imported_at__isnull=not value)

    def by_exclusion(self, queryset: Any, _name: str, value: bool) -> Any:
        return queryset.filter(excluded_at__isnull=not value)

    def containing(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.matching(value)

    def ordered(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.order_by(*ORDERINGS[value])
