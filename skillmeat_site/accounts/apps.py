from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "skillmeat_site.accounts"
    label = "accounts"
    verbose_name = "People and projects"

    def ready(self) -> None:
        import_module(
            "skillmeat_site.accounts.schema"
        )  # drf-spectacular finds extensions once they are imported
