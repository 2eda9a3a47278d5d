"""The admin site: its name, its home page, and what every page says about the state of the server."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from skillmeat_site.console import panels
from skillmeat_site.jobs.health import worker_missing


class Console(AdminSite):
    site_header = "SkillMeat"
    site_title = "SkillMeat"
    index_title = "Console"
    site_url = "/api/docs"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"worker_missing": worker_missing()}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, (extra_context or {}) | {"shown_panels": panels.shown(request)})
