"""`manage.py check_content`: every stored file is read and compared with its digest."""

from typing import Any

from django.core.management.base import CommandParser

from marketplace.content import upkeep
from marketplace.models import Source
from skillmeat_site.commands import OperatorCommand, Outcome


class Command(OperatorCommand):
    help = (
        "Read every stored file and compare it with its digest. Damaged ones are marked, so that the next scan "
        "with --force stores them anew. The exit code is 1 when one is damaged or missing."
    )
    examples = ("", "--dry-run --json")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only report; mark nothing")

    def act(self, *, dry_run: bool, **options: Any) -> Outcome:
        line = self.line()
        found = upkeep.check(dry_run=dry_run, progress=line.progress)
        line.finish()
        if not found:
            self.say("Every stored file is what it should be.")
        return Outcome(
            facts={"dry_run": dry_run, "items": [self._report(damage) for damage in found]},
            failure=f"{len(found)} stored files are damaged or missing." if found else "",
        )

    def _report(self, damage: upkeep.Damage) -> dict[str, Any]:
        sources = Source.objects.filter(entries__manifest__in=damage.manifests).distinct().order_by("id")
        self.say(damage.reason)
        for source in sources:
            self.say(f"  {source}: rescan_sources --source {source.public_id} --force")
        ids = [source.public_id for source in sources]
        return {"digest": damage.digest, "reason": damage.reason, "sources": ids}
