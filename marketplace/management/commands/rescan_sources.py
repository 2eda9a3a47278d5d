"""`manage.py rescan_sources`: scans for schedulers and people."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from marketplace.models import Source
from marketplace.models.source import SCAN
from marketplace.operations import scans
from skillmeat_site.api.errors import NotFound
from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.jobs.errors import JobConflict
from skillmeat_site.jobs.models import Job, JobStatus, Trigger
from skillmeat_site.jobs.terminal import Follower, ending


class Command(OperatorCommand):
    help = (
        "Queue scans of sources that are already there; a running worker carries them out. With --wait the exit "
        "code is 1 when one of them did not succeed. A source that is being scanned already is followed, not "
        "scanned twice."
    )
    examples = ("--due", "--all --wait", "--source src_01m7... --force --wait --json")

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--due", action="store_true", help="those whose rescan_interval has passed")
        which.add_argument("--all", action="store_true", help="every source")
        which.add_argument("--source", metavar="ID", help="one source, by its src_ id")
        parser.add_argument("--force", action="store_true", help="read everything, even if nothing changed")
        parser.add_argument("--wait", action="store_true", help="show progress and wait for the end")

    def act(self, *, wait: bool, force: bool, **options: Any) -> Outcome:
        at = timezone.now()
        jobs = (
            scans.request_due(at=at, force=force) if options["due"] else self._request(at, force, **options)
        )
        sources = Source.objects.in_bulk([job.subject_id for job in jobs])
        follower = Follower(self.line(only_moving=True))
        items = []
        for number, job in enumerate(jobs, start=1):
            # A source may have been deleted meanwhile; its job is cancelled then.
            label = str(sources.get(job.subject_id, job.subject_public_id))
            if wait:
                follower.follow(job, f"{number}/{len(jobs)} {label}")
            self.say(f"{label} {job.public_id} {job.status if job.is_live else ending(job)}")
            items.append(_facts(job))
        failed = sum(item["status"] in {JobStatus.FAILED, JobStatus.CANCELLED} for item in items)
        return Outcome(
            facts={"items": items},
            failure=f"{failed} of {len(items)} scans did not succeed." if failed else "",
        )

    @staticmethod
    def _request(at: datetime, force: bool, **options: Any) -> list[Job]:
        sources = Source.objects.select_related("project").order_by("id")
        if options["source"] is not None:
            sources = sources.filter(pk__in=[Source.decode(options["source"])])
            if not sources:
                raise NotFound(f"There is no source {options['source']!r}.", hint="")
        jobs = []
        for source in sources:
            try:
                job = scans.request(source=source, by=None, at=at, trigger=Trigger.COMMAND, force=force)
            except JobConflict:
                job = Job.objects.filter(kind=SCAN, subject_id=source.pk).latest("id")
            jobs.append(job)
        return jobs


def _facts(job: Job) -> dict[str, Any]:
    facts = {"source": job.subject_public_id, "job": job.public_id, "status": job.status}
    return facts | {"result": job.result, "error": job.error}
