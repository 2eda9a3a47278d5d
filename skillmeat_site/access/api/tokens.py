"""`/tokens`: one's own."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from skillmeat_site.access.api.serializers import IssuedTokenSerializer, NewTokenSerializer, TokenSerializer
from skillmeat_site.access.operations import tokens
from skillmeat_site.access.operations.tokens import TokenExists, TokenOutlivesItsMaker
from skillmeat_site.accounts.models import Token, TokenScope
from skillmeat_site.api.viewsets import ResourceViewSet


@extend_schema_view(
    list=extend_schema(summary="List your tokens, newest first"),
    destroy=extend_schema(summary="Revoke a token"),
)
class TokenViewSet(mixins.ListModelMixin, mixins.DestroyModelMixin, ResourceViewSet):
    """What programs show instead of a password."""

    queryset = Token.objects.select_related("user")
    serializer_class = TokenSerializer
    problems = {"create": (TokenOutlivesItsMaker, TokenExists)}

    @extend_schema(summary="Make a token", request=NewTokenSerializer, responses={201: IssuedTokenSerializer})
    def create(self, request: Request) -> Response:
        """The secret is in this answer and nowhere else."""
        body = NewTokenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        token, secret = tokens.issue(
            user=self.caller,
            name=body.validated_data["name"],
            scope=TokenScope(body.validated_data["scope"]),
            expires_at=body.validated_data["expires_at"],
            by=self.caller,
            at=timezone.now(),
            through=request.auth if isinstance(request.auth, Token) else None,
        )
        shown = TokenSerializer(token).data | {"secret": secret}
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    def perform_destroy(self, instance: Token) -> None:
        tokens.revoke(token=instance, by=self.caller, at=timezone.now())
