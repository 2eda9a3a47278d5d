from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "skillmeat_site.accounts"
    label = "accounts"
    verbose_name = "People and projects"
