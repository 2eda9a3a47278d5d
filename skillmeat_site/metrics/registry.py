"""Which numbers there are; each app registers its own, so this room knows none of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

registry = CollectorRegistry()


@dataclass(frozen=True, slots=True)
class _Named(Collector):
    """Numbers whose function is imported when they are asked for."""

    dotted: str

    def collect(self) -> Iterable[Metric]:
        return import_string(self.dotted)()  # type: ignore[no-any-return]


def register(dotted: str) -> None:
    """Add the numbers of an app: the dotted name of a function that yields families.

    It asks a constant number of queries and counts no big table, because it is called again and again.
    """
    registry.register(_Named(dotted))


def gauge(
    name: str,
    explanation: str,
    samples: Iterable[tuple[tuple[str, ...], float]],
    *,
    labels: tuple[str, ...] = (),
) -> GaugeMetricFamily:
    """A number for each combination of the labels' values; `skillmeat_` is put before its name."""
    family = GaugeMetricFamily(f"skillmeat_{name}", explanation, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family
