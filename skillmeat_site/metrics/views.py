"""`GET /metrics`: open to whoever is on this machine in single-user mode, else to superusers alone."""

from django.conf import settings
from django.http import HttpResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from rest_framework.request import Request
from rest_framework.views import APIView

from skillmeat_site.accounts.permissions import ScopePermission
from skillmeat_site.metrics.registry import registry


class OperatorPermission(ScopePermission):
    """The numbers are about all projects, so they are for those who see all projects."""

    message = "This needs a superuser's token."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not super().has_permission(request, view):
            return False
        return settings.SKILLMEAT_AUTH == "single-user" or bool(request.user.is_superuser)


class MetricsView(APIView):
    permission_classes = (OperatorPermission,)
    schema = None  # its format is Prometheus's, not the API's

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
