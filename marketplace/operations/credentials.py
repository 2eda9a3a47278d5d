"""Sealing the access token that a private repository's first scan needs; opened only by that scan."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from skillmeat_site.errors import DomainError, Kind


class CredentialUnreadable(DomainError):
    """The stored access token cannot be decrypted, because the server's secret key has changed since.

    While the old key stands in SKILLMEAT_SECRET_KEY_FALLBACKS, tokens that it encrypted can still be read.
    The token is never shown or recovered; delete the source and create it again with its token.
    """

    code = "credential_unreadable"
    kind = Kind.CONFLICT
    title = "The access token cannot be decrypted"
    hint = "Create the source again with its access_token."


def _fernet() -> MultiFernet:
    """Seals with the secret key, opens with that and its predecessors."""
    return MultiFernet([_keyed(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _keyed(key: str) -> Fernet:
    """Its key is derived from the secret key under a label of its own, so that neither gives the other away."""
    digest = hashlib.sha256(b"skillmeat access token\0" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def seal(secret: str) -> str:
    return _fernet().encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str:
    """The secret again, or an empty string for an empty one. Raises CredentialUnreadable."""
    if not sealed:
        return ""
    try:
        return _fernet().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise CredentialUnreadable from None
