"""Every metric, once: its name, meaning and labels. Names follow Prometheus; never a customer's id in a label.

Everything is observed per batch, so that a metric costs nothing per interaction.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream.build import build_labels
from stream.codec.state.figures import Cell
from stream.core.figures import FigureSet
from stream.core.mentions import MeantNames
from stream.core.model import Model, model_of
from stream.engine.status import EngineStatus, PartitionStatus, Phase
from stream.kafka.contact import ContactStatus
from stream.kafka.worker_versions import GroupVersions
from stream.known_labels import known_labels, known_stages
from stream.machine.batch import Batch
from stream.machine.figure_store import FigureStore
from stream.name_labels import NameLabels

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Buckets in seconds for what takes milliseconds, and minutes where something is wrong."""
SLOW = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0)
"""Buckets in seconds for what may take long."""


@dataclass(frozen=True, slots=True)
class PartitionView:
    """What is read of a partition when metrics are scraped."""

    partition: int
    lag: int | None
    """Records not yet processed, as last known."""
    recovered: float
    """Share of the changelog read, 0 to 1."""
    stages: Iterable[tuple[tuple[str, str], int]] = ()
    """Customers by lifecycle and stage."""
    lag_age: float | None = None
    """Seconds since a broker last said where the log ends."""
    open_transaction: float = 0.0
    """Seconds for which a transaction has been open in it; 0: none is."""
    blocked: bool = False
    """Its next records cannot be read."""
    figures: FigureStore | None = None
    """Its figures, once it is recovered."""


def view_of(
    status: PartitionStatus, stages: Iterable[tuple[tuple[str, str], int]] = (), figures: FigureStore | None = None
) -> PartitionView:
    """What metrics show of a partition; `stages` are its customers."""
    opened = status.open_transaction_since
    return PartitionView(
        status.partition,
        status.lag,
        status.recovered,
        stages,
        status.lag_age_seconds,
        0.0 if opened is None else max(time.time() - opened / 1000, 0.0),
        blocked=status.blocked_by is not None,
        figures=figures,
    )


class Metrics:
    """The registry, and the observer that the engine reports to.

    What can be named of `model` has its series from the start, with 0.
    """

    def __init__(
        self,
        view: "View",
        model: Model | None = None,
        gathered: Sequence[str] = (),
        clock: Literal["wall", "stream"] = "wall",
    ) -> None:
        """`gathered` are the topics that interactions are gathered from, where they are several.

        By `clock`, as the setting has it, the day that is today is told from the others.
        """
        model = model or model_of([])
        # A process's start says when its series began; to say it of each would double the size of a scrape.
        disable_created_metrics()
        registry = self.registry = CollectorRegistry()
        # Records of the interactions topic by result: applied, duplicate (its id was remembered), known (a row
        # of an import that was applied before), repeated (after a crash without transactions), rejected (a dead
        # letter), tick.
        self.interactions = Counter("lifecycle_interactions", "Records read, by result", ["result"], registry=registry)
        # Interactions of several topics that were gathered into the one that is processed, by the topic they came from.
        self.gathered_from = Counter(
            "lifecycle_gathered_interactions", "Interactions gathered, by topic", ["topic"], registry=registry
        )
        # Interactions before a customer's clock, counted once per lifecycle.
        self.late = Counter("lifecycle_late_interactions", "Interactions older than the clock", registry=registry)
        # Interactions more than 5 minutes ahead of their broker time, counted at that.
        self.ahead = Counter(
            "lifecycle_ahead_interactions", "Interactions ahead of their broker time", registry=registry
        )
        # Interactions on another partition than the one that `partitioner` gives their customer's id: such a customer
        # has a life on each. Alert on it; the log says once for each partition what the likely cause is.
        self.misplaced = Counter(
            "lifecycle_misplaced_interactions", "Interactions not on their customer's partition", registry=registry
        )
        # Interactions that were applied though something in them could not be used as it stood, by what that was:
        # not_a_number (NaN, Infinity, read as null), id, time_unit (not milliseconds, and read all the same),
        # timestamp, sentAt, receivedAt.
        self.flaws = Counter("lifecycle_flaws", "Unusable parts of interactions, by kind", ["flaw"], registry=registry)
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
        # Properties of a type that a signal or fact cannot take, for a signal and a sum absent ones too: nothing added.
        self.wrong_types = Counter(
            "lifecycle_unusable_properties", "Properties not usable", ["lifecycle", "name"], registry=registry
        )
        # Points that expire, and amounts of rolling sums, that `keep` dropped before their time was over.
        self.lost_points = Counter(
            "lifecycle_dropped_entries", "Entries dropped by keep too early", ["lifecycle", "name"], registry=registry
        )
        # Elements of lists beyond the first 1,000, which no signal or fact looks at.
        self.long_lists = Counter(
            "lifecycle_unread_elements", "Elements of lists that are too long", ["lifecycle", "name"], registry=registry
        )
        # Interactions whose event name no word of a lifecycle covers and no condition names; `other` for all names
        # beyond 20, and for those that could hold somebody's data. A sender's typing error, or a word that is missing.
        self.unmatched = Counter(
            "lifecycle_unmatched_interactions",
            "Interactions that no word covers",
            ["lifecycle", "name"],
            registry=registry,
        )
        self._names = NameLabels()
        self._meant = {each.id: MeantNames(each) for each in model.lifecycles}
        # Changes of figures of days that are more than 800 days old, and cannot change any more.
        self.closed_figures = Counter(
            "lifecycle_closed_figure_changes", "Changes of figures of days too old to change", registry=registry
        )
        # Changes of figures of values of a fact beyond the first 1,000 of a day and partition, counted as `other`.
        self.other_segments = Counter(
            "lifecycle_other_segment_changes", "Changes of figures of values that are too many", registry=registry
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
        # Connections that read live stage changes of this worker now.
        self.live_readers = Gauge("lifecycle_live_readers", "Readers of live stage changes", registry=registry)
        # Those that were cut off since they read more slowly than changes came; they may come back.
        self.live_cut_off = Counter(
            "lifecycle_live_readers_cut_off", "Readers of live stage changes cut off", registry=registry
        )
        add_process_metrics(registry)
        for attribute, known in known_labels(model, gathered).items():
            counter: Counter = getattr(self, attribute)
            for labels in known:
                counter.labels(*labels)
        registry.register(_Gauges(view, known_stages(model)))
        sets = {each.id: each.figures for each in model.lifecycles if each.figures is not None}
        if sets:
            registry.register(_Today(view, sets, clock))

    def show_versions(self, group: GroupVersions) -> None:
        """Show the lifecycles of this worker, and how far its group agrees."""
        self.registry.register(_Versions(group))

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        """A batch is safe in Kafka."""
        del partition
        counts, steps = batch.counts, batch.counts.steps
        for result, count in counts.results.items():
            self.interactions.labels(result).inc(count)
        for reason, count in counts.rejected.items():
            self.dead_letters.labels(reason).inc(count)
        for change, count in counts.changes.items():
            self.changes.labels(*change).inc(count)
        for counter, labelled in (
            (self.signals, steps.signals),
            (self.wrong_types, steps.wrong_types),
            (self.lost_points, steps.lost_points),
            (self.long_lists, steps.long_lists),
        ):
            for label, count in labelled.items():
                counter.labels(*label).inc(count)
        for (lifecycle, event_name), count in steps.unknown_names.items():
            if event_name not in self._meant.get(lifecycle, ()):
                self.unmatched.labels(lifecycle, self._names.label(lifecycle, event_name)).inc(count)
        self.published.inc(len(batch.events))
        self.late.inc(steps.late)
        self.ahead.inc(counts.ahead)
        self.misplaced.inc(counts.misplaced)
        for flaw, count in counts.flaws.items():
            self.flaws.labels(flaw).inc(count)
        self.closed_figures.inc(counts.figures_closed)
        self.other_segments.inc(counts.figures_other)
        self.waiting.inc(steps.waiting)
        self.quarantined.inc(counts.quarantined)
        self.deadlines.inc(len(steps.fired))
        now = time.time()
        for moment in steps.fired:
            self.deadline_lateness.observe(max(0.0, now - moment / 1000))
        for broker_time in counts.caused:
            self.latency.observe(max(0.0, now - broker_time / 1000))
        self.batch_seconds.observe(seconds)
        self.transaction_seconds.observe(transaction_seconds)

    def gathered(self, topic: str, interactions: int) -> None:
        """Interactions of one of several topics were gathered."""
        self.gathered_from.labels(topic).inc(interactions)

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        """A partition's state was read."""
        del partition
        self.recovered_records.inc(records)
        self.recovery_seconds.observe(seconds)

    def live_reader(self, change: int) -> None:
        """One more reads live stage changes, 1, or one less, -1."""
        self.live_readers.inc(change)

    def live_reader_cut_off(self) -> None:
        """One was too slow."""
        self.live_cut_off.inc()

    def failed(self, partition: int, kind: str) -> None:
        """A partition starts over."""
        del partition
        self.failures.labels(kind).inc()


def add_process_metrics(registry: CollectorRegistry) -> None:
    """What every process of ours shows of itself."""
    # Memory, CPU seconds, open files and start of this process, `process_*`; on Linux.
    ProcessCollector(registry=registry)
    # Always 1: version, whether it is compiled, and Python's version.
    build = build_labels()
    Gauge("lifecycle_build_info", "What runs: always 1", [*build], registry=registry).labels(**build).set(1)


class View(Protocol):
    """Where gauges are read from at every scrape."""

    def partitions(self) -> Iterable[PartitionView]:
        """The partitions that this worker owns now."""

    def status(self) -> EngineStatus | None:
        """What the worker is doing; None before it runs."""

    def dead_letter_share(self) -> float:
        """Which share of the last minute's interactions became dead letters, 0 to 1."""


class _Gauges(Collector):
    def __init__(self, view: View, stages: dict[tuple[str, str], int]) -> None:
        self._view = view
        self._stages = stages

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # Customers of this worker's partitions, 0 where nobody is in a stage; sum over workers for the whole.
        customers = GaugeMetricFamily("lifecycle_customers", "Customers by stage", labels=["lifecycle", "stage"])
        totals = dict(self._stages)
        views = list(self._view.partitions())
        for view in views:
            for key, count in view.stages:
                totals[key] = totals.get(key, 0) + count
        for (lifecycle, stage), count in sorted(totals.items()):
            customers.add_metric([lifecycle, stage], count)
        yield customers
        yield from partition_metrics(views)
        # Dead letters of the last minute by the interactions of the last minute, 0 where those are fewer than 1,000;
        # alert on more than `dead_letter_share`.
        yield GaugeMetricFamily(
            "lifecycle_dead_letter_share",
            "Share of dead letters in the last minute, 0 to 1",
            value=self._view.dead_letter_share(),
        )
        yield from engine_metrics(self._view.status())


class _Today(Collector):
    def __init__(self, view: View, sets: dict[str, FigureSet], clock: Literal["wall", "stream"]) -> None:
        self._view, self._sets, self._clock = view, sets, clock

    def collect(self) -> Iterator[Metric]:
        """Read at every scrape."""
        # What the figures of a lifecycle file are today, of everybody on this worker's partitions; sum over workers for
        # the whole. It is a day of the lifecycle's time zone; with clock `stream` the latest that this worker knows.
        today = GaugeMetricFamily(
            "lifecycle_figure_today", "A figure of the day that is not over", labels=["lifecycle", "figure"]
        )
        stores = [view.figures for view in self._view.partitions() if view.figures is not None]
        for lifecycle, of in self._sets.items():
            day = self._day(of, [store.latest_day(lifecycle) for store in stores])
            found = [cells for store in stores for each, cells in store.days(lifecycle, day, day) if each == day]
            for figure in of.figures:
                cell = Cell(figure.name, "", "")
                value = sum(cells.get(cell, 0) for cells in found)
                today.add_metric([lifecycle, figure.name], value / 1e6 if figure.is_money else value)
        yield today

    def _day(self, of: FigureSet, latest: list[int | None]) -> int:
        known = [day for day in latest if day is not None]
        if self._clock == "stream" and known:
            return max(known)
        return of.zone.window(int(time.time() * 1000), "day")


def partition_metrics(views: Iterable[PartitionView]) -> Iterator[Metric]:
    """What is known of this process's partitions at a scrape."""
    # Records of a partition not yet processed, to the end of its log, also behind a transaction that is open; as last
    # known where Kafka is away or the partition starts over, and how old that is: an alert on lag needs one on its
    # age, too.
    lag = GaugeMetricFamily("lifecycle_lag_records", "Records not yet processed", labels=["partition"])
    lag_age = GaugeMetricFamily(
        "lifecycle_lag_age_seconds", "Since a broker last said where the log ends", labels=["partition"]
    )
    # For how long a producer's transaction has been seen open in a partition: what is behind it cannot be read. 0
    # where none is. Producers that do not end theirs hold up everybody; alert on minutes.
    opened = GaugeMetricFamily(
        "lifecycle_open_transaction_seconds", "Age of the oldest open transaction", labels=["partition"]
    )
    # 1 where the next batch of a partition cannot be read, else 0: of interactions it waits for `lifecycle skip`; alert
    # on 1. No worker counts the dead letter that a skip writes.
    blocked = GaugeMetricFamily("lifecycle_partition_blocked", "Next batch is unreadable", labels=["partition"])
    # Share of a partition's changelog that was read; 1 when it runs.
    recovery = GaugeMetricFamily("lifecycle_recovery_ratio", "Recovery, 0 to 1", labels=["partition"])
    for view in views:
        if view.lag is not None:
            lag.add_metric([str(view.partition)], view.lag)
        if view.lag_age is not None:
            lag_age.add_metric([str(view.partition)], view.lag_age)
            opened.add_metric([str(view.partition)], view.open_transaction)
        recovery.add_metric([str(view.partition)], view.recovered)
        blocked.add_metric([str(view.partition)], view.blocked)
    yield from (lag, lag_age, opened, blocked, recovery)


def engine_metrics(status: EngineStatus | None) -> Iterator[Metric]:
    """What a process as a whole is doing at a scrape; not ready before it runs."""
    yield ready_metric(ready=status is not None and status.ready)
    if status is None:
        return
    # What the process is doing: 1 for the phase that it is in, 0 for all others.
    phases = GaugeMetricFamily("lifecycle_phase", "1 for the phase of this process, else 0", labels=["phase"])
    for phase in Phase:
        phases.add_metric([phase.value], phase is status.phase)
    yield phases
    # How many partitions the topic has that this role processes, whoever has them; not there before it was seen. More
    # than there are series of a partition: some have no owner.
    partitions = GaugeMetricFamily("lifecycle_topic_partitions", "Partitions of the topic that is processed")
    if status.topic_partitions is not None:
        partitions.add_metric([], status.topic_partitions)
    yield partitions
    yield from kafka_metrics(status.kafka)


def ready_metric(*, ready: bool) -> Metric:
    """Whether a process does its work."""
    # 1 where `/readyz` answers 200, else 0: seconds while it starts; alert on minutes.
    return GaugeMetricFamily("lifecycle_ready", "This process does its work", value=ready)


def kafka_metrics(status: ContactStatus) -> Iterator[Metric]:
    """What is known of Kafka at a scrape."""
    # Whether Kafka answered this process within the last 4 seconds, 1 or 0; alert on 0.
    yield GaugeMetricFamily("lifecycle_kafka_up", "Kafka answers", value=status.up)
    # Since its last answer; not there before the first one.
    answer_age = GaugeMetricFamily("lifecycle_kafka_answer_age_seconds", "Since Kafka last answered")
    if status.seconds_since_answer is not None:
        answer_age.add_metric([], status.seconds_since_answer)
    yield answer_age


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
        # broker does not say. More than 1 for longer than it takes to replace all workers: alert on it.
        versions = GaugeMetricFamily(
            "lifecycle_group_versions", "Versions of a lifecycle in the group", labels=["lifecycle"]
        )
        for name, count in self._group.distinct().items():
            versions.add_metric([name], count)
        yield from (info, versions)
