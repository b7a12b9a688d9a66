"""Write a batch: in one transaction, or in an order after which a crash repeats and never loses.

Both classes have the same methods, `start`, `write` and `discard`, and are one use each: after any
error the caller discards the object and begins with a new one.

Partitions: changelog records go to the source's partition and dead letters to that modulo their
topic's count. Stage changes go to the source's partition when both topics have as many, so that a
customer's changes stay in order and a transaction touches one partition; else, and for current stages
always, the key decides by murmur2, as Java's and aiokafka's default partitioners do.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import ClassVar, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.packed_records import PackedRecord, by_key, pack_headers
from stream.errors import TopicError
from stream.events import Event, report
from stream.kafka.batch_sender import abandon
from stream.kafka.clients import client_options
from stream.kafka.exactly_once.requests import GroupOffset
from stream.kafka.exactly_once.transaction_writer import TransactionWriter, Unsent
from stream.kafka.packed_batch import Packed, send_packed
from stream.kafka.transactions import BATCH_BYTES, START_TIMEOUT, TRANSACTION_TIMEOUT_MS
from stream.machine.batch import Batch
from stream.settings import Settings
from stream.topic_names import MachineTopics

log = logging.getLogger(__name__)

_REQUEST_TIMEOUT_MS = 10_000

CommitOffset = Callable[[TopicPartition, int], Awaitable[None]]


class Route(NamedTuple):
    """One source partition, and the topics that its batches are written to."""

    settings: Settings
    """Its `group` gets the offset."""
    source: TopicPartition
    topics: MachineTopics

    @classmethod
    def of_worker(cls, settings: Settings, partition: int) -> "Route":
        """Of a partition of interactions."""
        topics = settings.topics.machine
        return cls(settings, TopicPartition(topics.source, partition), topics)


class Delivery(Protocol):
    """Writes the batches of one partition."""

    exclusive: ClassVar[bool]
    """Only one owner can write: a rival that takes over makes our next `write` fail."""
    is_visible: bool
    """Subscribers may read of a batch whose outcome is not known here: from when it is told to commit until `write`
    returns, and for ever where that fails."""

    async def start(self) -> None:
        """Connect; when exclusive, fence whoever wrote for this partition before.

        Raises TopicError where the changelog has not as many partitions as the source topic.
        """

    async def write(self, batch: Batch) -> None:
        """Returns once the whole batch, with its position, is safe in Kafka."""

    async def discard(self) -> None:
        """Close within seconds, broker or no broker; what is unfinished is abandoned."""


class _Producing:
    """What both ways have in common: a producer, partition counts, and how to abandon it."""

    def __init__(self, route: Route, **options: str | int) -> None:
        self._route = route
        self.is_visible = False
        self._counts: dict[str, int] = {}
        self._producer = AIOKafkaProducer(
            **client_options(route.settings),
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            **options,
        )

    async def start(self) -> None:
        await asyncio.wait_for(self._producer.start(), START_TIMEOUT)
        topics = self._route.topics
        for topic in (topics.source, *topics.written):
            self._counts[topic] = len(await self._producer.partitions_for(topic))
        self._require_counts(topics)

    def _require_counts(self, topics: MachineTopics) -> None:
        partitions = self._counts[topics.source]
        if self._counts[topics.state] != partitions:
            raise TopicError(
                f"topic {topics.source} has {partitions} partitions now, but {topics.state} "
                f"has {self._counts[topics.state]}: a customer's state would not be found where its "
                "records are. The number of partitions must not change under a state; `lifecycle repartition` "
                "carries everybody over to topics with as many as there should be."
            )

    async def discard(self) -> None:
        try:
            await abandon(self._producer)
        except (KafkaError, OSError, TimeoutError) as error:
            report(
                log.debug,
                Event.PRODUCER_ABANDONED,
                "partition {partition} of {topic}: abandoned a producer: {error}",
                topic=self._route.source.topic,
                partition=self._route.source.partition,
                error=repr(error),
            )

    def _events(self, batch: Batch) -> Iterator[Packed]:
        """What others read: stage changes, current stages, dead letters, or the like of another role."""
        topics, number = self._route.topics, self._route.source.partition
        if self._counts[topics.events] == self._counts[topics.source]:
            yield Packed(topics.events, number, batch.events)
        else:
            events = [PackedRecord(each.key or b"", each.value, pack_headers(each.headers)) for each in batch.events]
            yield from self._by_key(topics.events, events)
        if topics.latest is not None:
            yield from self._by_key(topics.latest, batch.latest)
        if topics.figures is not None:
            yield Packed(topics.figures, number % self._counts[topics.figures], batch.figures)
        yield Packed(topics.dead_letters, number % self._counts[topics.dead_letters], batch.dead_letters)

    def _by_key(self, topic: str, records: list[PackedRecord]) -> Iterator[Packed]:
        for partition, packed in by_key(records, self._counts[topic]).items():
            yield Packed(topic, partition, packed)

    def _state(self, batch: Batch) -> Iterator[Packed]:
        """What we read again: the changelog, the position last."""
        yield Packed(self._route.topics.state, self._route.source.partition, batch.state)


class Transactional(_Producing):
    """Exactly once: a batch and its position are one transaction of the partition's own producer.

    The producer is aiokafka's until it has fenced whoever had its id before; then connections of our own go on.
    """

    exclusive: ClassVar[bool] = True

    def __init__(self, route: Route) -> None:
        transactional_id = f"{route.settings.app}-{route.source.topic}-{route.source.partition}"
        super().__init__(route, transactional_id=transactional_id, transaction_timeout_ms=TRANSACTION_TIMEOUT_MS)
        self._writer: TransactionWriter | None = None
        self._committed: int | None = None
        """The group offset, as the last transaction left it; None: not known."""

    async def start(self) -> None:
        await super().start()
        self._writer = TransactionWriter(self._producer, TRANSACTION_TIMEOUT_MS / 1_000)

    async def write(self, batch: Batch) -> None:
        assert self._writer is not None
        route, offset = self._route, None
        # Where nothing else is written it is what reaches the broker, and finds out whether we may write.
        if batch.next_offset != self._committed or not batch.state:
            offset = GroupOffset(route.settings.group, (route.source.topic, route.source.partition), batch.next_offset)
        parts = [
            Unsent((packed.topic, packed.partition), part.records, part.count)
            for packed in (*self._events(batch), *self._state(batch))
            for part in packed.records.parts
        ]
        await self._writer.write(parts, offset, self._is_committing)
        self.is_visible = False
        self._committed = batch.next_offset

    async def discard(self) -> None:
        if self._writer is not None:
            self._writer.close()
        await super().discard()

    def _is_committing(self) -> None:
        self.is_visible = True


class AtLeastOnce(_Producing):
    """Without transactions: events acknowledged, then state and position, then the group offset."""

    exclusive: ClassVar[bool] = False

    def __init__(self, route: Route, commit_offset: CommitOffset) -> None:
        super().__init__(route)
        self._commit_offset = commit_offset

    async def write(self, batch: Batch) -> None:
        self.is_visible = True
        await send_packed(self._producer, self._events(batch))
        await send_packed(self._producer, self._state(batch))
        await self._commit_offset(self._route.source, batch.next_offset)
        self.is_visible = False
