"""Asking for a scan of one source, and stopping it."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from marketplace.models import ScanStatus, Source
from marketplace.models.source import SCAN
from marketplace.operations import scans
from skillmeat_site.admin_pages import JourneyPage, added, operator
from skillmeat_site.jobs import operations as jobs
from skillmeat_site.jobs.errors import JobFinished
from skillmeat_site.jobs.models import Job, Trigger


class _Scan(JourneyPage):
    at_once, force = True, False

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and obj.scan_status != ScanStatus.SCANNING

    def post(self, request: HttpRequest) -> HttpResponseBase:
        scans.request(
            source=self.object,
            by=operator(request),
            at=timezone.now(),
            trigger=Trigger.MANUAL,
            force=self.force,
        )
        return self.leave("Scan queued.")


@added.journey(Source)
class ScanPage(_Scan):
    slug, label = "rescan", "Scan again"


@added.journey(Source)
class ForcedScanPage(_Scan):
    slug, label, force = "force-rescan", "Scan again, reading everything", True


@added.journey(Source)
class StopPage(JourneyPage):
    slug, label, at_once = "stop", "Stop the scan", True

    @classmethod
    def is_open(cls, model_admin: ModelAdmin, request: HttpRequest, obj: Any) -> bool:
        return super().is_open(model_admin, request, obj) and obj.scan_status == ScanStatus.SCANNING

    def post(self, request: HttpRequest) -> HttpResponseBase:
        job = Job.objects.live().filter(kind=SCAN, subject_id=self.object.pk).first()
        if job is None:
            raise JobFinished("The scan has already ended.")
        jobs.cancel(job, by=operator(request), at=timezone.now())
        return self.leave("The scan is being stopped.")
