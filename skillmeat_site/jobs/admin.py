"""Jobs and workers in the console."""

from django.contrib import admin
from django.utils.safestring import SafeString

from skillmeat_site.admin_pages import ReadOnlyAdmin, ReadOnlyInline, badge
from skillmeat_site.jobs.models import Job, JobEvent, Worker


class JobEventInline(ReadOnlyInline):
    model = JobEvent
    fields = ("seq", "at", "phase", "message", "done", "total")
    show_change_link = False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "kind",
        "project",
        "state",
        "phase",
        "percent",
        "trigger",
        "created_at",
        "took",
    )
    list_filter = ("status", "kind", "trigger", "project")
    list_select_related = ("project",)
    search_fields = ("subject_id", "request_id")
    readonly_fields = ("public_id", "subject_public_id")
    inlines = (JobEventInline,)

    @admin.display(description="status", ordering="status")
    def state(self, job: Job) -> SafeString:
        return badge(job.status)

    @admin.display(description="seconds")
    def took(self, job: Job) -> str:
        if job.started_at is None or job.finished_at is None:
            return ""
        return f"{(job.finished_at - job.started_at).total_seconds():.1f}"


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "started_at", "seen_at", "restarts")
