"""`manage.py collect_garbage`: stored content that nothing refers to any more goes."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from marketplace.content import upkeep
from skillmeat_site.commands import OperatorCommand, Outcome

GRACE = timedelta(days=1)


class Command(OperatorCommand):
    help = (
        "Remove stored files that no catalogue entry or collection refers to and that nothing has wanted for a "
        "day. Safe while scans run."
    )
    examples = ("--dry-run", "--json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def act(self, *, dry_run: bool, **options: Any) -> Outcome:
        line = self.line()
        collected = upkeep.collect_garbage(
            before=timezone.now() - GRACE, dry_run=dry_run, progress=line.progress
        )
        line.finish()
        verb = "Would remove" if dry_run else "Removed"
        self.say(
            f"{verb} {collected.blobs} files ({collected.bytes:,} bytes), {collected.manifests} file lists and "
            f"{collected.leftovers} leftovers of interrupted writes."
        )
        return Outcome(facts=asdict(collected) | {"dry_run": dry_run})
