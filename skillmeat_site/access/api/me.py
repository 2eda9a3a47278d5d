"""`/me`: who the server thinks is asking."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from skillmeat_site.access.api.serializers import MeSerializer
from skillmeat_site.accounts.models import Project, Token
from skillmeat_site.api.filters import StrictQueryMixin


class MeView(StrictQueryMixin, APIView):
    @extend_schema(summary="Show who is asking", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """The user, the projects that are visible to him with his role in each, and the token that was sent."""
        user: Any = request.user
        me = {
            "user": user,
            "auth": settings.SKILLMEAT_AUTH,
            "projects": Project.objects.visible_to(user).with_role_of(user),
            "token": request.auth if isinstance(request.auth, Token) else None,
        }
        return Response(MeSerializer(me).data)
