"""`manage.py rescan_sources`: scans for schedulers and people."""

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from marketplace.models import Source
from marketplace.models.source import SCAN
from marketplace.operations import scans
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.terminal import Follower, ending


class Command(BaseCommand):
    help = (
        "Queue scans of sources that are already there. With --wait the exit code is 1 when one of them "
        "did not succeed; a source that is being scanned already is followed, not scanned twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--due", action="store_true", help="those whose rescan_interval has passed")
        which.add_argument("--all", action="store_true", help="every source")
        which.add_argument("--source", metavar="ID", help="one source, by its src_ id")
        parser.add_argument("--force", action="store_true", help="read everything, even if nothing changed")
        parser.add_argument("--wait", action="store_true", help="show progress and wait for the end")
        parser.add_argument("--json", action="store_true", help="print one JSON object per source")

    def handle(self, *, wait: bool, **options: Any) -> None:
        at = timezone.now()
        jobs = (
            scans.request_due(at=at, force=options["force"])
            if options["due"]
            else self._request(at, **options)
        )
        failed = 0
        for job in jobs:
            label = str(Source.objects.get(pk=job.subject_id))
            ended = Follower().follow(job, label) if wait else job
            failed += ended.status in {JobStatus.FAILED, JobStatus.CANCELLED}
            self._print(ended, label, as_json=options["json"])
        if failed:
            raise CommandError(f"{failed} of {len(jobs)} scans did not succeed.")

    @staticmethod
    def _request(at: datetime, **options: Any) -> list[Job]:
        sources = Source.objects.select_related("project").order_by("id")
        if options["source"] is not None:
            sources = sources.filter(pk__in=[Source.decode(options["source"])])
            if not sources:
                raise CommandError(f"There is no source {options['source']!r}.")
        jobs = []
        for source in sources:
            try:
                job = scans.request(
                    source=source, by=None, at=at, trigger=Trigger.COMMAND, force=options["force"]
                )
            except JobConflict:
                job = Job.objects.filter(kind=SCAN, subject_id=source.pk).latest("id")
            jobs.append(job)
        return jobs

    def _print(self, job: Job, label: str, *, as_json: bool) -> None:
        if as_json:
            facts = {"source": job.subject_public_id, "job": job.public_id, "status": job.status}
            self.stdout.write(json.dumps(facts | {"result": job.result, "error": job.error}))
        else:
            self.stdout.write(f"{label} {job.public_id} {job.status if job.is_live else ending(job)}")
