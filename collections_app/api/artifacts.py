"""`/artifacts/{uuid}`: one artifact of a collection, its versions and files."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from collections_app import comparing
from collections_app.api.serializers import (
    ArtifactChangesSerializer,
    ArtifactDetailSerializer,
    ComparisonSerializer,
    CopySerializer,
    FilesSerializer,
    RollbackSerializer,
    VersionSerializer,
)
from collections_app.models import Artifact, ArtifactVersion, Collection
from collections_app.operations import artifacts
from collections_app.operations.artifacts import (
    AlreadyCurrent,
    ArtifactExists,
    UnknownVersion,
    UnsuitableName,
)
from collections_app.operations.collections import UnknownCollection
from marketplace.api import downloads
from marketplace.content import store
from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.errors import NotFound
from skillmeat_site.api.filters import whole
from skillmeat_site.api.pagination import whole_number
from skillmeat_site.api.viewsets import ResourceViewSet

MAX_VERSION = 10**9 - 1
VERSION = OpenApiParameter("version", int, description="Of this version; without it, of the current one.")


@extend_schema_view(
    retrieve=extend_schema(summary="Show an artifact of a collection"),
    destroy=extend_schema(summary="Delete an artifact of a collection with its versions"),
)
class ArtifactViewSet(mixins.RetrieveModelMixin, mixins.DestroyModelMixin, ResourceViewSet):
    """What was imported, as it is here."""

    queryset = Artifact.objects.select_related(
        "collection__project", "current", "source"
    ).with_update_available()
    serializer_class = ArtifactDetailSerializer
    permission_classes = (RolePermission,)
    roles = {"destroy": Role.ADMIN}
    list_actions = {"versions"}
    query_parameters = {"files": {"version"}, "file": {"version"}, "diff": {"to"}}
    problems = {
        "partial_update": (UnsuitableName, ArtifactExists),
        "copy": (UnknownCollection, ArtifactExists),
        "rollback": (UnknownVersion, AlreadyCurrent),
    }

    @extend_schema(
        summary="Change an artifact of a collection",
        request=ArtifactChangesSerializer,
        responses={200: ArtifactDetailSerializer},
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Only the fields present are changed; refreshes leave them alone from now on."""
        artifact = self.get_object()
        body = ArtifactChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if changes := body.as_changes():
            artifacts.change(artifact=artifact, changes=changes, by=self.caller, at=timezone.now())
        return self._shown(artifact)

    def perform_destroy(self, instance: Artifact) -> None:
        artifacts.delete(artifact=instance, by=self.caller, at=timezone.now())

    @extend_schema(
        summary="Copy an artifact into another collection",
        request=CopySerializer,
        responses={201: ArtifactDetailSerializer},
    )
    @action(detail=True, methods=["post"], serializer_class=CopySerializer)
    def copy(self, request: Request, id: str) -> Response:
        """The copy is as the artifact is now; its versions begin anew."""
        artifact = self.get_object()
        collection = collection_of(artifact.project, self.validated(request)["collection"])
        twin = artifacts.copy(artifact=artifact, collection=collection, by=self.caller, at=timezone.now())
        response = self._shown(twin)
        response.status_code = status.HTTP_201_CREATED
        response["Location"] = f"/api/v1/artifacts/{twin.public_id}"
        return response

    @extend_schema(
        summary="Go back to an earlier version",
        request=RollbackSerializer,
        responses={200: ArtifactDetailSerializer},
    )
    @action(detail=True, methods=["post"], serializer_class=RollbackSerializer)
    def rollback(self, request: Request, id: str) -> Response:
        """Its content becomes current again, as a new version."""
        artifact, number = self.get_object(), self.validated(request)["version"]
        artifacts.roll_back(artifact=artifact, number=number, by=self.caller, at=timezone.now())
        return self._shown(artifact)

    @extend_schema(
        summary="List an artifact's versions, newest first", responses=VersionSerializer(many=True)
    )
    @action(detail=True)
    def versions(self, request: Request, id: str) -> Response:
        page = self.paginate_queryset(self.get_object().versions.select_related("created_by"))
        return self.get_paginated_response(VersionSerializer(page, many=True).data)

    @extend_schema(
        summary="Compare the files of two versions",
        parameters=[
            OpenApiParameter("to", int, description="A version's number; without it, the current one's.")
        ],
        responses=ComparisonSerializer,
    )
    @action(detail=True, url_path=r"versions/(?P<number>[^/]+)/diff", pagination_class=None)
    def diff(self, request: Request, id: str, number: str) -> Response:
        """Text files up to 256 KiB with a unified diff, for up to 1 MiB in all."""
        artifact = self.get_object()
        old, new = _version(artifact, whole(number)), self._version_asked_for(artifact, "to")
        comparison = comparing.compare(old.manifest.files, new.manifest.files, read=store.read)
        return Response(ComparisonSerializer(comparison).data)

    @extend_schema(summary="List an artifact's files", parameters=[VERSION], responses=FilesSerializer)
    @action(detail=True, pagination_class=None)
    def files(self, request: Request, id: str) -> Response:
        version = self._version_asked_for(self.get_object(), "version")
        return Response({"version": version.number, "files": version.manifest.files})

    @extend_schema(
        summary="Show a file of an artifact of a collection",
        operation_id="artifacts_file",
        parameters=[VERSION],
        responses=downloads.RESPONSES,
    )
    @action(detail=True, url_path=r"files/(?P<path>.+)", pagination_class=None)
    def file(self, request: Request, id: str, path: str) -> HttpResponse:
        """The bytes as they are upstream at the version's commit."""
        version = self._version_asked_for(self.get_object(), "version")
        return downloads.answer(request, downloads.listed(version.manifest.files, path))

    def _version_asked_for(self, artifact: Artifact, parameter: str) -> ArtifactVersion:
        number = whole_number(
            self.request, parameter, default=artifact.current.number, low=1, high=MAX_VERSION
        )
        return _version(artifact, number)

    def _shown(self, artifact: Artifact) -> Response:
        return Response(ArtifactDetailSerializer(self.get_queryset().get(pk=artifact.pk)).data)


def collection_of(project: Any, public_id: str) -> Collection:
    """The project's collection with this id. Raises UnknownCollection."""
    pk = Collection.decode(public_id)
    found = Collection.objects.filter(project=project, pk=pk).first() if pk else None
    if found is None:
        raise UnknownCollection(f"{project} has no collection {public_id[:60]!r}.")
    return found


def _version(artifact: Artifact, number: int) -> ArtifactVersion:
    version = artifact.versions.select_related("manifest").filter(number=number).first()
    if version is None:
        raise NotFound("This artifact has no such version.")
    return version
