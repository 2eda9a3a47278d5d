"""The viewset that every resource builds on: outside ids in addresses, strict queries, scoped rows."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from skillmeat_site.api.errors import NotFound
from skillmeat_site.api.filters import StrictQueryMixin
from skillmeat_site.errors import DomainError
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
            raise NotFound(f"There is no {model._meta.verbose_name} {public_id[:60]!r}.")
        return row

    def validated(self, request: Request) -> Any:
        """The body through the action's input serializer."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data
