"""What workers run to keep the house."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from skillmeat_site.jobs import pruning


def prune_history() -> None:
    if days := settings.SKILLMEAT_HISTORY_DAYS:
        pruning.prune(before=timezone.now() - timedelta(days=days))
