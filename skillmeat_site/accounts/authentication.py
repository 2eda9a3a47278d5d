"""Who is calling: a bearer token, the local operator of single-user mode, or (from DRF) an admin session."""

from django.conf import settings
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from skillmeat_site.accounts.models import Token, User
from skillmeat_site.api import throttles


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. Comes first, so that a missing login is a 401 and not a 403.

    An address that has sent too many wrong ones is refused before the database is asked, so that guessing
    is slow and cheap to refuse.
    """

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        throttles.check_address(request)
        token = Token.objects.opened_by(secret.strip(), at=timezone.now())
        if token is None:
            throttles.spend_address(request)
            raise AuthenticationFailed("This token is wrong, revoked or expired.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="SkillMeat"'


class LocalOperatorAuthentication(BaseAuthentication):
    """In single-user mode everybody who reaches the server (loopback only) is the local operator."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        if settings.SKILLMEAT_AUTH != "single-user":
            return None
        return User.objects.local_operator(), None
