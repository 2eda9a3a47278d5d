"""The query parameters of the lists of collections, each one SQL condition."""

from typing import Any

import django_filters

from marketplace.api.filters import TYPE_ALIASES, TYPE_CHOICES
from marketplace.models import Entry
from skillmeat_site.accounts.models import Project
from skillmeat_site.api.filters import BooleanFilter, OptionFilter, TextFilter, bad_parameter


class CollectionFilter(django_filters.FilterSet):
    project = TextFilter(method="in_project")
    search = TextFilter(method="containing")

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(project__in=Project.objects.named(value))

    def containing(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.matching(value)


class ArtifactFilter(django_filters.FilterSet):
    type = OptionFilter(choices=TYPE_CHOICES, aliases=TYPE_ALIASES)
    name = TextFilter()
    entry = TextFilter(method="of_entry")
    update_available = BooleanFilter()

    def of_entry(self, queryset: Any, name: str, value: str) -> Any:
        pk = Entry.decode(value)
        if pk is None:
            raise bad_parameter(name, "Use the id of an entry (ent_...).")
        return queryset.filter(entry=pk)
