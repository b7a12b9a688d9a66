"""Every metric of the collector, once: its name, meaning and labels. Nothing of a key, an id or a property is in one.

Observed for each request, so that a metric costs nothing for each interaction.
"""

from collections.abc import Iterator
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.kafka.contact import ContactStatus
from stream.metrics import FAST, add_process_metrics, kafka_metrics

UNNAMED = "unnamed"
"""The source of what comes without a file of write keys."""


class View(Protocol):
    """Where gauges are read from at every scrape."""

    def kafka(self) -> ContactStatus:
        """Whether Kafka answers."""

    def pending(self) -> int:
        """Bytes that wait."""


class CollectorMetrics:
    """The registry, and what is reported to it."""

    def __init__(self, view: View) -> None:
        disable_created_metrics()
        registry = self.registry = CollectorRegistry()
        # Requests that were answered, by kind of path (segment, native, cloudevents, settings, other) and status.
        self.requests = Counter(
            "lifecycle_collector_requests",
            "Requests, by kind of path and status",
            ["path", "status"],
            registry=registry,
        )
        # Interactions that Kafka acknowledged, by source (that of the write key) and kind of path.
        self.interactions = Counter(
            "lifecycle_collector_interactions", "Interactions taken", ["source", "format"], registry=registry
        )
        # Items that could not be read and are dead letters, by source and reason.
        self.dead_letters = Counter(
            "lifecycle_collector_dead_letters", "Dead letters, by reason", ["source", "reason"], registry=registry
        )
        # Requests that were not taken, by code of the answer: unknown_key, busy, slow, kafka_away, unreadable…
        self.refused = Counter(
            "lifecycle_collector_refused_requests", "Requests not taken, by code", ["code"], registry=registry
        )
        # Bytes of bodies that were read, unpacked.
        self.bytes = Counter("lifecycle_collector_body_bytes", "Bytes of bodies, unpacked", registry=registry)
        # From a request that was read and split to Kafka's acknowledgement of all of it.
        self.acknowledged = Histogram(
            "lifecycle_collector_acknowledge_seconds",
            "From the items of a request to their acknowledgement",
            buckets=FAST,
            registry=registry,
        )
        add_process_metrics(registry)
        registry.register(_Gauges(view))

        self._answered: dict[tuple[str, int], Counter] = {}
        self._taken: dict[tuple[str, str], Counter] = {}

    def answered(self, path: str, status: int) -> None:
        """A request to this kind of path was answered."""
        counter = self._answered.get((path, status))
        if counter is None:
            counter = self._answered[path, status] = self.requests.labels(path, str(status))
        counter.inc()

    def taken(self, source: str, path: str, interactions: int, rejected: dict[str, int], seconds: float) -> None:
        """Kafka acknowledged a request."""
        if interactions:
            counter = self._taken.get((source, path))
            if counter is None:
                counter = self._taken[source, path] = self.interactions.labels(source or UNNAMED, path)
            counter.inc(interactions)
        for reason, count in rejected.items():
            self.dead_letters.labels(source or UNNAMED, reason).inc(count)
        self.acknowledged.observe(seconds)


class _Gauges(Collector):
    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Bytes of requests that are read and not yet acknowledged; above 64 MiB senders are told to come back.
        yield GaugeMetricFamily(
            "lifecycle_collector_pending_bytes", "Bytes that wait for Kafka", value=self._view.pending()
        )
        yield from kafka_metrics(self._view.kafka())
