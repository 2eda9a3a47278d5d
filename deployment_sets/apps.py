from django.apps import AppConfig

from skillmeat_site.jobs import history


class DeploymentSetsConfig(AppConfig):
    name = "deployment_sets"
    verbose_name = "Sets"

    def ready(self) -> None:
        history.register(
            history.History(name="deployments to undo", prune="deployment_sets.operations.deployments.prune")
        )
