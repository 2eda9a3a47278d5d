"""The query parameters of the lists of sets and deployments, each one SQL condition."""

from typing import Any

import django_filters

from deployment_sets.models import DeploymentSet, Visibility
from skillmeat_site.accounts.models import Project
from skillmeat_site.api.filters import OptionFilter, TagsFilter, TextFilter, bad_parameter


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


class DeploymentFilter(django_filters.FilterSet):
    set = TextFilter(method="of_set")
    project_path = TextFilter()
    project = TextFilter(method="in_project")

    def of_set(self, queryset: Any, name: str, value: str) -> Any:
        found = DeploymentSet.decode(value)
        if found is None:
            raise bad_parameter(name, "This is no id of a set.")
        return queryset.filter(deployment_set=found)

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(project__in=Project.objects.named(value))
