"""How callers prove who they are, for the OpenAPI document."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "skillmeat_site.accounts.authentication.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from `manage.py create_token`. Not needed in single-user mode.",
        }


class LocalOperatorScheme(OpenApiAuthenticationExtension):
    """Needs nothing, which OpenAPI writes as an empty requirement."""

    target_class = "skillmeat_site.accounts.authentication.LocalOperatorAuthentication"
    name = ()

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return []

    def get_security_requirement(self, auto_schema: AutoSchema) -> dict[str, list[Any]]:
        return {}
