from django.apps import AppConfig

from skillmeat_site.jobs import kinds, schedules


class MarketplaceConfig(AppConfig):
    name = "marketplace"

    def ready(self) -> None:
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
