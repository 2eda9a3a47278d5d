"""Numbers about collections and their refreshes."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import Metric

from collections_app.models import Collection, RefreshRun
from skillmeat_site.metrics.registry import gauge

DAY = timedelta(days=1)
RUNNING = "running"


def collect() -> Iterator[Metric]:
    yield gauge("collections", "Collections.", [((), Collection.objects.count())])
    recent = RefreshRun.made_since(timezone.now() - DAY).order_by().values_list("status")
    yield gauge(
        "refreshes_last_day",
        "Refreshes begun in the last 24 hours, by what has become of them.",
        [((status or RUNNING,), count) for status, count in recent.annotate(count=Count("pk"))],
        labels=("status",),
    )
