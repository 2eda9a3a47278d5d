from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "skillmeat_site.jobs"
    label = "jobs"
    verbose_name = "Jobs"
