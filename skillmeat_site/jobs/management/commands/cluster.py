"""`manage.py cluster`: the task processes of a worker, which end with it, however it ends."""

import os
import signal
import sys
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "The task processes of one `manage.py worker`, which starts this by itself as a process group of its "
        "own. All of them end at once when standard input is closed, as it is when the worker is killed."
    )

    def handle(self, **options: Any) -> None:
        threading.Thread(target=_end_with_the_worker, name="leash", daemon=True).start()
        call_command("qcluster")


def _end_with_the_worker() -> None:
    # Past Python's buffer, whose lock the processes that are forked meanwhile would inherit.
    os.read(sys.stdin.fileno(), 1)
    os.killpg(0, signal.SIGKILL)
