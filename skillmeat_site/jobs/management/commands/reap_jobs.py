"""`manage.py reap_jobs`: what a running worker does every few seconds, once and by hand."""

from typing import Any

from django.utils import timezone

from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.jobs import reaper


class Command(OperatorCommand):
    help = (
        "Queue the jobs again whose worker disappeared, fail those that are stuck, and send lost messages "
        "again. A running worker does this by itself; this is for when none does. Safe at any time."
    )
    examples = ("", "--json")

    def act(self, **options: Any) -> Outcome:
        mended = reaper.reap(at=timezone.now())
        self.say(f"{mended} jobs needed mending.")
        return Outcome(facts={"mended": mended})
