"""`manage.py worker`: runs jobs until it is told to stop."""

import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from skillmeat_site.jobs.supervisor import Supervisor


class Command(BaseCommand):
    help = (
        "Run jobs: the task processes, with a reaper for lost jobs and a watchdog around them. "
        "Stop with Ctrl-C or SIGTERM; running jobs get 15 seconds, the rest is taken up by the next worker."
    )

    def handle(self, **options: Any) -> None:
        supervisor = Supervisor()

        def stop(_signal: int, _frame: FrameType | None) -> None:
            supervisor.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        supervisor.run()
