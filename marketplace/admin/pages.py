"""What the pages of both models have in common: they show, and leave changing to journeys and actions."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from skillmeat_site.admin_pages import OwnedAdmin

FEW = 1_000


class FewFirst(Paginator):
    """Looks for few rows only once: how many there are, and which come first, is asked of their keys."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        few = list(rows.order_by().values_list("pk", flat=True)[: FEW + 1])
        if len(few) > FEW:
            return self.count_many()
        self.object_list = rows.model._base_manager.filter(pk__in=few).order_by(*rows.query.order_by)
        return len(few)

    def count_many(self) -> int:
        rows: Any = self.object_list
        return int(rows.count())


class ShowingAdmin(OwnedAdmin):
    """Pages without a field of their own, beneath lists that read no large columns."""

    fields = ()
    paginator = FewFirst

    class Media:
        css = {"all": ("marketplace/console.css",)}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _Listing

    def of_list(self, rows: Any) -> QuerySet[Any]:
        """The rows without the columns that only a page of its own shows: some are large."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """There is no field to save."""


class _Listing(ChangeList):
    """Finds a page's keys first, often in an index alone, and then the rows behind them."""

    model_admin: ShowingAdmin

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        return self.model_admin.of_list(super().get_queryset(request, exclude_parameters))

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        is_page = self.multi_page and not (self.show_all and self.can_show_all)
        found: Any = self.result_list if is_page else self.paginator.object_list
        keys = list(found.values_list("pk", flat=True)) if self.result_count else []
        rows = self.model_admin.of_list(self.apply_select_related(self.root_queryset))
        by_key = rows.order_by().in_bulk(keys)
        self.result_list = [by_key[key] for key in keys if key in by_key]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Rows that are alike follow in the same direction, so that one index serves both."""
        *named, last = super().get_ordering(request, queryset)
        is_upwards = last in {"-pk", "-id"} and named and not str(named[0]).startswith("-")
        return [*named, "pk" if is_upwards else last]
