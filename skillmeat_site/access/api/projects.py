"""`/projects`: list, make, show and rename them, and who is in them."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from skillmeat_site.access.api.serializers import (
    MemberRoleSerializer,
    MemberSerializer,
    NewProjectSerializer,
    ProjectChangesSerializer,
    ProjectDetailSerializer,
)
from skillmeat_site.access.operations import members, projects
from skillmeat_site.access.operations.members import LastAdmin
from skillmeat_site.access.operations.projects import ProjectExists
from skillmeat_site.accounts.models import Membership, Project, Role, User
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.accounts.scoping import require_founder, require_role
from skillmeat_site.api.errors import NotFound
from skillmeat_site.api.viewsets import ResourceViewSet

PROJECT = OpenApiParameter(
    "id", str, OpenApiParameter.PATH, description="The project's slug, or its `prj_` id."
)


@extend_schema_view(
    list=extend_schema(summary="List the projects you see, newest first"),
    retrieve=extend_schema(summary="Show a project", parameters=[PROJECT]),
)
class ProjectViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ResourceViewSet):
    """What people share: sources, collections and sets belong to a project."""

    queryset = Project.objects.all()
    serializer_class = ProjectDetailSerializer
    permission_classes = (RolePermission,)
    lookup_value_regex = "[a-z0-9_-]{1,50}"
    list_actions = {"list", "members"}
    roles = {
        "partial_update": Role.ADMIN,
        "put_member": Role.ADMIN,
        "remove_member": Role.VIEWER,  # himself; for others the action asks for more
    }
    problems = {
        "create": (ProjectExists,),
        "put_member": (LastAdmin,),
        "remove_member": (LastAdmin,),
    }

    def get_queryset(self) -> QuerySet[Project]:
        visible: Any = super().get_queryset()
        annotated: QuerySet[Project] = visible.with_role_of(self.caller)
        return annotated

    @staticmethod
    def find(queryset: Any, public_id: str) -> Project:
        project: Project | None = queryset.named(public_id).first()
        if project is None:
            raise NotFound(f"You are in no project {public_id!r}.")
        return project

    @extend_schema(
        summary="Make a project", request=NewProjectSerializer, responses={201: ProjectDetailSerializer}
    )
    def create(self, request: Request) -> Response:
        """You become its admin. For superusers, and for people who are an admin of some project."""
        require_founder(self.caller)
        body = NewProjectSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        project = projects.create(**body.validated_data, by=self.caller, at=timezone.now())
        location = f"{request.path}/{project.public_id}"
        return Response(self._shown(project), status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(
        summary="Rename a project",
        parameters=[PROJECT],
        request=ProjectChangesSerializer,
        responses=ProjectDetailSerializer,
    )
    def partial_update(self, request: Request, id: str) -> Response:
        project = self.get_object()
        body = ProjectChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if "name" in body.validated_data:
            projects.rename(
                project=project, name=body.validated_data["name"], by=self.caller, at=timezone.now()
            )
        return Response(self._shown(project))

    @extend_schema(
        summary="List a project's members, newest first",
        parameters=[PROJECT],
        responses=MemberSerializer(many=True),
    )
    @action(detail=True)
    def members(self, request: Request, id: str) -> Response:
        memberships = Membership.objects.filter(project=self.get_object()).select_related("user")
        page = self.paginate_queryset(memberships)
        return self.get_paginated_response(MemberSerializer(page, many=True).data)

    @extend_schema(
        summary="Give a user a role in a project",
        parameters=[PROJECT],
        request=MemberRoleSerializer,
        responses={200: MemberSerializer, 201: MemberSerializer},
    )
    @action(detail=True, methods=["put"], url_path=r"members/(?P<username>[\w.@+-]+)")
    def put_member(self, request: Request, id: str, username: str) -> Response:
        """201 when he was no member before."""
        project = self.get_object()
        body = MemberRoleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        role = Role(body.validated_data["role"])
        membership, is_new = members.put(
            project=project, user=_user(username), role=role, by=self.caller, at=timezone.now()
        )
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(MemberSerializer(membership).data, status=code)

    @extend_schema(summary="Let a member go", parameters=[PROJECT], request=None, responses={204: None})
    @put_member.mapping.delete
    def remove_member(self, request: Request, id: str, username: str) -> Response:
        """Members may go by themselves; letting others go is for admins."""
        project = self.get_object()
        if User.normalize_username(username) != self.caller.username:
            require_role(self.caller, project, Role.ADMIN)
        members.remove(membership=_membership(project, username), by=self.caller, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown(self, project: Project) -> dict[str, Any]:
        return dict(ProjectDetailSerializer(self.get_queryset().get(pk=project.pk)).data)


def _user(username: str) -> User:
    user = User.objects.filter(username=User.normalize_username(username)).first()
    if user is None:
        raise NotFound(f"There is no user {username[:150]!r}.")
    return user


def _membership(project: Project, username: str) -> Membership:
    membership = Membership.objects.filter(
        project=project, user__username=User.normalize_username(username)
    ).first()
    if membership is None:
        raise NotFound(f"{username[:150]!r} is no member of {project}.")
    return membership
