"""What a process that delivers stage changes shows to Prometheus."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stream.codec.deliveries import GivenUp
from stream.engine.error_policy import FailureKind
from stream.engine.status import EngineStatus
from stream.machine.batch import Batch
from stream.metrics import FAST, SLOW, PartitionView, add_process_metrics, engine_metrics, partition_metrics
from stream.webhooks.deliveries.counts import DeliveryCounts
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.exchange import Verdict

_DELIVERY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0, 21600.0, 86400.0)


class View(Protocol):
    """Where gauges are read from at every scrape."""

    def machines(self) -> Mapping[int, DeliveryMachine]:
        """What waits, by partition."""

    def sending(self) -> Mapping[str, int]:
        """Attempts under way, by endpoint."""

    def endpoints(self) -> Iterable[str]:
        """The names of those that the file names."""

    def partitions(self) -> Iterable[PartitionView]:
        """The partitions that this process owns."""

    def status(self) -> EngineStatus | None:
        """What the process is doing; None before it runs."""


class WebhookMetrics:
    """Counts what batches did; an observer of the engine. An endpoint is a label, a customer never."""

    def __init__(self, view: View) -> None:
        disable_created_metrics()
        registry = self.registry = CollectorRegistry()
        # Stage changes that began to wait for an endpoint.
        self.came = Counter("lifecycle_webhook_changes", "Changes for an endpoint", ["endpoint"], registry=registry)
        # Attempts by what came of them: delivered, again (it is repeated), refused (the tool will never take it), gone
        # (the endpoint wants no more, and is disabled).
        self.attempts = Counter(
            "lifecycle_webhook_attempts", "Attempts to deliver", ["endpoint", "verdict"], registry=registry
        )
        # Deliveries that became dead letters, by reason: refused, exhausted (the last attempt failed), overflow (too
        # many waited), unprocessable (a bug of ours). Alert on any.
        self.given_up = Counter(
            "lifecycle_webhook_given_up", "Deliveries given up", ["endpoint", "reason"], registry=registry
        )
        # Deliveries whose place a later change of the customer took, where the endpoint says `only: latest`.
        self.superseded = Counter(
            "lifecycle_webhook_superseded", "Deliveries replaced by later ones", ["endpoint"], registry=registry
        )
        # From when a change began to wait to the beginning of the attempt that was taken.
        self.delay = Histogram(
            "lifecycle_webhook_delay_seconds",
            "A change's arrival to the attempt that was taken",
            ["endpoint"],
            buckets=_DELIVERY,
            registry=registry,
        )
        # From fetch to commit, and the part of it that Kafka took.
        self.batch_seconds = Histogram(
            "lifecycle_batch_seconds", "One batch, from fetch to commit", buckets=FAST, registry=registry
        )
        self.transaction_seconds = Histogram(
            "lifecycle_transaction_seconds", "Writing one batch to Kafka", buckets=FAST, registry=registry
        )
        # Partitions that started over, by kind: kafka, fenced, record, deadline, bug, fatal.
        self.failures = Counter(
            "lifecycle_partition_failures", "Partitions that started over, by kind", ["kind"], registry=registry
        )
        self.recovery_seconds = Histogram(
            "lifecycle_recovery_seconds", "Recovery of one partition", buckets=SLOW, registry=registry
        )
        for kind in FailureKind:
            self.failures.labels(kind)
        add_process_metrics(registry)
        registry.register(_Gauges(view))

    def expect(self, endpoints: Iterable[str]) -> None:
        """Show every series of these endpoints from now on, with 0: `rate` never sees what a series begins with."""
        for endpoint in endpoints:
            for each in (self.came, self.superseded, self.delay):
                each.labels(endpoint)
            for verdict in Verdict:
                self.attempts.labels(endpoint, verdict)
            for reason in get_args(GivenUp):
                self.given_up.labels(endpoint, reason)

    def count(self, counts: DeliveryCounts) -> None:
        """What was committed."""
        for endpoint, number in counts.came.items():
            self.came.labels(endpoint).inc(number)
        for labels, number in counts.attempts.items():
            self.attempts.labels(*labels).inc(number)
        for labels, number in counts.given_up.items():
            self.given_up.labels(*labels).inc(number)
        for endpoint, number in counts.superseded.items():
            self.superseded.labels(endpoint).inc(number)
        for endpoint, milliseconds in counts.delivered:
            self.delay.labels(endpoint).observe(max(milliseconds, 0) / 1000)

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        """A batch is safe in Kafka."""
        del partition, batch
        self.batch_seconds.observe(seconds)
        self.transaction_seconds.observe(transaction_seconds)

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        """A partition's state was read."""
        del partition, records
        self.recovery_seconds.observe(seconds)

    def gathered(self, topic: str, interactions: int) -> None:
        """Nothing is gathered here."""

    def failed(self, partition: int, kind: str) -> None:
        """A partition starts over."""
        del partition
        self.failures.labels(kind).inc()


class _Gauges(Collector):
    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Deliveries that wait for an endpoint on this process's partitions, those under way included.
        waiting = GaugeMetricFamily("lifecycle_webhook_waiting", "Deliveries that wait", labels=["endpoint"])
        # For how long the oldest of them has waited; 0 where none does. Alert on more than an outage may last.
        oldest = GaugeMetricFamily(
            "lifecycle_webhook_oldest_seconds", "Age of the oldest delivery that waits", labels=["endpoint"]
        )
        # Attempts under way.
        sending = GaugeMetricFamily("lifecycle_webhook_sending", "Attempts under way", labels=["endpoint"])
        # 1 where an endpoint is disabled, since it answered 410 or failed for five days; alert on 1. It waits for
        # `lifecycle webhooks resume`.
        disabled = GaugeMetricFamily("lifecycle_webhook_disabled", "The endpoint is disabled", labels=["endpoint"])
        # 1 where somebody paused it.
        paused = GaugeMetricFamily("lifecycle_webhook_paused", "The endpoint is paused", labels=["endpoint"])
        now, sent = time.time() * 1000, self._view.sending()
        machines = list(self._view.machines().values())
        for name in self._view.endpoints():
            known = [each.waiting[name] for each in machines if name in each.waiting]
            came = [each.oldest.came for each in known if each.oldest is not None]
            waiting.add_metric([name], sum(each.count for each in known))
            oldest.add_metric([name], max(now - min(came), 0) / 1000 if came else 0)
            sending.add_metric([name], sent.get(name, 0))
            disabled.add_metric([name], any(each.state.disabled_at is not None for each in known))
            paused.add_metric([name], any(each.state.paused_at is not None for each in known))
        yield from (waiting, oldest, sending, disabled, paused)
        yield from partition_metrics(self._view.partitions())
        yield from engine_metrics(self._view.status())
