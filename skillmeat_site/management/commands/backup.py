"""`manage.py backup`: everything that cannot be made again, into a new directory."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.management import backups


class Command(OperatorCommand):
    help = (
        "Copy the database, the stored content, what undoing deployments needs and the secret key, if it was "
        "generated, into a new directory. Safe while everything runs. Content takes no space of its own on the "
        "same file system; copy the directory to another machine. script/backup calls this."
    )
    examples = ("/var/backups/skillmeat/2026-11-21", "/var/backups/skillmeat/2026-11-21 --json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="a directory that is not there yet")

    def act(self, *, directory: Path, **options: Any) -> Outcome:
        summary = backups.back_up(directory.absolute(), at=timezone.now())
        self.say(
            f"Backed up the database and {summary.files} files ({summary.bytes:,} bytes) into {directory}."
        )
        return Outcome(facts=asdict(summary) | {"directory": str(directory.absolute())})
