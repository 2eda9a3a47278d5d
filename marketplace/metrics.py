"""Numbers about sources and the catalogue, from the counts that sources hold."""

from collections.abc import Iterator

from django.db.models import Count, IntegerField, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone
from prometheus_client.core import Metric

from marketplace.detection.vocabulary import ArtifactType
from marketplace.models import Source
from marketplace.models.source import ScanStatus
from skillmeat_site.metrics.registry import gauge


def collect() -> Iterator[Metric]:
    outcomes = dict.fromkeys([ScanStatus.SUCCESS.value, ScanStatus.ERROR.value, ""], 0)
    rows = Source.objects.order_by().values_list("outcome")
    outcomes |= dict(rows.annotate(count=Count("pk")))
    yield gauge(
        "sources",
        "Sources by how their last scan ended.",
        [((outcome or ScanStatus.PENDING.value,), count) for outcome, count in outcomes.items()],
        labels=("outcome",),
    )
    due = Source.objects.due(timezone.now()).count()
    yield gauge("sources_due", "Sources whose next rescan is due and not queued yet.", [((), due)])
    totals = Source.objects.aggregate(
        **{
            kind.value: Sum(Cast(KT(f"counts_by_type__{kind.value}"), IntegerField()))
            for kind in ArtifactType
        }
    )
    yield gauge(
        "artifacts",
        "Present artifacts of the catalogue.",
        [((kind,), total or 0) for kind, total in totals.items()],
        labels=("type",),
    )
