"""API tokens: issue and revoke them."""

from datetime import datetime

from django.db import IntegrityError, transaction

from skillmeat_site.accounts.models import Token, TokenScope, User
from skillmeat_site.audit.recording import record
from skillmeat_site.errors import DomainError, Kind


class TokenExists(DomainError):
    """You have a token of this name already; names tell your tokens apart."""

    code = "token_exists"
    kind = Kind.CONFLICT
    title = "You have a token of this name"
    hint = "Choose another name, or delete the token named in existing_id."


class TokenOutlivesItsMaker(DomainError):
    """A token cannot make one with more rights than its own.

    What may only read makes none at all, and what expires makes none that lives longer: otherwise whoever
    finds a short-lived token would have access for ever.
    """

    code = "token_outlives_its_maker"
    kind = Kind.FORBIDDEN
    title = "A token cannot make one that lives longer"
    hint = "Give expires_at a time no later than that of the token you use, or log in at /admin/."


def issue(
    *,
    user: User,
    name: str,
    scope: TokenScope,
    expires_at: datetime | None,
    by: User | None,
    at: datetime,
    through: Token | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which is not stored. `through` is the token that was used to ask for it.

    Raises TokenExists, naming the other, and TokenOutlivesItsMaker.
    """
    _keep_within_lifetime(through, expires_at)
    try:
        with transaction.atomic():
            token, secret = Token.objects.issue(user=user, name=name, scope=scope, expires_at=expires_at)
            told = {"user": user.username, "scope": scope, "expires_at": expires_at}
            record("token.created", token, project=None, by=by, at=at, **told)
    except IntegrityError:
        twin = Token.objects.filter(user=user, name=name).first()
        if twin is None:
            raise
        raise TokenExists(f"{user} already has a token named {name!r}.", existing_id=twin.public_id) from None
    return token, secret


@transaction.atomic
def revoke(*, token: Token, by: User | None, at: datetime) -> None:
    """The token does not open anything any more."""
    record("token.deleted", token, project=None, by=by, at=at, user=token.user.username)
    token.delete()


def _keep_within_lifetime(maker: Token | None, expires_at: datetime | None) -> None:
    if maker is None or maker.expires_at is None:
        return
    if expires_at is None or expires_at > maker.expires_at:
        raise TokenOutlivesItsMaker(f"The token {maker.name!r} that you use expires itself.")
