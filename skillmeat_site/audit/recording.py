"""Writing one audit event in the transaction of the change it tells of."""

from datetime import datetime
from typing import Any

from django.db import transaction

from skillmeat_site import logs
from skillmeat_site.accounts.models import Project, User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.rows import Row


def record(
    verb: str, subject: Row | User, *, project: Project | None, by: User | None, at: datetime, **facts: Any
) -> AuditEvent:
    """Note that `by` (None is the system) did `verb` to `subject`.

    Has to be called inside the mutation's transaction: an event that cannot be written undoes the change,
    and a change that fails leaves no event.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record outside of the mutation's transaction")
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
