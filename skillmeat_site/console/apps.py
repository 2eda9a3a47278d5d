from importlib import import_module

from django.contrib.admin.apps import AdminConfig


class ConsoleConfig(AdminConfig):
    default_site = "skillmeat_site.console.site.Console"

    def ready(self) -> None:
        super().ready()
        # This app bears the name of Django's, so nobody looks here.
        import_module("skillmeat_site.console.admin")
        import_module("skillmeat_site.console.work")
