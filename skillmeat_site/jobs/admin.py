"""Jobs and workers in the console: what runs now, what it waits for, why something failed; and stopping it."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from skillmeat_site.accounts.models import Role
from skillmeat_site.accounts.scoping import require_role
from skillmeat_site.admin_pages import (
    JourneyPage,
    OwnedAdmin,
    ReadOnlyAdmin,
    added,
    ago,
    badge,
    bar,
    code,
    each_row,
    facts,
    has_role,
    operator,
)
from skillmeat_site.admin_pages.filters import Lately, OfProject, Question
from skillmeat_site.admin_pages.rows import link_by_id, models_by_prefix, named
from skillmeat_site.jobs import kinds, operations
from skillmeat_site.jobs.models import WORKER_SILENCE, Job, JobStatus, Worker
from skillmeat_site.rows import Row

EVENTS = 200
SHORT = 90

for model in filter(admin.site.is_registered, apps.get_app_config("django_q").get_models()):
    admin.site.unregister(model)  # messages that wake workers up; the Job row is what happened


class State(Question):
    title, parameter_name = "state", "state"
    answers = {
        "live": ("queued or running", lambda rows: rows.live()),
        "waiting": (
            "waits for a time",
            lambda rows: rows.parked(timezone.now()),
        ),
        "late": ("due, not taken up", lambda rows: rows.due(timezone.now())),
        "succeeded": ("succeeded", lambda rows: rows.filter(status=JobStatus.SUCCEEDED)),
        "failed": ("failed", lambda rows: rows.filter(status=JobStatus.FAILED)),
        "cancelled": ("cancelled", lambda rows: rows.filter(status=JobStatus.CANCELLED)),
        "lost": ("lost a worker", lambda rows: rows.filter(losses__gt=0)),
    }


class Ended(Lately):
    title, parameter_name, field = "ended", "ended", "finished_at"


class Kind(SimpleListFilter):
    title, parameter_name = "kind", "kind"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        return [(kind.name, kind.name) for kind in kinds.registered()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


def subject_model(job: Job) -> type[Row] | None:
    return models_by_prefix().get(kinds.named(job.kind).subject_prefix)


class JobList(ChangeList):
    """A page of jobs with the names of what they work on: one query for each kind of thing."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        wanted: dict[type[Row], set[UUID]] = defaultdict(set)
        for job in self.result_list:
            if model := subject_model(job):
                wanted[model].add(job.subject_id)
        names = {pk: name for model, ids in wanted.items() for pk, name in named(model, ids).items()}
        for job in self.result_list:
            job.subject_name = names.get(job.subject_id)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin, OwnedAdmin):
    list_display = ("subject", "kind", "state", "progress", "started", "took", "trigger", "problem")
    list_filter = (State, Kind, Ended, "trigger", OfProject)
    list_select_related = ("project",)
    search_fields = ("request_id",)
    search_help_text = "The id of a job or of what it works on, or of the request that started it."
    actions = ("cancel",)
    change_form_template = "admin/jobs/job.html"
    fields = ()

    class Media:
        js = ("skillmeat/live.js",)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return JobList

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(self.live_view)
        return [path("<uuid:pk>/live/", live, name="jobs_job_live"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By ids as they are shown, which have their kind as a prefix; anything else is a request's."""
        term = search_term.strip()
        model = models_by_prefix().get(term.partition("_")[0])
        if term and model and (pk := model.decode(term)):
            return queryset.filter(pk=pk) if model is Job else queryset.filter(subject_id=pk), False
        return (queryset.filter(request_id=term) if term else queryset), False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context |= _page(context["original"])
        return super().render_change_form(request, context, *args, **kwargs)

    def live_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What of the page changes while the job runs; a script asks for it until it has ended."""
        job = self.get_object(request, str(pk))
        if job is None or not self.has_view_permission(request, job):
            raise Http404
        return TemplateResponse(request, "admin/jobs/live.html", _page(job))

    @admin.display(description="works on", ordering="subject_id")
    def subject(self, job: Job) -> str:
        return getattr(job, "subject_name", None) or job.subject_public_id

    @admin.display(description="status", ordering="status")
    def state(self, job: Job) -> SafeString:
        return badge(job.status)

    @admin.display(description="progress")
    def progress(self, job: Job) -> SafeString | str:
        if job.status == JobStatus.RUNNING and job.percent is not None:
            return bar(job.percent, job.phase)
        return job.phase if job.is_live else ""

    @admin.display(description="started", ordering="started_at")
    def started(self, job: Job) -> SafeString:
        return ago(job.started_at, never="not yet")

    @admin.display(description="took")
    def took(self, job: Job) -> str:
        return _took(job)

    @admin.display(description="problem")
    def problem(self, job: Job) -> str:
        detail = _detail(job)
        return detail if len(detail) <= SHORT else f"{detail[:SHORT]}…"

    @admin.action(description="Stop", permissions=["stop"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        def act(job: Job) -> None:
            require_role(operator(request), job.project, Role.EDITOR)
            operations.cancel(job, by=operator(request), at=timezone.now())

        each_row(request, queryset, act, done="Being stopped")

    def has_stop_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        may = request.user.has_perm("jobs.change_job") and has_role(request, obj, Role.EDITOR)
        return may and (obj is None or obj.is_live)


@added.journey(Job)
class StopPage(JourneyPage):
    slug, label, permission, at_once = "stop", "Stop", "stop", True

    def post(self, request: HttpRequest) -> HttpResponseBase:
        operations.cancel(self.object, by=operator(request), at=timezone.now())
        return self.leave("It is being stopped.")


def _page(job: Job) -> dict[str, Any]:
    """What the page of a job shows; the number of queries is the same for any job."""
    model = subject_model(job)
    name = named(model, [job.subject_id]).get(job.subject_id) if model else None
    events = list(job.events.order_by("-seq")[:EVENTS])
    return {
        "job": job,
        "title": str(name or job.subject_public_id),
        "subtitle": None,
        "live_address": reverse("admin:jobs_job_live", args=[job.pk]),
        "problem": _detail(job),
        "hint": (job.error or {}).get("hint", ""),
        "facts": facts(_facts(job, model, name)),
        "result": facts((key.replace("_", " "), str(value)) for key, value in _short_facts(job.result)),
        "events": events,
        "earlier": events[-1].seq - 1 if events else 0,
    }


def _facts(job: Job, model: type[Row] | None, name: str | None) -> list[tuple[str, Any]]:
    waits = job.status == JobStatus.QUEUED and job.run_after > timezone.now()
    return [
        ("works on", link_by_id(model, job.subject_id, name) if name else code(job.subject_public_id)),
        ("kind", f"{job.kind}, forced" if job.force else job.kind),
        ("project", job.project),
        ("started by", f"{job.started_by or 'the system'} ({job.trigger})"),
        ("asked for", ago(job.created_at)),
        ("runs again" if job.attempt else "runs", ago(job.run_after) if waits else None),
        ("started", ago(job.started_at, never="not yet")),
        ("ended", ago(job.finished_at) if job.finished_at else None),
        ("took", _took(job)),
        ("attempt", job.attempt or None),
        ("workers lost", job.losses or None),
        ("asked to stop", ago(job.cancel_requested_at) if job.cancel_requested_at else None),
        ("requests to GitHub", job.github_requests or None),
        ("bytes from GitHub", f"{job.github_bytes:,}" if job.github_bytes else None),
        ("GitHub's quota left", job.github_remaining),
        ("id", code(job.public_id)),
        ("request", code(job.request_id)),
    ]


def _short_facts(result: Any) -> list[tuple[str, Any]]:
    """The numbers and words of a result, without its lists."""
    return [(key, value) for key, value in (result or {}).items() if not isinstance(value, dict | list)]


def _detail(job: Job) -> str:
    return str((job.error or {}).get("detail", ""))


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return f"{(job.finished_at - job.started_at).total_seconds():.1f} s"


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "state", "seen", "since", "restarts")

    @admin.display(description="state")
    def state(self, worker: Worker) -> SafeString:
        return badge("alive" if worker.seen_at > timezone.now() - WORKER_SILENCE else "silent")

    @admin.display(description="last seen", ordering="seen_at")
    def seen(self, worker: Worker) -> SafeString:
        return ago(worker.seen_at)

    @admin.display(description="started", ordering="started_at")
    def since(self, worker: Worker) -> SafeString:
        return ago(worker.started_at)
