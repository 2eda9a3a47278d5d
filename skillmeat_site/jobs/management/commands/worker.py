"""`manage.py worker`: runs jobs until it is told to stop."""

import logging
import signal
from types import FrameType
from typing import Any

from django.utils import timezone

from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.jobs.supervisor import Supervisor


class Command(OperatorCommand):
    help = (
        "Run jobs: the task processes, with a reaper for lost jobs and a watchdog around them. "
        "Stop with Ctrl-C or SIGTERM; running jobs get 15 seconds, the rest is taken up by the next worker. "
        "SKILLMEAT_WORKERS says how many jobs run at once; any number of workers may run, on any machine."
    )
    examples = ("", "--json")
    json_help = "when it was stopped, print one JSON document on standard output; logs are on standard error"

    def act(self, **options: Any) -> Outcome:
        logging.getLogger().setLevel(logging.INFO)  # its log is what it says
        supervisor = Supervisor()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            supervisor.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        started_at = timezone.now()
        supervisor.run()
        return Outcome(
            facts={
                "started_at": started_at,
                "stopped_at": timezone.now(),
                "restarts": supervisor.restarts,
            }
        )
