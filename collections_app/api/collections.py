"""`/collections`: create, list, show, change, delete, what they hold, and refreshing them."""

from typing import Any

from django.db.models import Count
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collections_app.api.filters import ArtifactFilter, CollectionFilter
from collections_app.api.refreshing import (
    RefreshedSerializer,
    RefreshRunDetailSerializer,
    RefreshRunSerializer,
    RefreshSerializer,
    parse_mode,
)
from collections_app.api.serializers import (
    ArtifactSerializer,
    CollectionChangesSerializer,
    CollectionSerializer,
    NewCollectionSerializer,
)
from collections_app.drift import MODES, Mode
from collections_app.models import Artifact, Collection
from collections_app.operations import collections, refreshes
from collections_app.operations.collections import CollectionExists
from collections_app.operations.refreshes import RefreshLost, RefreshRunning
from skillmeat_site.accounts.errors import ProjectRequired, RoleRequired, UnknownProject
from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.accounts.scoping import project_for_writing
from skillmeat_site.api.filters import bad_parameter
from skillmeat_site.api.viewsets import ResourceViewSet
from skillmeat_site.jobs.api import JobSerializer
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Trigger

RESPOND_ASYNC = "respond-async"  # RFC 7240


@extend_schema_view(
    list=extend_schema(summary="List collections, newest first"),
    retrieve=extend_schema(summary="Show a collection"),
    destroy=extend_schema(summary="Delete a collection and its artifacts"),
)
class CollectionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, ResourceViewSet
):
    """What a project has taken from the marketplace."""

    queryset = Collection.objects.select_related("project").annotate(artifact_count=Count("artifacts"))
    serializer_class = CollectionSerializer
    filterset_class = CollectionFilter
    permission_classes = (RolePermission,)
    roles = {"destroy": Role.ADMIN}
    list_actions = {"list", "artifacts", "refreshes"}
    query_parameters = {"refresh": {"mode"}}
    problems = {
        "create": (CollectionExists, ProjectRequired, UnknownProject, RoleRequired),
        "partial_update": (CollectionExists,),
        "refresh": (RefreshRunning, JobConflict, RefreshLost),
    }

    @extend_schema(
        summary="Create a collection",
        request=NewCollectionSerializer,
        responses={201: CollectionSerializer},
    )
    def create(self, request: Request) -> Response:
        body = NewCollectionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        values = body.as_changes()
        project = project_for_writing(self.caller, values.pop("project", None))
        collection = collections.create(**values, project=project, by=self.caller, at=timezone.now())
        location = f"{request.path}/{collection.public_id}"
        return Response(
            self._shown(collection), status=status.HTTP_201_CREATED, headers={"Location": location}
        )

    @extend_schema(
        summary="Change a collection",
        request=CollectionChangesSerializer,
        responses={200: CollectionSerializer},
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Only the fields present are changed."""
        collection = self.get_object()
        body = CollectionChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if changes := body.as_changes():
            collections.change(collection=collection, changes=changes, by=self.caller, at=timezone.now())
        return Response(self._shown(collection))

    def perform_destroy(self, instance: Collection) -> None:
        collections.delete(collection=instance, by=self.caller, at=timezone.now())

    @extend_schema(
        summary="List a collection's artifacts, newest first", responses=ArtifactSerializer(many=True)
    )
    @action(detail=True, filterset_class=ArtifactFilter)
    def artifacts(self, request: Request, id: str) -> Response:
        artifacts = Artifact.objects.filter(collection=self.get_object()).select_related("current")
        page = self.paginate_queryset(self.filter_queryset(artifacts.with_update_available()))
        return self.get_paginated_response(ArtifactSerializer(page, many=True).data)

    @extend_schema(
        summary="Refresh a collection from upstream",
        request=RefreshSerializer,
        parameters=[
            OpenApiParameter("mode", enum=list(MODES), description="Wins over the body's."),
            OpenApiParameter(
                "Prefer",
                location=OpenApiParameter.HEADER,
                description="respond-async: a worker does it, and the answer is its job (202).",
            ),
        ],
        responses={
            200: RefreshedSerializer,
            202: OpenApiResponse(JobSerializer, description="Follow the job; its result is that of a 200."),
        },
    )
    @action(
        detail=True,
        methods=["post"],
        serializer_class=RefreshSerializer,
        filterset_class=None,
        pagination_class=None,
    )
    def refresh(self, request: Request, id: str) -> Response:
        """`metadata` takes over what upstream says of artifacts, `sync` new content too, `check` nothing.

        Faults of the other side are errors of single entries. What is not reached in 25 seconds is skipped.
        """
        collection = self.get_object()
        mode = self._mode(request)
        body = RefreshSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        options, now = body.as_options(mode), timezone.now()
        if RESPOND_ASYNC not in _preferences(request):
            run = refreshes.refresh(collection=collection, options=options, by=self.caller, at=now)
            return Response(refreshes.as_json(run))
        job = refreshes.request(
            collection=collection, options=options, by=self.caller, at=now, trigger=Trigger.MANUAL
        )
        headers = {"Location": f"/api/v1/jobs/{job.public_id}", "Preference-Applied": RESPOND_ASYNC}
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED, headers=headers)

    @staticmethod
    def _mode(request: Request) -> Mode | None:
        text = request.query_params.get("mode")
        try:
            return None if text is None else parse_mode(text)
        except ValueError as error:
            raise bad_parameter("mode", str(error), code="invalid_choice") from None

    @extend_schema(
        summary="List a collection's refreshes, newest first", responses=RefreshRunSerializer(many=True)
    )
    @action(detail=True, filterset_class=None)
    def refreshes(self, request: Request, id: str) -> Response:
        runs = self.get_object().refreshes.defer("entries")
        page = self.paginate_queryset(runs)
        return self.get_paginated_response(RefreshRunSerializer(page, many=True).data)

    @extend_schema(summary="Show a refresh", responses=RefreshRunDetailSerializer)
    @action(
        detail=True, url_path=r"refreshes/(?P<refresh_id>[^/]+)", filterset_class=None, pagination_class=None
    )
    def one_refresh(self, request: Request, id: str, refresh_id: str) -> Response:
        run = self.find(self.get_object().refreshes.all(), refresh_id)
        return Response(RefreshRunDetailSerializer(run).data)

    def _shown(self, collection: Collection) -> dict[str, Any]:
        return dict(CollectionSerializer(self.get_queryset().get(pk=collection.pk)).data)


def _preferences(request: Request) -> set[str]:
    """The names in `Prefer`, without their values."""
    header = request.headers.get("Prefer", "")
    return {part.partition(";")[0].strip().lower() for part in header.split(",")}
