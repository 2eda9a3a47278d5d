from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from skillmeat_site.jobs import kinds, schedules
from skillmeat_site.metrics import registry as metrics


class MarketplaceConfig(AppConfig):
    name = "marketplace"

    def ready(self) -> None:
        metrics.register("marketplace.metrics.collect")
        post_migrate.connect(_install_search, sender=self)
        kinds.register(
            kinds.JobKind(
                name="scan",
                subject_prefix="src",
                task="marketplace.tasks.run_scan",
                ended="marketplace.operations.scans.ended",
            )
        )
        schedules.register(
            schedules.Periodic(name="rescan what is due", function="marketplace.tasks.rescan_due", minutes=1)
        )


def _install_search(**_: Any) -> None:
    """The search index is no model, and a migration that rebuilds its table drops its triggers."""
    from marketplace.search.engines import engine  # noqa: PLC0415  models are not loaded before

    engine().install()
