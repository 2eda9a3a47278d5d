from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "skillmeat_site.audit"
    label = "audit"
    verbose_name = "Audit"
