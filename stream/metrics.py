"""Every metric, once: its name, meaning and labels. Names follow Prometheus; never a customer's id in a label.

Everything is observed per batch, so that a metric costs nothing per interaction.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.engine.batch import Batch
from stream.engine.versions import GroupVersions

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets in seconds for what takes milliseconds."""
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0)
"""Buckets in seconds for what may take long."""


@dataclass(frozen=True, slots=True)
class PartitionView:
    """What is read of a partition when metrics are scraped."""

    partition: int
    lag: int | None
    """Interactions not yet taken."""
    recovered: float
    """Share of the changelog read, 0 to 1."""
    stages: Iterable[tuple[tuple[str, str], int]]
    """Customers by lifecycle and stage."""


class Metrics:
    """The registry, and the observer that the engine reports to."""

    def __init__(self, view: "View") -> None:
        registry = self.registry = CollectorRegistry()
        # Records of the interactions topic by result: applied, duplicate (its id was remembered), repeated (after
        # a crash without transactions), rejected (a dead letter), tick.
        self.interactions = Counter("lifecycle_interactions", "Records read, by result", ["result"], registry=registry)
        # Interactions before a customer's clock, counted once per lifecycle.
        self.late = Counter("lifecycle_late_interactions", "Interactions older than the clock", registry=registry)
        # Interactions more than 5 minutes ahead of their broker time, taken at that.
        self.ahead = Counter(
            "lifecycle_ahead_interactions", "Interactions ahead of their broker time", registry=registry
        )
        # Dead letters by reason; `unprocessable` is a bug of ours: alert on it.
        self.dead_letters = Counter("lifecycle_dead_letters", "Dead letters, by reason", ["reason"], registry=registry)
        # Stage changes; `from` is empty where a life begins, `to` where a customer is forgotten.
        self.changes = Counter(
            "lifecycle_stage_changes", "Stage changes", ["lifecycle", "from", "to"], registry=registry
        )
        # Those of them written to the topic (changes before live_from are not).
        self.published = Counter("lifecycle_stage_changes_published", "Stage changes published", registry=registry)
        # How often each signal counted.
        self.signals = Counter("lifecycle_signals", "Signals counted", ["lifecycle", "signal"], registry=registry)
        # Properties that were absent or of a type that a signal or fact cannot take: no points.
        self.wrong_types = Counter(
            "lifecycle_unusable_properties", "Properties not usable", ["lifecycle", "name"], registry=registry
        )
        # Deadlines fired, forgetting included.
        self.deadlines = Counter("lifecycle_deadlines_fired", "Deadlines fired", registry=registry)
        # How long after its time a deadline was fired, by wall time; with clock `stream` this is the data's age.
        self.deadline_lateness = Histogram(
            "lifecycle_deadline_lateness_seconds", "Deadline's time to its firing", buckets=SLOW, registry=registry
        )
        # Lives that had 64 deadlines without an interaction and now wait for one.
        self.waiting = Counter("lifecycle_waiting_lives", "Lives that wait after 64 deadlines", registry=registry)
        # Customers whose deadlines made our code fail; a bug of ours: alert on it.
        self.quarantined = Counter(
            "lifecycle_quarantined_customers", "Customers whose deadlines are not fired", registry=registry
        )
        # From fetch to commit, and the part of it that Kafka took.
        self.batch_seconds = Histogram(
            "lifecycle_batch_seconds", "One batch, from fetch to commit", buckets=FAST, registry=registry
        )
        self.transaction_seconds = Histogram(
            "lifecycle_transaction_seconds", "Writing one batch to Kafka", buckets=FAST, registry=registry
        )
        # From the broker's time of an interaction that caused a stage change to the commit of that change.
        self.latency = Histogram(
            "lifecycle_end_to_end_latency_seconds",
            "Broker time of an interaction to the commit of its stage change",
            buckets=FAST,
            registry=registry,
        )
        # Partitions that started over, by kind: kafka, fenced, record, deadline, bug, fatal.
        self.failures = Counter(
            "lifecycle_partition_failures", "Partitions that started over, by kind", ["kind"], registry=registry
        )
        # Recovery of partitions: changelog records read, and how long it took.
        self.recovered_records = Counter(
            "lifecycle_recovered_records", "Changelog records read in recovery", registry=registry
        )
        self.recovery_seconds = Histogram(
            "lifecycle_recovery_seconds", "Recovery of one partition", buckets=SLOW, registry=registry
        )
        registry.register(_Gauges(view))

    def show_versions(self, group: GroupVersions) -> None:
        """Show the lifecycles of this worker, and how far its group agrees."""
        self.registry.register(_Versions(group))

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        """A batch is safe in Kafka."""
        del partition
        counts, tally = batch.counts, batch.counts.tally
        for result, count in counts.results.items():
            self.interactions.labels(result).inc(count)
        for reason, count in counts.rejected.items():
            self.dead_letters.labels(reason).inc(count)
        for change, count in counts.changes.items():
            self.changes.labels(*change).inc(count)
        for signal, count in tally.signals.items():
            self.signals.labels(*signal).inc(count)
        for name, count in tally.wrong_types.items():
            self.wrong_types.labels(*name).inc(count)
        self.published.inc(len(batch.stage_changes))
        self.late.inc(tally.late)
        self.ahead.inc(counts.ahead)
        self.waiting.inc(tally.waiting)
        self.quarantined.inc(counts.quarantined)
        self.deadlines.inc(len(tally.fired))
        now = time.time()
        for moment in tally.fired:
            self.deadline_lateness.observe(max(0.0, now - moment / 1000))
        for broker_time in counts.caused:
            self.latency.observe(max(0.0, now - broker_time / 1000))
        self.batch_seconds.observe(seconds)
        self.transaction_seconds.observe(transaction_seconds)

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        """A partition's state was read."""
        del partition
        self.recovered_records.inc(records)
        self.recovery_seconds.observe(seconds)

    def failed(self, partition: int, kind: str) -> None:
        """A partition starts over."""
        del partition
        self.failures.labels(kind).inc()


class View(Protocol):
    """Where gauges are read from at every scrape."""

    def partitions(self) -> Iterable[PartitionView]:
        """The partitions that this worker owns now."""


class _Gauges(Collector):
    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Customers of this worker's partitions; sum over workers for the whole.
        customers = GaugeMetricFamily("lifecycle_customers", "Customers by stage", labels=["lifecycle", "stage"])
        # Interactions of a partition that were not yet taken.
        lag = GaugeMetricFamily("lifecycle_lag_records", "Interactions not yet taken", labels=["partition"])
        # Share of a partition's changelog that was read; 1 when it runs.
        recovery = GaugeMetricFamily("lifecycle_recovery_ratio", "Recovery, 0 to 1", labels=["partition"])
        totals: dict[tuple[str, str], int] = {}
        for view in self._view.partitions():
            for key, count in view.stages:
                totals[key] = totals.get(key, 0) + count
            if view.lag is not None:
                lag.add_metric([str(view.partition)], view.lag)
            recovery.add_metric([str(view.partition)], view.recovered)
        for (lifecycle, stage), count in sorted(totals.items()):
            customers.add_metric([lifecycle, stage], count)
        yield from (customers, lag, recovery)


class _Versions(Collector):
    def __init__(self, group: GroupVersions) -> None:
        self._group = group

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # 1 for each lifecycle of this worker; `digest` as `lifecycle validate` shows it of a file.
        info = GaugeMetricFamily(
            "lifecycle_info", "Lifecycles of this worker, always 1", labels=["lifecycle", "version", "digest"]
        )
        for name, each in self._group.ours.lifecycles.items():
            info.add_metric([name, str(each.version), each.digest], 1)
        # How many versions of a lifecycle the workers of the group have, to lack it being one; absent where the
        # broker does not tell. More than 1 for longer than it takes to replace all workers: alert on it.
        versions = GaugeMetricFamily(
            "lifecycle_group_versions", "Versions of a lifecycle in the group", labels=["lifecycle"]
        )
        for name, count in self._group.distinct().items():
            versions.add_metric([name], count)
        yield from (info, versions)
