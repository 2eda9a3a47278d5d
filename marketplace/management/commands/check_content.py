"""`manage.py check_content`: every stored file is read and compared with its digest."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.content import upkeep
from marketplace.models import Source
from skillmeat_site.jobs.terminal import Line


class Command(BaseCommand):
    help = (
        "Read every stored file and compare it with its digest. Damaged ones are marked, so that the next scan "
        "with --force stores them anew. The exit code is 1 when one is damaged or missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only report; mark nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object per damaged file")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        line = Line()
        found = upkeep.check(dry_run=dry_run, progress=line.progress)
        line.finish()
        for damage in found:
            self._report(damage, as_json=options["json"])
        if found:
            raise CommandError(f"{len(found)} stored files are damaged or missing.")
        if not options["json"]:
            self.stdout.write("Every stored file is what it should be.")

    def _report(self, damage: upkeep.Damage, *, as_json: bool) -> None:
        sources = Source.objects.filter(entries__manifest__in=damage.manifests).distinct().order_by("id")
        ids = [source.public_id for source in sources]
        if as_json:
            self.stdout.write(json.dumps({"digest": damage.digest, "reason": damage.reason, "sources": ids}))
            return
        self.stdout.write(damage.reason)
        for source, public_id in zip(sources, ids, strict=True):
            self.stdout.write(f"  {source}: rescan_sources --source {public_id} --force")
