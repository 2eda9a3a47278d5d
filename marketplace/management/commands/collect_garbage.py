"""`manage.py collect_garbage`: stored content that nothing refers to any more goes."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from marketplace.content import upkeep
from skillmeat_site.jobs.terminal import Line

GRACE = timedelta(days=1)


class Command(BaseCommand):
    help = (
        "Remove stored files that no catalogue entry or collection refers to and that nothing has wanted for a "
        "day. Safe while scans run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        line = Line()
        collected = upkeep.collect_garbage(
            before=timezone.now() - GRACE, dry_run=dry_run, progress=line.progress
        )
        line.finish()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(collected) | {"dry_run": dry_run}))
            return
        verb = "Would remove" if dry_run else "Removed"
        self.stdout.write(
            f"{verb} {collected.blobs} files ({collected.bytes:,} bytes), {collected.manifests} file lists and "
            f"{collected.leftovers} leftovers of interrupted writes."
        )
