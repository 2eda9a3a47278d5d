"""What workers run for the marketplace; each is one call of an operation."""

from django.utils import timezone

from marketplace.operations import scans
from skillmeat_site.jobs.runner import JobRun


def run_scan(run: JobRun) -> None:
    scans.execute(run)


def rescan_due() -> None:
    scans.request_due(at=timezone.now(), at_most=scans.DUE_AT_ONCE)  # what is left is due a minute later
