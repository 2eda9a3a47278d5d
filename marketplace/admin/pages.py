"""What the pages of both models have in common: they show, and leave changing to journeys and actions."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from skillmeat_site.admin_pages import OwnedAdmin

FEW = 1_000


class ShowingAdmin(OwnedAdmin):
    """Pages without a field of their own, beneath lists that read no large columns."""

    fields = ()

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
    """Finds a page's keys first, often in an index alone, and then the rows behind them.

    Few rows are looked for only once: how many there are, and which come first, is asked of their keys.
    """

    model_admin: ShowingAdmin

    def get_results(self, request: HttpRequest) -> None:
        few = list(self.queryset.order_by().values_list("pk", flat=True)[: FEW + 1])
        if len(few) <= FEW:
            self.queryset = self.root_queryset.filter(pk__in=few).order_by(*self.queryset.query.order_by)
        super().get_results(request)
        found: Any = self.result_list
        keys = list(found.values_list("pk", flat=True)) if self.result_count else []
        rows = self.model_admin.of_list(self.apply_select_related(self.root_queryset)).in_bulk(keys)
        self.result_list = [rows[key] for key in keys if key in rows]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Rows that are alike follow in the same direction, so that one index serves both."""
        *named, last = super().get_ordering(request, queryset)
        is_upwards = last in {"-pk", "-id"} and named and not str(named[0]).startswith("-")
        return [*named, "pk" if is_upwards else last]
