"""Jobs, their events, and the workers that were seen."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Count, Exists, F, Func, OuterRef, Q
from django.db.models.functions import Coalesce

from skillmeat_site.accounts.models import Project, User
from skillmeat_site.accounts.scoping import ProjectOwnedQuerySet
from skillmeat_site.ids import encode
from skillmeat_site.jobs import kinds
from skillmeat_site.rows import Row

WORKER_SILENCE = timedelta(seconds=30)


class JobStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class Trigger(models.TextChoices):
    """What started the job."""

    CREATE = "create"
    MANUAL = "manual"
    COMMAND = "command"
    SCHEDULE = "schedule"


DECISIVE = (JobStatus.SUCCEEDED, JobStatus.FAILED)  # a cancelled job leaves its subject as it was


class JobQuerySet(ProjectOwnedQuerySet["Job"]):
    def live(self) -> Self:
        """Queued or running, which is not finished.

        Both are said for SQLite, which plans by the words: a subject's are found by `one_live_job_per_subject`, the
        condition of which has no parameters, and all of them by `job_queue`.
        """
        return self.filter(status__in=LIVE, finished_at=None)

    def due(self, at: datetime) -> Self:
        """Queued jobs whose time has come, oldest first."""
        return self.filter(status=JobStatus.QUEUED, run_after__lte=at).order_by("run_after")

    def parked(self, at: datetime) -> Self:
        """Queued jobs that wait for a time, such as the end of a rate limit."""
        return self.filter(status=JobStatus.QUEUED, run_after__gt=at)

    def ended_per_day(self, kind: str, since: datetime) -> dict[date, dict[str, int]]:
        """How many jobs of a kind ended on each day (UTC) in each way; days without any are left out.

        `date()` is both databases' own: Django's TruncDate calls back into Python for each row on SQLite. Ways
        are columns, not groups, because grouping by status leads SQLite away from the index that has it all.
        """
        day = Func(F("finished_at"), function="date", output_field=models.DateField())
        ended = self.filter(kind=kind, finished_at__gte=since).order_by().values_list(day)
        ways = {way.value: Count("status", filter=Q(status=way)) for way in JobStatus if way not in LIVE}
        return {row[0]: dict(zip(ways, row[1:], strict=True)) for row in ended.annotate(**ways)}

    def outlived(self, before: datetime) -> Self:
        """Ended before then, and neither the last decisive job of their subject nor its last success."""
        later = Job.objects.filter(
            kind=OuterRef("kind"), subject_id=OuterRef("subject_id"), pk__gt=OuterRef("pk")
        )
        return self.filter(finished_at__lt=before).filter(
            Q(status=JobStatus.CANCELLED)
            | Q(Exists(later.filter(status=JobStatus.SUCCEEDED)))
            | Q(Exists(later.filter(status__in=DECISIVE)), status=JobStatus.FAILED)
        )

    def held(self, job: Job) -> Self:
        """The row of this job, as long as it runs and this attempt holds it: the fence of every write."""
        return self.filter(pk=job.pk, attempt=job.attempt, status=JobStatus.RUNNING)


class Job(Row):
    """One piece of long work. The row is the truth; the queue's message only wakes a worker up."""

    id_prefix = "job"

    kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    trigger = models.CharField(max_length=10, choices=Trigger)
    force = models.BooleanField(default=False)
    started_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    request_id = models.CharField(max_length=64, blank=True)

    run_after = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="When a worker was last told about it.")
    attempt = models.PositiveIntegerField(default=0, help_text="How often a worker has taken it up.")
    losses = models.PositiveSmallIntegerField(default=0, help_text="How often its worker disappeared.")
    lease_until = models.DateTimeField(null=True, help_text="Until then its worker counts as alive.")
    progress_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    phase = models.CharField(max_length=60, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    github_requests = models.PositiveIntegerField(default=0)
    github_bytes = models.PositiveBigIntegerField(default=0)
    github_remaining = models.PositiveIntegerField(null=True)
    github_resets_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True, help_text="The problem that ended it, or that it waits for.")

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["kind", "subject_id"], condition=Q(finished_at=None), name="one_live_job_per_subject"
            ),
            models.CheckConstraint(condition=Q(status__in=JobStatus.values), name="job_status_known"),
            models.CheckConstraint(condition=Q(trigger__in=Trigger.values), name="job_trigger_known"),
            models.CheckConstraint(
                condition=Q(status__in=LIVE, finished_at=None) | ~Q(status__in=LIVE) & ~Q(finished_at=None),
                name="job_finished_when_it_ended",
            ),
        )
        indexes = (
            models.Index(fields=["subject_id", "-id"], name="job_history"),
            models.Index(fields=["status", "run_after"], name="job_queue"),
            models.Index(fields=["kind", "finished_at", "status"], name="job_ends"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def subject_public_id(self) -> str:
        return encode(kinds.named(self.kind).subject_prefix, self.subject_id)

    @property
    def percent(self) -> int | None:
        """How much of the present phase is done; None while its size is unknown."""
        if self.status == JobStatus.SUCCEEDED:
            return 100
        return min(100, 100 * self.done // self.total) if self.total else None


class JobEvent(models.Model):
    """One step of a job's story; `seq` counts from 1 within the job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    at = models.DateTimeField()
    phase = models.CharField(max_length=60)
    message = models.CharField(max_length=500, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("seq",)
        constraints = (models.UniqueConstraint(fields=["job", "seq"], name="job_event_order"),)

    def __str__(self) -> str:
        return f"{self.seq}. {self.phase}"


class WorkerQuerySet(models.QuerySet["Worker"]):
    def alive(self, at: datetime) -> Self:
        return self.filter(seen_at__gt=at - WORKER_SILENCE)


class Worker(Row):
    """A `manage.py worker` process, as it last reported itself."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    restarts = models.PositiveIntegerField(default=0, help_text="How often its hung cluster was replaced.")

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ("-seen_at",)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


def next_seq(job: Job) -> int:
    """The number of the job's next event."""
    last = JobEvent.objects.filter(job=job).aggregate(last=Coalesce(models.Max("seq"), 0))["last"]
    return int(last) + 1
