"""`/collections/{id}/groups`: ordered artifacts under a name."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collections_app.api.serializers import (
    GroupChangesSerializer,
    GroupSerializer,
    MembersSerializer,
    NewGroupSerializer,
)
from collections_app.models import Collection, Group
from collections_app.operations import groups
from collections_app.operations.groups import GroupExists, UnknownMembers
from skillmeat_site.accounts.errors import RoleRequired
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.viewsets import ResourceViewSet


@extend_schema_view(
    list=extend_schema(summary="List a collection's groups, newest first"),
    retrieve=extend_schema(summary="Show a group"),
    destroy=extend_schema(summary="Delete a group; its artifacts stay"),
)
class GroupViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, ResourceViewSet
):
    """Groups of one collection."""

    queryset = Group.objects.select_related("collection__project").prefetch_related("memberships")
    serializer_class = GroupSerializer
    permission_classes = (RolePermission,)
    lookup_url_kwarg = "group_id"
    problems = {
        "create": (GroupExists, RoleRequired),
        "partial_update": (GroupExists,),
        "members": (UnknownMembers,),
    }

    def get_queryset(self) -> QuerySet[Any]:
        collections = Collection.objects.visible_to(self.caller).select_related("project")
        self.collection: Collection = self.find(collections, self.kwargs["id"])
        return super().get_queryset().filter(collection=self.collection)

    def get_object(self) -> Any:
        found = self.find(self.get_queryset(), self.kwargs["group_id"])
        self.check_object_permissions(self.request, found)
        return found

    @extend_schema(summary="Create a group", request=NewGroupSerializer, responses={201: GroupSerializer})
    def create(self, request: Request, id: str) -> Response:
        self.get_queryset()
        self.check_object_permissions(request, self.collection)
        body = NewGroupSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = {"description": "", **body.as_changes()}
        group = groups.create(collection=self.collection, **values, by=self.caller, at=timezone.now())
        location = f"{request.path}/{group.public_id}"
        return Response(self._shown(group), status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(summary="Change a group", request=GroupChangesSerializer, responses={200: GroupSerializer})
    def partial_update(self, request: Request, id: str, group_id: str) -> Response:
        """Only the fields present are changed."""
        group = self.get_object()
        body = GroupChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if changes := body.as_changes():
            groups.change(group=group, changes=changes, by=self.caller, at=timezone.now())
        return Response(self._shown(group))

    @extend_schema(
        summary="Set a group's members and their order",
        request=MembersSerializer,
        responses={200: GroupSerializer},
    )
    @action(detail=True, methods=["put"], serializer_class=MembersSerializer)
    def members(self, request: Request, id: str, group_id: str) -> Response:
        """The group has exactly these artifacts afterwards, in this order."""
        group = self.get_object()
        members = self.validated(request)["members"]
        groups.arrange(group=group, artifacts=members, by=self.caller, at=timezone.now())
        return Response(self._shown(group))

    def perform_destroy(self, instance: Group) -> None:
        groups.delete(group=instance, by=self.caller, at=timezone.now())

    def _shown(self, group: Group) -> dict[str, Any]:
        return dict(GroupSerializer(self.get_queryset().get(pk=group.pk)).data)
