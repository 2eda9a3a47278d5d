"""What the home page says about jobs, workers and the audit trail: the ground's own panels."""

from typing import Any

from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils import timezone

from skillmeat_site.admin_pages import operator
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.console.panels import Panel, register
from skillmeat_site.jobs.models import LIVE, WORKER_SILENCE, Job, JobStatus, Worker

SHOWN = 6


def work(request: HttpRequest) -> dict[str, Any]:
    now = timezone.now()
    queued = Q(status=JobStatus.QUEUED)  # nothing but status and run_after is asked for: an index has both
    due, later = queued & Q(run_after__lte=now), queued & Q(run_after__gt=now)
    counts = (
        Job.objects.visible_to(operator(request))
        .filter(status__in=LIVE)
        .aggregate(
            running=Count("status", filter=Q(status=JobStatus.RUNNING)),
            due=Count("status", filter=due),
            oldest=Min("run_after", filter=due),
            later=Count("status", filter=later),
            next=Min("run_after", filter=later),
        )
    )
    workers = [(worker, worker.seen_at > now - WORKER_SILENCE) for worker in Worker.objects.all()[:SHOWN]]
    return counts | {"workers": workers}


def recent(request: HttpRequest) -> dict[str, Any]:
    return {"events": AuditEvent.objects.visible_to(operator(request)).defer("facts")[:SHOWN]}


register(Panel(name="work", title="Work", order=20, facts=work, needs="jobs.view_job"))
register(Panel(name="recent", title="Done lately", order=90, facts=recent, needs="audit.view_auditevent"))
