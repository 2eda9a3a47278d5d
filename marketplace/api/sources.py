"""`/marketplace/sources`: create, list, show, change, delete, rescan, and what hangs below a source."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.api.filters import EntryFilter, SourceFilter
from marketplace.api.permissions import require_place, require_trust
from marketplace.api.serializers import (
    EntrySerializer,
    InferredSerializer,
    LinkSerializer,
    NewSourceSerializer,
    RescannedSerializer,
    RescanSerializer,
    SourceChangesSerializer,
    SourceSerializer,
)
from marketplace.models import Entry, Source
from marketplace.models.source import SCAN
from marketplace.operations import scans, sources
from marketplace.operations.scans import RescanTooSoon, SourceGone
from marketplace.operations.sources import SourceExists, UnknownDirectories
from marketplace.repository import RepositoryNotFound
from skillmeat_site.accounts.errors import ProjectRequired, RoleRequired, UnknownProject
from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.permissions import RolePermission, ScopePermission
from skillmeat_site.accounts.scoping import project_for_writing
from skillmeat_site.api.filters import StrictQueryMixin
from skillmeat_site.api.pagination import OffsetPagination
from skillmeat_site.api.viewsets import PlainViewSet
from skillmeat_site.jobs.api import JobFilter, JobSerializer
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, Trigger


@extend_schema_view(
    list=extend_schema(summary="List sources, newest first"),
    retrieve=extend_schema(summary="Show a source"),
    destroy=extend_schema(summary="Delete a source and its catalogue"),
)
class SourceViewSet(mixins.DestroyModelMixin, PlainViewSet):
    """Repositories that a project looks into."""

    queryset = Source.objects.select_related("project").defer("suggested_sources").with_scan_status()
    serializer_class = SourceSerializer
    filterset_class = SourceFilter
    permission_classes = (RolePermission,)
    roles = {"destroy": Role.ADMIN}
    list_actions = {"list", "artifacts", "jobs"}
    problems = {
        "create": (SourceExists, RepositoryNotFound, ProjectRequired, UnknownProject, RoleRequired),
        "partial_update": (SourceExists, UnknownDirectories, SourceGone, RoleRequired),
        "rescan": (JobConflict, RescanTooSoon),
    }

    @extend_schema(
        summary="Add a source and scan it", request=NewSourceSerializer, responses={201: SourceSerializer}
    )
    def create(self, request: Request) -> Response:
        body = NewSourceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        new = NewSourceSerializer.as_new_source(body.validated_data)
        project = project_for_writing(self.caller, body.validated_data.get("project"))
        require_place(self.caller, project, new.location)
        require_trust(self.caller, project, new.trust_level)
        source = sources.create(new=new, project=project, by=self.caller, at=timezone.now())
        location = f"{request.path}/{source.public_id}"
        return Response(self._shown(source), status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(
        summary="Change a source", request=SourceChangesSerializer, responses={200: SourceSerializer}
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """Only the fields present are changed. No scan is started."""
        source = self.get_object()
        body = SourceChangesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changes = body.as_changes()
        if changes.get("trust_level", source.trust_level) != source.trust_level:
            require_trust(self.caller, source.project, changes["trust_level"])
        if changes:
            sources.change(source=source, changes=changes, by=self.caller, at=timezone.now())
        return Response(self._shown(source))

    def perform_destroy(self, instance: Source) -> None:
        sources.delete(source=instance, by=self.caller, at=timezone.now())

    @extend_schema(
        summary="Scan a source again", request=RescanSerializer, responses={202: RescannedSerializer}
    )
    @action(detail=True, methods=["post"], serializer_class=RescanSerializer, filterset_class=None)
    def rescan(self, request: Request, id: str) -> Response:
        """202: follow the job named in `Location`."""
        source = self.get_object()
        force = self.validated(request)["force"]
        job = scans.request(
            source=source, by=self.caller, at=timezone.now(), trigger=Trigger.MANUAL, force=force
        )
        return Response(
            self._shown(source) | {"job_id": job.public_id},
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/api/v1/jobs/{job.public_id}"},
        )

    @extend_schema(summary="List a source's artifacts", responses=EntrySerializer(many=True))
    @action(detail=True, filterset_class=EntryFilter, pagination_class=OffsetPagination)
    def artifacts(self, request: Request, id: str) -> Response:
        """Best first. Removed entries only with `status=removed`, excluded ones only with `excluded=true`."""
        everything = self.listing(Entry.objects.all(), EntrySerializer)
        return self.listed(everything.filter(source=self.get_key()))

    @extend_schema(summary="List a source's jobs, newest first", responses=JobSerializer(many=True))
    @action(detail=True, filterset_class=JobFilter)
    def jobs(self, request: Request, id: str) -> Response:
        jobs = Job.objects.filter(kind=SCAN, subject_id=self.get_key())
        page = self.paginate_queryset(self.filter_queryset(jobs))
        return self.get_paginated_response(JobSerializer(page, many=True).data)

    def _shown(self, source: Source) -> dict[str, Any]:
        return dict(SourceSerializer(self.get_queryset().get(pk=source.pk)).data)


class InferUrlView(StrictQueryMixin, APIView):
    """What a pasted link means."""

    action = "infer"
    reading_actions = {"infer"}
    permission_classes = (ScopePermission,)

    @extend_schema(
        summary="Understand a link into a repository",
        request=LinkSerializer,
        responses=InferredSerializer,
        operation_id="marketplace_infer_url",
    )
    def post(self, request: Request) -> Response:
        """Branch names with slashes are told apart from directories by asking the host, within 5 seconds."""
        body = LinkSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(InferredSerializer(body.location).data)
