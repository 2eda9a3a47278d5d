from django.apps import AppConfig

from skillmeat_site.jobs import history, schedules
from skillmeat_site.metrics import registry as metrics

DAY = 24 * 60


class JobsConfig(AppConfig):
    name = "skillmeat_site.jobs"
    label = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        metrics.register("skillmeat_site.jobs.metrics.collect")
        history.register(history.History(name="jobs", prune="skillmeat_site.jobs.pruning.prune_jobs"))
        schedules.register(
            schedules.Periodic(
                name="prune history", function="skillmeat_site.jobs.tasks.prune_history", minutes=DAY
            )
        )
