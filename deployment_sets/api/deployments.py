"""`/deployments`: what was deployed where, whether it still is, and taking it back."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from deployment_sets.api.deployment_serializers import (
    DeploymentDetailSerializer,
    DeploymentSerializer,
    DriftSerializer,
    UndoneSerializer,
)
from deployment_sets.api.filters import DeploymentFilter
from deployment_sets.api.serializers import EmptySerializer
from deployment_sets.changes import DeployFailed
from deployment_sets.directory import DeployRunning, TargetBlocked, TargetMissing
from deployment_sets.lockfile import LockDamaged
from deployment_sets.models import Deployment
from deployment_sets.operations import deployments
from deployment_sets.operations.deployments import AlreadyUndone, OutsideRoots
from deployment_sets.undoing import UndoMissing, UndoRefused
from skillmeat_site.accounts.errors import RoleRequired
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.viewsets import ResourceViewSet


@extend_schema_view(
    list=extend_schema(summary="List deployments, newest first", responses=DeploymentSerializer(many=True)),
    retrieve=extend_schema(summary="Show a deployment", responses=DeploymentDetailSerializer),
)
class DeploymentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ResourceViewSet):
    """Deploys of sets into directories of this server."""

    queryset = Deployment.objects.select_related("project", "deployed_by", "undone_by")
    serializer_class = DeploymentDetailSerializer
    filterset_class = DeploymentFilter
    permission_classes = (RolePermission,)
    reading_actions = {"verify"}
    problems = {
        "verify": (OutsideRoots, TargetMissing, LockDamaged),
        "undo": (
            AlreadyUndone,
            OutsideRoots,
            UndoRefused,
            UndoMissing,
            TargetMissing,
            TargetBlocked,
            DeployRunning,
            DeployFailed,
            RoleRequired,
        ),
    }

    def get_queryset(self) -> QuerySet[Deployment]:
        everything = super().get_queryset()
        return everything.defer("result") if self.action == "list" else everything

    def get_serializer_class(self) -> Any:
        return DeploymentSerializer if self.action == "list" else super().get_serializer_class()

    @extend_schema(
        summary="Compare with what was deployed", request=EmptySerializer, responses=DriftSerializer
    )
    @action(detail=True, methods=["post"], serializer_class=EmptySerializer, filterset_class=None)
    def verify(self, request: Request, id: str) -> Response:
        """With the lock in the directory, and with the set as it is now while there is one."""
        deployment = self.get_object()
        self.validated(request)
        return Response(DriftSerializer(deployments.verify(deployment=deployment)).data)

    @extend_schema(summary="Undo a deployment", request=EmptySerializer, responses=UndoneSerializer)
    @action(detail=True, methods=["post"], serializer_class=EmptySerializer, filterset_class=None)
    def undo(self, request: Request, id: str) -> Response:
        """All files become what they were, to the byte. 409 when one of them was changed since."""
        deployment = self.get_object()
        self.validated(request)
        paths = deployments.undo(deployment=deployment, by=self.caller, at=timezone.now())
        return Response({"deployment_id": deployment.public_id, "paths": list(paths)})
