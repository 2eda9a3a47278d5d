"""Writing one audit event in the transaction of the change it tells of."""

from datetime import datetime
from typing import Any

from django.db import transaction

from skillmeat_site import logs
from skillmeat_site.accounts.models import Membership, Project, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.rows import Row


def record(
    verb: str, subject: Row, *, project: Project | None, by: User | None, at: datetime, **facts: Any
) -> AuditEvent:
    """Note that `by` (None is the system) did `verb` to `subject`.

    Has to be called inside the mutation's transaction: an event that cannot be written undoes the change,
    and a change that fails leaves no event. What a superuser does in a project that he is no member of says
    so in its facts: `as_superuser`.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record outside of the mutation's transaction")
    if by and project and _reaches_beyond_memberships(by, project):
        facts["as_superuser"] = True
    return AuditEvent.objects.create(
        at=at,
        verb=verb,
        actor_id=by.pk if by else None,
        actor=by.get_username() if by else "",
        object_kind=type(subject)._meta.model_name or "",
        object_id=subject.pk,
        object_label=str(subject)[:300],
        project_id=project.pk if project else None,
        project=project.slug if project else "",
        request_id=logs.current("request_id"),
        facts=facts,
    )


def _reaches_beyond_memberships(user: User, project: Project) -> bool:
    return user.is_superuser and not Membership.objects.filter(user=user, project=project).exists()
