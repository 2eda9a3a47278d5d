"""The query parameters of the list of sets, each one SQL condition."""

from typing import Any

import django_filters

from deployment_sets.models import Visibility
from skillmeat_site.accounts.models import Project
from skillmeat_site.api.filters import OptionFilter, TagsFilter, TextFilter


class SetFilter(django_filters.FilterSet):
    name = TextFilter()
    search = TextFilter(method="containing")
    tags = TagsFilter(field_name="tag_rows__tag")
    visibility = OptionFilter(choices=Visibility.choices)
    project = TextFilter(method="in_project")

    def containing(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.matching(value)

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(project__in=Project.objects.named(value))
