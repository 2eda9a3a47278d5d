"""Forgetting old audit events: only ever asked for by hand, and itself an audit event."""

from datetime import datetime

from django.db import transaction

from skillmeat_site.accounts.models import User
from skillmeat_site.audit.models import AuditEvent
from skillmeat_site.audit.recording import record
from skillmeat_site.rows import remove


def prune(*, before: datetime, by: User | None, at: datetime, dry_run: bool = False) -> int:
    """Remove the events from before then; how many. That it is done is recorded first, about the last of them."""
    rows = AuditEvent.objects.filter(at__lt=before)
    count, last = rows.count(), rows.first()
    if dry_run or last is None:
        return count
    with transaction.atomic():
        record("audit.pruned", last, project=None, by=by, at=at, before=before, count=count)
    return remove(rows)
