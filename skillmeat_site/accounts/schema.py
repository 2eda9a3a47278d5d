"""How callers prove who they are, for the OpenAPI document."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "skillmeat_site.accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from `POST /api/v1/tokens` or `manage.py create_token`. Not needed in "
            "single-user mode.",
        }


class LocalOperatorScheme(OpenApiAuthenticationExtension):
    """Needs nothing, which OpenAPI writes as an empty requirement; with several users there is no such way."""

    target_class = "skillmeat_site.accounts.authentication.LocalOperatorAuthentication"
    name = ()

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return []

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]] | None:
        return {} if settings.SKILLMEAT_AUTH == "single-user" else None


class SessionScheme(OpenApiAuthenticationExtension):
    """The console's login."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1  # before drf-spectacular's own

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "The login of the console at `/admin/`. Methods that change something also need "
            f"the value of the cookie `{settings.CSRF_COOKIE_NAME}` in the header `X-CSRFToken`.",
        }
