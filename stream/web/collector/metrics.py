"""Every metric of the collector, once: its name, meaning and labels. Nothing of a key, an id or a property is in one.

Observed for each request, so that a metric costs nothing for each interaction; what is observed for every request is
counted in plain numbers, and made a metric when it is asked for.
"""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.kafka.contact import ContactStatus
from stream.metrics import FAST, add_process_metrics, kafka_metrics, ready_metric

UNNAMED = "unnamed"
"""The source of what comes without a file of write keys."""


class View(Protocol):
    """Where gauges are read from at every scrape."""

    def kafka(self) -> ContactStatus:
        """Whether Kafka answers."""

    def ready(self) -> bool:
        """Whether something would be taken now."""

    def pending(self) -> int:
        """Bytes that wait."""


class CollectorMetrics:
    """The registry, and what is reported to it, all from one thread."""

    def __init__(self, view: View) -> None:
        disable_created_metrics()
        registry = self.registry = CollectorRegistry()
        # Items that could not be read and are dead letters, by source and reason.
        self.dead_letters = Counter(
            "lifecycle_collector_dead_letters", "Dead letters, by reason", ["source", "reason"], registry=registry
        )
        # Requests that were not taken, by code of the answer: unknown_key, busy, slow, kafka_away, unreadable…
        self.refused = Counter(
            "lifecycle_collector_refused_requests", "Requests not taken, by code", ["code"], registry=registry
        )
        self._counts = _Counts()
        add_process_metrics(registry)
        registry.register(self._counts)
        registry.register(_Gauges(view))

    def read(self, size: int) -> None:
        """A body of so many bytes was read."""
        self._counts.bytes += size

    def answered(self, path: str, status: int) -> None:
        """A request to this kind of path was answered."""
        requests = self._counts.requests
        requests[path, status] = requests.get((path, status), 0) + 1

    def taken(self, source: str, path: str, interactions: int, rejected: dict[str, int], seconds: float) -> None:
        """Kafka acknowledged a request."""
        counts = self._counts
        if interactions:
            counts.interactions[source, path] = counts.interactions.get((source, path), 0) + interactions
        for reason, count in rejected.items():
            self.dead_letters.labels(source or UNNAMED, reason).inc(count)
        counts.took[bisect_left(FAST, seconds)] += 1
        counts.seconds += seconds


class _Counts(Collector):
    """What every request is counted in."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self.interactions: dict[tuple[str, str], int] = {}
        self.bytes = 0
        self.took = [0] * (len(FAST) + 1)
        """Acknowledged requests by the bucket of their time; the last is for what took longer."""
        self.seconds = 0.0

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Requests that were answered, by kind of path (segment, native, cloudevents, settings, other) and status.
        requests = CounterMetricFamily(
            "lifecycle_collector_requests", "Requests, by kind of path and status", labels=["path", "status"]
        )
        for (path, status), count in self.requests.items():
            requests.add_metric([path, str(status)], count)
        # Interactions that Kafka acknowledged, by source (that of the write key) and kind of path.
        interactions = CounterMetricFamily(
            "lifecycle_collector_interactions", "Interactions taken", labels=["source", "format"]
        )
        for (source, path), count in self.interactions.items():
            interactions.add_metric([source or UNNAMED, path], count)
        yield from (requests, interactions)
        # Bytes of bodies that were read, unpacked.
        yield CounterMetricFamily("lifecycle_collector_body_bytes", "Bytes of bodies, unpacked", value=self.bytes)
        # From a request that was read and split to Kafka's acknowledgement of all of it.
        bounds = [*map(str, FAST), "+Inf"]
        yield HistogramMetricFamily(
            "lifecycle_collector_acknowledge_seconds",
            "From the items of a request to their acknowledgement",
            buckets=list(zip(bounds, accumulate(self.took), strict=True)),
            sum_value=self.seconds,
        )


class _Gauges(Collector):
    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Bytes of requests that are read and not yet acknowledged; above 64 MiB senders are told to come back.
        yield GaugeMetricFamily(
            "lifecycle_collector_pending_bytes", "Bytes that wait for Kafka", value=self._view.pending()
        )
        yield ready_metric(ready=self._view.ready())
        yield from kafka_metrics(self._view.kafka())
