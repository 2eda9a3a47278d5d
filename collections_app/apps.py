from django.apps import AppConfig

from skillmeat_site.jobs import history, kinds, schedules
from skillmeat_site.metrics import registry as metrics


class CollectionsAppConfig(AppConfig):
    name = "collections_app"
    verbose_name = "Collections"

    def ready(self) -> None:
        metrics.register("collections_app.metrics.collect")
        kinds.register(
            kinds.JobKind(
                name="refresh",
                subject_prefix="col",
                task="collections_app.tasks.run_refresh",
                ended="collections_app.operations.refreshes.ended",
            )
        )
        schedules.register(
            schedules.Periodic(
                name="refresh what is due", function="collections_app.tasks.refresh_due", minutes=1
            )
        )
        history.register(
            history.History(name="refreshes", prune="collections_app.operations.refreshes.prune")
        )
