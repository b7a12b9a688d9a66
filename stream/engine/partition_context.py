"""What the partitions of a worker share: how they reach Kafka, and whom they report to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition

from stream.engine.batch_tracing import BatchTracing
from stream.engine.companion import Companion
from stream.engine.cooperation import Turns
from stream.engine.dead_letter_share import DeadLetterWatch
from stream.engine.delivery import AtLeastOnce, CommitOffset, Delivery, Route, Transactional
from stream.engine.gatherer import Gatherer, TopicGatherer
from stream.engine.gatherer_log import GathererLog
from stream.engine.misplaced import MisplacedWarnings
from stream.engine.role import RECOVERIES_AT_ONCE, Role
from stream.errors import PositionError
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.contact import Contact
from stream.kafka.group_offsets import SEEN_EVERYWHERE, group_offset, lost_state
from stream.kafka.log_throttle import Throttle
from stream.kafka.partition_reader import Fetched
from stream.kafka.topic_monitor import SourceTopic, TopicMonitor
from stream.machine.batch import Batch, Machine

Fail = Callable[[BaseException], None]
"""Stops the worker for an error that would only happen again."""
MakeMachine = Callable[[int, SourceTopic], Machine]
"""A new machine for a partition of this topic."""


class Observer(Protocol):
    """Gets reports of what partitions did: one a batch, never one a record."""

    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        """A batch is safe in Kafka: `seconds` in all, of which `transaction_seconds` to write it."""

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        """A partition's state was read from `records` changelog records."""

    def gathered(self, topic: str, interactions: int) -> None:
        """So many interactions of a topic were gathered; only where there are several topics of them."""

    def failed(self, partition: int, kind: str) -> None:
        """A partition starts over; `kind`: `kafka`, `fenced`, `record`, `deadline`, `bug` or `fatal`."""


class Source(Protocol):
    """The interactions topic, as a member of the consumer group sees it."""

    async def fetch(self, partition: int, position: int, wait: float) -> Fetched | None:
        """As `stream.kafka.partition_reader.PartitionReader.fetch`."""

    async def first_offset(self, partition: int) -> int:
        """Where a partition that was never read is read from."""


@dataclass(frozen=True, slots=True)
class PartitionContext:
    """What all partitions of a worker share."""

    source: Source
    source_topic: Callable[[], Awaitable[SourceTopic]]
    """The topic as it was at some time since `look_again`."""
    look_again: Callable[[], None]
    """A rebalance ended: what was seen of the topic until now may be old."""
    make_machine: MakeMachine
    make_delivery: Callable[[int], Delivery]
    read_changelog: Callable[[int, ChangelogProgress], Awaitable[dict[bytes, bytes]]]
    """Raises PositionError where there was a state, and it is gone."""
    observer: Observer
    contact: Contact
    dead_letters: DeadLetterWatch
    """Counts them over all partitions."""
    fenced_wait: float
    """Seconds; longer than a heartbeat, so that a worker that lost the partition learns of it first."""
    make_gatherer: Callable[[int, Fail], Gatherer] | None = None
    """Of a partition; None where interactions come from one topic."""
    recovery_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(RECOVERIES_AT_ONCE))
    turns: Turns = field(default_factory=Turns)
    """In which the long works of all partitions have their slices."""
    throttle: Throttle = field(default_factory=Throttle)
    """Shared, so that a broker that is away costs a worker one line of log, not one for each partition."""
    skips_gaps: bool = False
    """As `Role.skips_gaps`."""
    companion: Companion | None = None
    """Works beside the partitions; None: nobody does."""
    topic_partitions: Callable[[], int | None] = lambda: None
    """How many partitions the topic had when it was last seen; None before."""
    tracing: BatchTracing | None = None
    """Makes a span of each batch; None: nobody does."""
    misplaced: MisplacedWarnings = field(default_factory=MisplacedWarnings)
    """Shared, so that a partition that starts over does not warn again."""


def partition_context(
    role: Role,
    make_machine: MakeMachine,
    observer: Observer,
    *,
    exactly_once: bool,
    source: Source,
    topic_monitor: TopicMonitor,
    commit_offset: CommitOffset,
    fenced_wait: float,
    companion: Companion | None = None,
    tracing: BatchTracing | None = None,
) -> PartitionContext:
    """The context of partitions that read `source` and write to the topics of `role`.

    `commit_offset` writes the group's offset where that is no part of a transaction.
    """
    settings, topics = role.settings, role.topics

    def make_delivery(partition: int) -> Delivery:
        route = Route(settings, TopicPartition(topics.source, partition), topics)
        return Transactional(route) if exactly_once else AtLeastOnce(route, commit_offset)

    throttle = Throttle()

    def make_gatherer(partition: int, fail: Fail) -> Gatherer:
        return TopicGatherer(
            settings,
            partition,
            GathererLog(partition, throttle),
            exactly_once=exactly_once,
            fenced_wait=fenced_wait,
            fail=fail,
            on_gathered=observer.gathered,
        )

    async def read(partition: int, progress: ChangelogProgress) -> dict[bytes, bytes]:
        changelog = await read_changelog(settings, TopicPartition(topics.state, partition), progress)
        if not changelog and role.begins_at == "beginning":
            tp = TopicPartition(topics.source, partition)
            offset = await group_offset(settings, tp)
            if offset:  # a rival, which has the partition by now, may have written both since
                await asyncio.sleep(SEEN_EVERYWHERE)
                changelog = await read_changelog(settings, TopicPartition(topics.state, partition), progress)
            if offset and not changelog:
                raise PositionError(lost_state(settings, topics.state, tp, offset))
        return changelog

    return PartitionContext(
        source=source,
        source_topic=topic_monitor.source,
        look_again=topic_monitor.look_again,
        make_machine=make_machine,
        make_delivery=make_delivery,
        read_changelog=read,
        observer=observer,
        contact=topic_monitor.contact,
        dead_letters=DeadLetterWatch(settings.dead_letter_share),
        make_gatherer=make_gatherer if topics.sources else None,
        fenced_wait=fenced_wait,
        recovery_slots=asyncio.Semaphore(role.recoveries_at_once),
        throttle=throttle,
        companion=companion,
        topic_partitions=lambda: topic_monitor.partitions,
        tracing=tracing,
        skips_gaps=role.skips_gaps,
    )
