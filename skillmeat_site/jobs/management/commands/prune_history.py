"""`manage.py prune_history`: what has ended long ago and is not needed any more is forgotten."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from skillmeat_site.audit import pruning as audit_pruning
from skillmeat_site.commands import OperatorCommand, Outcome, whole_number
from skillmeat_site.jobs import pruning

MAX_DAYS = 36_500
DEFAULT_DAYS = 90


class Command(OperatorCommand):
    help = (
        "Forget jobs with their events and refreshes that ended so many days ago, and what it takes to undo "
        "deployments that are so old. What is still needed stays: live jobs, and the last end and the last "
        "success for each source and collection. Audit events go only when --audit-events says so. A worker "
        "does this daily, by SKILLMEAT_HISTORY_DAYS."
    )
    examples = ("", "--older-than 30 --dry-run", "--older-than 365 --audit-events 1095 --json")

    def add_arguments(self, parser: CommandParser) -> None:
        days = whole_number(1, MAX_DAYS)
        parser.add_argument(
            "--older-than",
            metavar="DAYS",
            type=days,
            default=settings.SKILLMEAT_HISTORY_DAYS or DEFAULT_DAYS,
            help="default: %(default)s",
        )
        parser.add_argument(
            "--audit-events", metavar="DAYS", type=days, help="also audit events from so many days ago"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")

    def act(self, *, older_than: int, audit_events: int | None, dry_run: bool, **options: Any) -> Outcome:
        at = timezone.now()
        line = self.line()
        counts = pruning.prune(
            before=at - timedelta(days=older_than), dry_run=dry_run, progress=line.progress
        )
        if audit_events:
            line.progress("audit events")
            before = at - timedelta(days=audit_events)
            counts["audit events"] = audit_pruning.prune(before=before, by=None, at=at, dry_run=dry_run)
        line.finish()
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.say(f"{'Would remove' if dry_run else 'Removed'} {told}.")
        return Outcome(facts={"dry_run": dry_run, "removed": counts})
