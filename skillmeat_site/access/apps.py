from django.apps import AppConfig


class AccessConfig(AppConfig):
    """No tables: those of people and projects are in `accounts`, below the audit that this room writes to."""

    name = "skillmeat_site.access"
    label = "access"
    verbose_name = "Access"
