"""People: make them."""

from datetime import datetime

from django.db import transaction

from skillmeat_site.accounts.models import User
from skillmeat_site.audit.recording import record


@transaction.atomic
def create(
    *, username: str, by: User | None, at: datetime, password: str | None = None, is_superuser: bool = False
) -> User:
    """A user, without a usable password unless one is given; a superuser may also use the console.

    Raises Django's ValidationError for a name that Django does not allow or that is taken.
    """
    user = User(username=User.normalize_username(username), is_superuser=is_superuser, is_staff=is_superuser)
    user.set_password(password)
    user.full_clean()
    user.save(force_insert=True)
    record("user.created", user, project=None, by=by, at=at, is_superuser=is_superuser)
    return user
