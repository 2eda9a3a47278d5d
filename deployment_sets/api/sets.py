"""`/deployment-sets`: the sets themselves, their members, and what they stand for."""

from collections.abc import Sequence
from typing import Any

from django.http import FileResponse
from django.utils import timezone
from django.utils.text import slugify
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from deployment_sets.api.deployment_serializers import DeployedSerializer, DeploySerializer
from deployment_sets.api.filters import SetFilter
from deployment_sets.api.permissions import SetPermission
from deployment_sets.api.resolved import ResolvedSetSerializer, shown
from deployment_sets.api.serializers import (
    EmptySerializer,
    NewMemberSerializer,
    NewSetSerializer,
    PositionSerializer,
    SetDetailSerializer,
    SetMemberSerializer,
    SetSerializer,
    SetSettingsSerializer,
)
from deployment_sets.bundle import Format
from deployment_sets.changes import DeployFailed
from deployment_sets.deployable import ArtifactUnusable
from deployment_sets.directory import DeployRunning, TargetBlocked, TargetMissing
from deployment_sets.lockfile import LockDamaged
from deployment_sets.merge import SettingsMalformed
from deployment_sets.models import DeploymentSet, SetMember
from deployment_sets.operations import deployments, members, resolving, sets
from deployment_sets.operations.deployments import OutsideRoots
from deployment_sets.operations.locking import SetGone
from deployment_sets.operations.members import (
    MemberExists,
    NestedTooDeep,
    NoSuchPosition,
    SetCycle,
    UnknownTarget,
)
from deployment_sets.operations.sets import PrivateInside, SetExists
from deployment_sets.planning import DeployConflicts
from marketplace.operations.trust import ConfirmationRequired
from skillmeat_site.accounts.errors import ProjectRequired, RoleRequired, UnknownProject
from skillmeat_site.accounts.scoping import project_for_writing
from skillmeat_site.api.filters import bad_parameter
from skillmeat_site.api.pagination import OffsetPagination
from skillmeat_site.api.viewsets import ResourceViewSet

FORMATS = [archive.value for archive in Format]
MEDIA_TYPES = {Format.TAR_GZ: "application/gzip", Format.ZIP: "application/zip"}
MEMBER_ID = OpenApiParameter("member_id", str, OpenApiParameter.PATH)


@extend_schema_view(
    list=extend_schema(summary="List sets, newest first"),
    retrieve=extend_schema(summary="Show a set", responses=SetDetailSerializer),
    destroy=extend_schema(summary="Delete a set, also out of the sets that contain it"),
)
class DeploymentSetViewSet(mixins.DestroyModelMixin, ResourceViewSet):
    """Named, ordered, nestable sets of artifacts."""

    queryset = DeploymentSet.objects.select_related("project", "owner")
    serializer_class = SetSerializer
    filterset_class = SetFilter
    permission_classes = (SetPermission,)
    editors_actions = {"clone", "deploy"}
    list_actions = {"list", "list_members"}
    query_parameters = {"bundle": {"format", "confirm_untrusted"}}
    problems = {
        "create": (SetExists, ProjectRequired, UnknownProject, RoleRequired),
        "update": (SetExists, PrivateInside, RoleRequired),
        "destroy": (RoleRequired,),
        "clone": (PrivateInside, RoleRequired),
        "add": (
            UnknownTarget,
            MemberExists,
            NoSuchPosition,
            PrivateInside,
            SetCycle,
            NestedTooDeep,
            RoleRequired,
        ),
        "move": (NoSuchPosition, SetGone, RoleRequired),
        "remove": (SetGone, RoleRequired),
        "deploy": (
            OutsideRoots,
            ConfirmationRequired,
            DeployConflicts,
            DeployFailed,
            DeployRunning,
            LockDamaged,
            SettingsMalformed,
            TargetBlocked,
            TargetMissing,
            ArtifactUnusable,
            RoleRequired,
        ),
        "bundle": (ConfirmationRequired, DeployConflicts, ArtifactUnusable),
    }

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or ()
        resolving.measure(page)
        return self.get_paginated_response(SetSerializer(page, many=True).data)

    @extend_schema(summary="Make a set", request=NewSetSerializer, responses={201: SetDetailSerializer})
    def create(self, request: Request) -> Response:
        body = NewSetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        project = project_for_writing(self.caller, body.validated_data.get("project"))
        new = sets.create(settings=body.as_settings(), project=project, by=self.caller, at=timezone.now())
        return self._made(new, at=request.path)

    def retrieve(self, request: Request, id: str) -> Response:
        return Response(self._shown(self.get_object()))

    @extend_schema(
        summary="Replace a set's settings", request=SetSettingsSerializer, responses=SetDetailSerializer
    )
    def update(self, request: Request, id: str) -> Response:
        """All fields have to be there; the members stay."""
        deployment_set = self.get_object()
        body = SetSettingsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sets.replace(
            deployment_set=deployment_set, settings=body.as_settings(), by=self.caller, at=timezone.now()
        )
        return Response(self._shown(deployment_set))

    def perform_destroy(self, instance: DeploymentSet) -> None:
        sets.delete(deployment_set=instance, by=self.caller, at=timezone.now())

    @extend_schema(summary="Copy a set", request=EmptySerializer, responses={201: SetDetailSerializer})
    @action(detail=True, methods=["post"], serializer_class=EmptySerializer)
    def clone(self, request: Request, id: str) -> Response:
        """The copy has the same members, is called `<name> (copy)`, and belongs to the caller."""
        original = self.get_object()
        self.validated(request)
        copy = sets.clone(deployment_set=original, by=self.caller, at=timezone.now())
        return self._made(copy, at=request.path.removesuffix(f"/{id}/clone"))

    @extend_schema(summary="List a set's members in order", responses=SetMemberSerializer(many=True))
    @action(detail=True, url_path="members", filterset_class=None, pagination_class=OffsetPagination)
    def list_members(self, request: Request, id: str) -> Response:
        page = self.paginate_queryset(self.get_object().members.named())
        return self.get_paginated_response(SetMemberSerializer(page, many=True).data)

    @extend_schema(
        summary="Add an artifact, a group or a set",
        request=NewMemberSerializer,
        responses={201: SetMemberSerializer},
    )
    @list_members.mapping.post
    def add(self, request: Request, id: str) -> Response:
        deployment_set = self.get_object()
        body = NewMemberSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        member = members.add(
            deployment_set=deployment_set, new=body.as_member(), by=self.caller, at=timezone.now()
        )
        location = {"Location": f"{request.path}/{member.public_id}"}
        return Response(_shown_member(member), status=status.HTTP_201_CREATED, headers=location)

    @extend_schema(
        summary="Move a member",
        parameters=[MEMBER_ID],
        request=PositionSerializer,
        responses=SetMemberSerializer,
    )
    @action(
        detail=True,
        methods=["put"],
        url_path=r"members/(?P<member_id>[^/.]+)",
        serializer_class=PositionSerializer,
    )
    def move(self, request: Request, id: str, member_id: str) -> Response:
        """The members between its old and its new place make room."""
        member = self._member(member_id)
        position = self.validated(request)["position"]
        moved = members.move(member=member, position=position, by=self.caller, at=timezone.now())
        return Response(_shown_member(moved))

    @extend_schema(summary="Remove a member", parameters=[MEMBER_ID], responses={204: None})
    @move.mapping.delete
    def remove(self, request: Request, id: str, member_id: str) -> Response:
        members.remove(member=self._member(member_id), by=self.caller, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Show which artifacts a set stands for", responses=ResolvedSetSerializer)
    @action(detail=True, filterset_class=None)
    def resolve(self, request: Request, id: str) -> Response:
        """Depth-first in order, each artifact where it is met first."""
        return Response(shown(resolving.resolve(self.get_object())))

    @extend_schema(
        summary="Deploy a set into a directory of the server",
        request=DeploySerializer,
        responses=DeployedSerializer,
    )
    @action(detail=True, methods=["post"], filterset_class=None)
    def deploy(self, request: Request, id: str) -> Response:
        """All files or none. The same deploy twice changes nothing."""
        deployment_set = self.get_object()
        body = DeploySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.as_wanted()
        if body.validated_data["dry_run"]:
            result = deployments.plan(deployment_set=deployment_set, wanted=wanted)
            return Response({"deployment_id": None, "dry_run": True, **result})
        made = deployments.deploy(
            deployment_set=deployment_set, wanted=wanted, by=self.caller, at=timezone.now()
        )
        return Response({"deployment_id": made.public_id, "dry_run": False, **made.result})

    @extend_schema(
        summary="Get a set as an archive",
        parameters=[
            OpenApiParameter("format", str, enum=FORMATS, default=Format.TAR_GZ.value),
            OpenApiParameter("confirm_untrusted", bool, default=False),
        ],
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in MEDIA_TYPES.values()},
    )
    @action(detail=True, filterset_class=None)
    def bundle(self, request: Request, id: str) -> FileResponse:
        """What a deploy into an empty directory would leave there; the same set is the same bytes."""
        deployment_set = self.get_object()
        archive = Format(self._choice("format", Format.TAR_GZ, FORMATS))
        confirmed = self._choice("confirm_untrusted", "false", ["false", "true"]) == "true"
        file = deployments.bundle(deployment_set=deployment_set, archive=archive, confirm_untrusted=confirmed)
        name = f"{slugify(deployment_set.name) or 'set'}.{archive}"
        return FileResponse(
            file,
            content_type=MEDIA_TYPES[archive],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.request.query_params.get(name, default)
        if value not in choices:
            raise bad_parameter(name, f"Use one of: {', '.join(choices)}.", code="invalid_choice")
        return value

    def _member(self, member_id: str) -> SetMember:
        of_set = SetMember.objects.filter(parent=self.get_object()).select_related("parent__project")
        member: SetMember = self.find(of_set, member_id)
        return member

    def _made(self, made: DeploymentSet, *, at: str) -> Response:
        location = {"Location": f"{at}/{made.public_id}"}
        return Response(self._shown(made), status=status.HTTP_201_CREATED, headers=location)

    def _shown(self, deployment_set: DeploymentSet) -> dict[str, Any]:
        """As it is now, also for an admin who has just made somebody's set private."""
        shown = self.queryset.get(pk=deployment_set.pk)
        resolving.measure([shown])
        return dict(SetDetailSerializer(shown).data)


def _shown_member(member: SetMember) -> dict[str, Any]:
    return dict(SetMemberSerializer(SetMember.objects.named().get(pk=member.pk)).data)
