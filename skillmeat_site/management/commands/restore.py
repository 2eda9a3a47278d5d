"""`manage.py restore`: a backup into an empty installation."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.management import backups


class Command(OperatorCommand):
    help = (
        "Put what `backup` made into the empty installation that SKILLMEAT_DATA_DIR and DATABASE_URL name; "
        "nothing is overwritten. Afterwards run migrate and check_content. script/restore calls this."
    )
    examples = ("/var/backups/skillmeat/2026-11-21",)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="a directory that `backup` made")

    def act(self, *, directory: Path, **options: Any) -> Outcome:
        summary = backups.restore(directory.absolute())
        self.say(f"Restored the backup of {summary.made_at}: the database and {summary.files} files.")
        self.say("Now run: python manage.py migrate && python manage.py check_content")
        return Outcome(facts=asdict(summary))
