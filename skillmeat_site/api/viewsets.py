"""The viewset that every resource builds on: outside ids in addresses, strict queries, scoped rows."""

from functools import cache
from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from skillmeat_site.api.errors import NotFound
from skillmeat_site.api.filters import StrictQueryMixin
from skillmeat_site.api.listings import Listing
from skillmeat_site.api.shapes import shape_of
from skillmeat_site.errors import DomainError
from skillmeat_site.prepared import VisibleRow
from skillmeat_site.rows import Row


class ResourceViewSet(StrictQueryMixin, GenericViewSet[Any]):
    """Rows of `queryset` that are visible to the caller; whatever else exists is a 404."""

    problems: ClassVar[dict[str, tuple[type[DomainError], ...]]] = {}
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[Any]:
        everything: Any = super().get_queryset()
        visible: QuerySet[Any] = everything.visible_to(self.request.user)
        return visible

    @property
    def caller(self) -> Any:
        """The user who asks; permissions have seen to it that there is one."""
        return self.request.user

    def get_object(self) -> Any:
        found = self.find(self.get_queryset(), self.kwargs["id"])
        self.check_object_permissions(self.request, found)
        return found

    @staticmethod
    def find(queryset: QuerySet[Any], public_id: str) -> Any:
        """The row with this outside id among `queryset`; NotFound otherwise."""
        model: type[Row] = queryset.model
        row = queryset.filter(pk=model.decode(public_id)).first()
        if row is None:
            raise no_such(model, public_id)
        return row

    def validated(self, request: Request) -> Any:
        """The body through the action's input serializer."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class PlainViewSet(ResourceViewSet):
    """`list` and `retrieve` read rows by shape, without model instances.

    For rows that every member of their project may see: a list goes by `of_projects`, not `visible_to`.
    """

    def list(self, request: Request) -> Response:
        everything: Any = self.queryset  # type: ignore[arg-type]
        listing, projects = self.listing(everything, self.get_serializer_class()), self.caller.project_keys()
        if projects is not None:
            listing = listing.filter(**everything.of_projects(projects))
        return self.listed(listing)

    def listing(self, rows: QuerySet[Any], serializer: Any) -> Listing:
        """Of these rows, which are the same for everybody, under the view's filters."""
        paging: Any = self.paginator
        given = self.request.query_params.lists()
        filters = [(name, *values) for name, values in given if name not in paging.parameters]
        name = type(self), self.action, *filters
        return Listing(shape_of(serializer), name, lambda: self.filter_queryset(rows))

    def listed(self, listing: Listing) -> Response:
        """A page of it."""
        return self.get_paginated_response(self.paginate_queryset(cast("Any", listing)))

    def get_key(self) -> UUID:
        """The key of the row that is asked for, if it may be seen; all that a list below it needs."""
        model: type[Row] = self.queryset.model  # type: ignore[union-attr, arg-type]
        row = _visible_key(model).read(model.decode(self.kwargs["id"]), self.caller)
        if row is None:
            raise no_such(model, self.kwargs["id"])
        return cast("UUID", row[0])

    def retrieve(self, request: Request, id: str) -> Response:
        serializer: Any = self.get_serializer_class()
        model: type[Row] = serializer.Meta.model
        shown = shape_of(serializer).one(model.decode(id), user=self.caller)
        if shown is None:
            raise no_such(model, id)
        return Response(shown)


@cache
def _visible_key(model: Any) -> VisibleRow:
    return VisibleRow(model.objects.order_by().values_list("pk"))


def no_such(model: type[Row], public_id: str) -> NotFound:
    return NotFound(f"There is no {model._meta.verbose_name} {public_id[:60]!r}.")
