"""The admin site: its name, and what every page says about the state of the server."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from skillmeat_site.jobs.health import worker_missing


class Console(AdminSite):
    site_header = "SkillMeat"
    site_title = "SkillMeat"
    index_title = "Console"
    site_url = "/api/docs"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"worker_missing": worker_missing()}
