"""What workers run for collections; each is one call of an operation."""

from django.utils import timezone

from collections_app.operations import refreshes
from skillmeat_site.jobs.runner import JobRun


def run_refresh(run: JobRun) -> None:
    refreshes.execute(run)


def refresh_due() -> None:
    refreshes.request_due(at=timezone.now())
