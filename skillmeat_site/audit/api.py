"""`/audit-events`: what was done in the projects that one is an admin of."""

from functools import cache
from typing import TYPE_CHECKING, Any

import django_filters
from django.apps import apps
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.request import Request

from skillmeat_site.accounts.errors import RoleRequired
from skillmeat_site.accounts.models import Project, Role
from skillmeat_site.accounts.permissions import ScopePermission
from skillmeat_site.api.fields import PublicIdField
from skillmeat_site.api.filters import InstantFilter, TextFilter, bad_parameter
from skillmeat_site.api.viewsets import ResourceViewSet
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.rows import Row

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module while it is being loaded


@cache
def shown_kinds() -> dict[str, type[Row]]:
    """The kinds of objects that have an outside id: one with a prefix, or a form of their own."""
    rows = (model for model in apps.get_models() if issubclass(model, Row))
    return {
        str(model._meta.model_name): model
        for model in rows
        if model.id_prefix or model.public_id is not Row.public_id
    }


class AuditedObjectSerializer(serializers.Serializer[AuditEvent]):
    kind = serializers.CharField(source="object_kind")
    id = serializers.SerializerMethodField()
    label = serializers.CharField(  # type: ignore[assignment]  # a serializer has a label of its own
        source="object_label", help_text="What it was called then."
    )

    @extend_schema_field({"type": ["string", "null"], "description": "null where it has none outside."})
    def get_id(self, event: AuditEvent) -> str | None:
        kind = shown_kinds().get(event.object_kind)
        return kind(id=event.object_id).public_id if kind and event.object_id else None


class AuditEventSerializer(serializers.Serializer[AuditEvent]):
    id = PublicIdField(AuditEvent)
    at = serializers.DateTimeField()
    actor = serializers.SerializerMethodField()
    verb = serializers.CharField()
    object = AuditedObjectSerializer(source="*")
    project = serializers.SerializerMethodField()
    request_id = serializers.SerializerMethodField()
    facts = serializers.DictField(help_text="What the case needs; `as_superuser` when he was no member.")

    @extend_schema_field({"type": ["string", "null"], "description": "The user's name; null: the system."})
    def get_actor(self, event: AuditEvent) -> str | None:
        return event.actor or None

    @extend_schema_field({"type": ["string", "null"], "description": "The project's slug."})
    def get_project(self, event: AuditEvent) -> str | None:
        return event.project or None

    @extend_schema_field({"type": ["string", "null"], "description": "null for commands."})
    def get_request_id(self, event: AuditEvent) -> str | None:
        return event.request_id or None


class AuditEventFilter(django_filters.FilterSet):
    project = TextFilter(method="in_project")
    verb = TextFilter()
    actor = TextFilter()
    object = TextFilter(method="about")
    after = InstantFilter(field_name="at", lookup_expr="gt")
    before = InstantFilter(field_name="at", lookup_expr="lt")
    request_id = TextFilter()

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.of_project(value)

    def about(self, queryset: Any, _name: str, value: str) -> Any:
        for kind, model in shown_kinds().items():
            if found := model.decode(value):
                return queryset.filter(object_kind=kind, object_id=found)
        raise bad_parameter("object", "Give the id of an object, like src_ and 26 characters.")


class AuditReaderPermission(ScopePermission):
    """Superusers, and whoever is an admin of some project."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not super().has_permission(request, view):
            return False
        user: Any = request.user
        if not user.is_superuser and not Project.objects.with_role(user, Role.ADMIN).exists():
            raise RoleRequired("Only superusers and admins of a project read what was done.")
        return True


@extend_schema_view(list=extend_schema(summary="List what was done, newest first"))
class AuditEventViewSet(mixins.ListModelMixin, ResourceViewSet):
    """For admins what was done in their projects, for superusers everything."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventSerializer
    filterset_class = AuditEventFilter
    permission_classes = (AuditReaderPermission,)
    problems = {"list": (RoleRequired,)}
