"""Filters of lists that answer a question each."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from skillmeat_site.accounts.models import Project
from skillmeat_site.admin_pages.roles import operator

MOST_PROJECTS = 50
PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


class Question(SimpleListFilter):
    """A filter whose answers are a table: parameter -> (what is read, which rows)."""

    answers: ClassVar[Mapping[str, tuple[str, Callable[[Any], QuerySet[Any]]]]]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        return [(name, text) for name, (text, _) in self.answers.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        answer = self.answers.get(self.value() or "")
        return answer[1](queryset) if answer else queryset


class Lately(SimpleListFilter):
    """Rows of the last hour, day, week or month, by the indexed time named `field`."""

    title, parameter_name = "when", "when"
    field: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        return [(name, f"the last {name}") for name in PERIODS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        period = PERIODS.get(self.value() or "")
        return queryset.filter(**{f"{self.field}__gte": timezone.now() - period}) if period else queryset


class OfProject(SimpleListFilter):
    """Rows of a project that this person sees; asking the rows for their projects would read all of them."""

    title, parameter_name = "project", "project"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        slugs = Project.objects.visible_to(operator(request)).values_list("slug", flat=True)
        return [(slug, slug) for slug in slugs[:MOST_PROJECTS]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        slug = self.value()
        return self.of(queryset, slug) if slug else queryset

    def of(self, queryset: Any, slug: str) -> QuerySet[Any]:
        return queryset.filter(project__slug=slug)  # type: ignore[no-any-return]
