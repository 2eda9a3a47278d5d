"""`manage.py refresh_collections`: refreshes for schedulers and people, done here and now."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from collections_app.drift import MODES, Mode, Options
from collections_app.models import Collection, RefreshStatus
from collections_app.operations import refreshes
from skillmeat_site.errors import DomainError


class Command(BaseCommand):
    help = (
        "Refresh collections from upstream, without a worker. The exit code is 1 when one of them could not "
        "be looked at completely."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--due", action="store_true", help="those whose refresh_interval has passed")
        which.add_argument("--all", action="store_true", help="every collection")
        which.add_argument("--collection", metavar="ID", help="one collection, by its col_ id")
        parser.add_argument("--mode", choices=MODES, default=Mode.METADATA.value, help="default: metadata")
        parser.add_argument("--json", action="store_true", help="print one JSON object per collection")

    def handle(self, *, mode: str, **options: Any) -> None:
        results = [
            self._refresh(collection, Options(mode=MODES[mode]), as_json=options["json"])
            for collection in self._chosen(**options)
        ]
        if failed := results.count(False):
            raise CommandError(f"{failed} of {len(results)} refreshes did not succeed.")

    @staticmethod
    def _chosen(**options: Any) -> Iterable[Collection]:
        if options["due"]:
            return refreshes.due(at=timezone.now())
        collections = Collection.objects.select_related("project").order_by("id")
        if options["collection"] is None:
            return collections
        chosen = collections.filter(pk__in=[Collection.decode(options["collection"])])
        if not chosen:
            raise CommandError(f"There is no collection {options['collection']!r}.")
        return chosen

    def _refresh(self, collection: Collection, options: Options, *, as_json: bool) -> bool:
        """Whether it succeeded."""
        try:
            run = refreshes.refresh(
                collection=collection,
                options=options,
                by=None,
                at=timezone.now(),
                seconds=refreshes.UNHURRIED_SECONDS,
            )
        except DomainError as error:
            facts: dict[str, Any] = {"status": RefreshStatus.ERROR.value, "error": error.as_problem()}
            line = f"{RefreshStatus.ERROR}. {error.detail} {error.hint}"
        else:
            facts = refreshes.as_json(run)
            counts = ", ".join(f"{count} {name.removesuffix('_count')}" for name, count in run.counts.items())
            line = f"{run.status}. {counts}"
        if as_json:
            self.stdout.write(json.dumps({"collection": collection.public_id, **facts}))
        else:
            self.stdout.write(f"{collection.project}/{collection.name}: {line}")
        return bool(facts["status"] == RefreshStatus.SUCCESS)
