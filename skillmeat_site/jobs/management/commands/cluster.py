"""`manage.py cluster`: the task processes of a worker, which end with it, however it ends."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from skillmeat_site import leash


class Command(BaseCommand):
    help = (
        "The task processes of one `manage.py worker`, which starts this by itself as a process group of its "
        "own. All of them end at once when standard input is closed, as it is when the worker is killed."
    )

    def handle(self, **options: Any) -> None:
        leash.hold()
        call_command("qcluster")
