"""The admin site: its name, its home page, and what every page says about the state of the server."""

from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from skillmeat_site.api import throttles
from skillmeat_site.api.errors import Throttled
from skillmeat_site.api.views import problem_response
from skillmeat_site.console import panels
from skillmeat_site.jobs.health import worker_missing


class Console(AdminSite):
    site_header = "SkillMeat"
    site_title = "SkillMeat"
    index_title = "Console"
    site_url = "/api/docs"
    enable_nav_sidebar = False  # the menu in the header leaves its width to lists

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Guessing is slow: only so many attempts from one address, and at one name."""
        if request.method == "POST":
            try:
                throttles.spend_login(request, request.POST.get("username", ""))
            except Throttled as error:
                return problem_response(request, error)
        return super().login(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"worker_missing": worker_missing()}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """What this product is about before what it stands on, in the order of the settings."""
        configs = {config.label: config for config in apps.get_app_configs()}
        places = {label: place for place, label in enumerate(configs)}

        def place(app: dict[str, Any]) -> tuple[bool, int]:
            label = app["app_label"]
            return configs[label].name.startswith(("django", "skillmeat_site")), places[label]

        shown = sorted(super().get_app_list(request, app_label), key=place)
        for model in (model for app in shown for model in app["models"] if model["model"] is Group):
            model["name"] = "Permission groups"  # collections have groups, too
        return shown

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(request, (extra_context or {}) | {"shown_panels": panels.shown(request)})
