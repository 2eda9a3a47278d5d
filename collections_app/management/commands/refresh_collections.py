"""`manage.py refresh_collections`: refreshes for schedulers and people, done here and now."""

from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from collections_app.drift import MODES, Mode, Options
from collections_app.models import Collection, RefreshStatus
from collections_app.operations import refreshes
from collections_app.operations.refreshes import RefreshRunning
from skillmeat_site.api.errors import NotFound
from skillmeat_site.commands import OperatorCommand, Outcome
from skillmeat_site.errors import DomainError

RUNNING = "running"


class Command(OperatorCommand):
    help = (
        "Refresh collections from upstream, without a worker. The exit code is 1 when one of them could not "
        "be looked at completely. A collection that is being refreshed already is left to that, unless it was "
        "asked for by its id."
    )
    examples = ("--due", "--all --mode check", "--collection col_01m7... --mode sync --json")

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--due", action="store_true", help="those whose refresh_interval has passed")
        which.add_argument("--all", action="store_true", help="every collection")
        which.add_argument("--collection", metavar="ID", help="one collection, by its col_ id")
        parser.add_argument("--mode", choices=MODES, default=Mode.METADATA.value, help="default: metadata")

    def act(self, *, mode: str, **options: Any) -> Outcome:
        fine = {RefreshStatus.SUCCESS.value} | ({RUNNING} if options["collection"] is None else set())
        items = [
            self._refresh(collection, Options(mode=MODES[mode])) for collection in self._chosen(**options)
        ]
        failed = [item for item in items if item["status"] not in fine]
        return Outcome(
            facts={"items": items},
            failure=f"{len(failed)} of {len(items)} refreshes did not succeed." if failed else "",
        )

    @staticmethod
    def _chosen(**options: Any) -> Iterable[Collection]:
        if options["due"]:
            return refreshes.due(at=timezone.now())
        collections = Collection.objects.select_related("project").order_by("id")
        if options["collection"] is None:
            return collections
        chosen = collections.filter(pk__in=[Collection.decode(options["collection"])])
        if not chosen:
            raise NotFound(f"There is no collection {options['collection']!r}.", hint="")
        return chosen

    def _refresh(self, collection: Collection, options: Options) -> dict[str, Any]:
        try:
            run = refreshes.refresh(
                collection=collection,
                options=options,
                by=None,
                at=timezone.now(),
                seconds=refreshes.UNHURRIED_SECONDS,
            )
        except DomainError as error:
            status = RUNNING if isinstance(error, RefreshRunning) else RefreshStatus.ERROR.value
            facts: dict[str, Any] = {"status": status, "error": error.as_problem()}
            told = f"{status}. {error.detail} {error.hint}"
        else:
            facts = refreshes.as_json(run)
            counts = ", ".join(f"{count} {name.removesuffix('_count')}" for name, count in run.counts.items())
            told = f"{run.status}. {counts}"
        self.say(f"{collection.project}/{collection.name}: {told}")
        return {"collection": collection.public_id, **facts}
