"""Jobs for those who wait for them: list, detail, events, cancel."""

from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from skillmeat_site.accounts.models import Project
from skillmeat_site.accounts.permissions import RolePermission
from skillmeat_site.api.fields import PublicIdField, StrictSerializer
from skillmeat_site.api.filters import OptionFilter, TextFilter
from skillmeat_site.api.pagination import whole_number
from skillmeat_site.api.viewsets import ResourceViewSet
from skillmeat_site.jobs import kinds, operations
from skillmeat_site.jobs.errors import JobFinished
from skillmeat_site.jobs.models import Job, JobEvent, JobStatus, Trigger

EVENTS_AT_MOST = 1_000


class ProgressSerializer(serializers.Serializer[Job]):
    phase = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    percent = serializers.IntegerField(allow_null=True)


class GitHubCostSerializer(serializers.Serializer[Job]):
    requests = serializers.IntegerField(source="github_requests")
    bytes = serializers.IntegerField(source="github_bytes")
    rate_limit_remaining = serializers.IntegerField(source="github_remaining", allow_null=True)


class JobSerializer(serializers.ModelSerializer[Job]):
    id = PublicIdField(Job)
    subject_id = serializers.CharField(source="subject_public_id")
    status = serializers.ChoiceField(JobStatus.choices)
    trigger = serializers.ChoiceField(Trigger.choices)
    progress = ProgressSerializer(source="*")
    github = GitHubCostSerializer(source="*")
    result = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "kind",
            "subject_id",
            "status",
            "run_after",
            "trigger",
            "force",
            "attempt",
            "progress",
            "result",
            "github",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field({"type": ["object", "null"]})
    def get_result(self, job: Job) -> Any:
        return job.result

    @extend_schema_field({"type": ["object", "null"], "description": "The problem that ended or delays it."})
    def get_error(self, job: Job) -> Any:
        return job.error


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    class Meta:
        model = JobEvent
        fields = ("seq", "at", "phase", "message", "done", "total")
        read_only_fields = fields


class JobEventsSerializer(serializers.Serializer[Any]):
    items = JobEventSerializer(many=True)


class JobFilter(django_filters.FilterSet):
    status = OptionFilter(choices=JobStatus.choices)
    kind = OptionFilter(choices=[(kind.name, kind.name) for kind in kinds.registered()])
    project = TextFilter(method="in_project")

    def in_project(self, queryset: Any, _name: str, value: str) -> Any:
        return queryset.filter(project__in=Project.objects.named(value))


@extend_schema_view(
    list=extend_schema(summary="List jobs, newest first"),
    retrieve=extend_schema(summary="Show a job"),
)
class JobViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ResourceViewSet):
    """Long work, and how far it is."""

    queryset = Job.objects.select_related("project")
    serializer_class = JobSerializer
    filterset_class = JobFilter
    permission_classes = (RolePermission,)
    query_parameters = {"events": {"after"}}
    problems = {"cancel": (JobFinished,)}

    @extend_schema(
        summary="List a job's events",
        responses=JobEventsSerializer,
        parameters=[OpenApiParameter("after", int, description="Only events whose seq is greater.")],
    )
    @action(detail=True, filterset_class=None, pagination_class=None)
    def events(self, request: Request, id: str) -> Response:
        """The job's story so far, in order; ask again with the last `seq` as `after`."""
        after = whole_number(request, "after", default=0, low=0, high=10**9)
        events = self.get_object().events.filter(seq__gt=after)[:EVENTS_AT_MOST]
        return Response({"items": JobEventSerializer(events, many=True).data})

    @extend_schema(summary="Cancel a job", request=StrictSerializer, responses={202: JobSerializer})
    @action(detail=True, methods=["post"], serializer_class=StrictSerializer)
    def cancel(self, request: Request, id: str) -> Response:
        """Ask for the job to stop; a running one ends at its next step and changes nothing."""
        job = self.get_object()
        self.validated(request)
        job = operations.cancel(job, by=self.caller, at=timezone.now())
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)
