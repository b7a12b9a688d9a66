"""Read the topic of stage changes, with a consumer group or without, where our own positions rule.

A partition's position is the offset before which everything was processed. aiokafka has a position of its own, of what
it handed out; ours is committed, with a note beside it, and after a rebalance aiokafka's is set to ours again.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from typing import Any, Literal, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from stream.kafka.clients import client_options
from stream.kafka.partition_reader import let_stop
from stream.kafka.topic_metadata import look_up
from stream.settings import Settings

Record = ConsumerRecord[bytes | None, bytes | None]
Start = Literal["beginning", "end"] | Mapping[int, int]
"""Where to begin; by partition, the offset of the first record that is wanted, and the beginning of those not named."""

PATIENCE_MS = 300_000
"""How long the processing of one record may take before the group gives its partition to another member."""
_AT_ONCE = 500
"""Records that one fetch hands over."""
_AGAIN_SECONDS = 0.2
_HEARTBEATS = 3
"""In each session timeout."""


class Entered(NamedTuple):
    """A partition that is ours from now on."""

    partition: int
    position: int
    """The offset of the first record that was not processed."""
    note: str
    """What was committed beside the position."""
    first: int
    """The first offset that the topic still has."""
    lost: int | None
    """How many offsets before `position` are gone unread, taken by retention; None: the topic was created anew."""


class Keeper(Protocol):
    """Who processes the records, and knows more of a partition than its position."""

    def enter(self, partition: Entered) -> int:
        """The partition is ours; from which offset on records are wanted, which may be before its position."""

    def note(self, partition: int) -> str:
        """What to commit beside the position."""


class ChangeConsumer:
    """The partitions that this process reads, each from its position."""

    def __init__(self, settings: Settings, group: str | None, start: Start, partitions: int, keeper: Keeper) -> None:
        """`start` is where a partition begins whose group committed nothing, or that is read without a group."""
        self.round = 0
        """Another number after each rebalance: what was fetched before belongs to nobody."""
        self._topic = settings.topics.stage_changes
        self._group, self._start, self._keeper = group, start, keeper
        self._positions: dict[TopicPartition, int] = {}
        self._overtaken: dict[TopicPartition, int] = {}
        """Positions that the topic no longer has."""
        self._uncommitted: set[TopicPartition] = set()
        self._committing = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._consumer = AIOKafkaConsumer(
            **client_options(settings),
            group_id=group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=settings.session_timeout,
            heartbeat_interval_ms=settings.session_timeout // _HEARTBEATS,
            rebalance_timeout_ms=PATIENCE_MS,
            max_poll_interval_ms=PATIENCE_MS,
        )
        if group is None:
            self._consumer.assign([TopicPartition(self._topic, number) for number in range(partitions)])
        else:
            self._consumer.subscribe([self._topic], listener=_Rebalances(self))

    async def start(self) -> None:
        """Connect, and join the group. Raises KafkaError where that fails, and then is stopped."""
        try:
            await self._consumer.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Leave the group, without a commit."""
        self._idle.set()
        self._positions.clear()
        await let_stop(self._consumer.stop(), self._consumer)

    async def fetch(self, wait: float) -> Sequence[Record]:
        """What comes next, in the order of time over all partitions; nothing after `wait` seconds, or a rebalance.

        Raises KafkaError where Kafka refuses.
        """
        if not await self._enter():
            await asyncio.sleep(_AGAIN_SECONDS)
            return ()
        before = self.round
        try:
            fetched = await self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=_AT_ONCE)
        except OffsetOutOfRangeError as error:  # retention was faster than we
            for tp in error.args[0]:
                self._overtaken[tp] = self._positions.pop(tp)
            return ()
        except NoOffsetForPartitionError:  # it looked for a position before we set ours
            return ()
        if self.round != before:
            return ()
        ours = (records for tp, records in fetched.items() if tp in self._positions)
        return list(merge(*ours, key=_time_of))  # not sorted: in a partition the offsets count, whatever the clocks say

    def is_new(self, record: Record) -> bool:
        """Whether it stands at or behind its partition's position."""
        return record.offset >= self._positions.get(TopicPartition(record.topic, record.partition), record.offset)

    def begin(self) -> None:
        """A record is being processed: a rebalance waits for `done`."""
        self._idle.clear()

    def done(self, record: Record) -> None:
        """A record is processed, as are those before it in its partition."""
        tp = TopicPartition(record.topic, record.partition)
        if self._positions.get(tp, record.offset + 1) <= record.offset:
            self._positions[tp] = record.offset + 1
            self._uncommitted.add(tp)
        self._idle.set()

    async def commit(self) -> None:
        """Commit every position that has moved. Without effect where there is no group, or it gave our partitions away.

        Raises KafkaError where Kafka refuses.
        """
        if self._group is None:
            return
        async with self._committing:  # so that a rebalance waits for one that is under way
            moved, self._uncommitted = self._uncommitted, set()
            if moved:
                offsets = {tp: (self._positions[tp], self._keeper.note(tp.partition)) for tp in moved}
                # Else they are another member's now, or soon ours again.
                with contextlib.suppress(CommitFailedError, IllegalStateError):
                    await self._consumer.commit(offsets)

    async def handed_out(self) -> dict[int, int]:
        """By partition, the offset behind all that `fetch` gave, and behind the transaction markers that follow."""
        return {tp.partition: await self._consumer.position(tp) for tp in list(self._positions)}

    async def ends(self) -> list[int]:
        """By partition, the offset behind the last record that can be read. Raises KafkaError where no broker says."""
        found: dict[TopicPartition, int] = await self._consumer.end_offsets(sorted(self._consumer.assignment()))
        return [found[tp] for tp in sorted(found)]

    async def topic_id(self) -> str:
        """The beginning of the topic's own id in Kafka, another one where it is created again; `0`: it has none."""
        private: Any = self._consumer
        found = (await look_up(private._client, [self._topic])).get(self._topic)
        return "0" if found is None or found.id is None else found.id.replace("-", "")[:8]

    async def revoked(self) -> None:
        """The group shares out its partitions anew: let what is being processed end, and keep that."""
        self.round += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), PATIENCE_MS / 1000)
        try:
            await self.commit()
        finally:
            self.assigned()

    def assigned(self) -> None:
        """What we read is ours anew, or other partitions are."""
        self.round += 1
        for each in (self._positions, self._overtaken, self._uncommitted):
            each.clear()

    async def _enter(self) -> bool:
        """Begin to read those partitions that have no position yet; False: it could not be found, look again."""
        missing = sorted(self._consumer.assignment() - self._positions.keys())
        if not missing:
            return True
        before = self.round
        try:
            committed = await self._committed(missing)
            first: dict[TopicPartition, int] = await self._consumer.beginning_offsets(missing)
            end: dict[TopicPartition, int] = await self._consumer.end_offsets(missing)
        except KafkaError as error:
            if not error.retriable:
                raise
            return False
        if self.round != before:
            return False
        for tp in missing:
            if tp in committed:
                wanted, note = committed[tp]
            elif tp in self._overtaken:
                wanted, note = self._overtaken[tp], ""
            else:
                wanted, note = self._first_wanted(tp.partition, first[tp], end[tp]), ""
                self._uncommitted.add(tp)  # so that after a crash it begins here, not at another end
            position = wanted if first[tp] <= wanted <= end[tp] else first[tp]
            lost = None if wanted > end[tp] else position - wanted
            self._positions[tp] = position
            self._overtaken.pop(tp, None)
            entered = Entered(tp.partition, position, note, first[tp], lost)
            self._consumer.seek(tp, max(self._keeper.enter(entered), first[tp]))
        await self.commit()
        return True

    async def _committed(self, tps: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, str]]:
        if self._group is None:
            return {}
        private: Any = self._consumer
        found = await private._coordinator.fetch_committed_offsets(list(tps))
        return {tp: (each.offset, each.metadata) for tp, each in found.items()}

    def _first_wanted(self, partition: int, first: int, end: int) -> int:
        if self._start == "beginning":
            return first
        if self._start == "end":
            return end
        return self._start.get(partition, first)


def _time_of(record: Record) -> int:
    return record.timestamp


class _Rebalances(ConsumerRebalanceListener):
    """Hears from aiokafka when partitions come and go."""

    def __init__(self, consumer: ChangeConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, _revoked: Iterable[TopicPartition]) -> None:
        await self._consumer.revoked()

    def on_partitions_assigned(self, _assigned: Iterable[TopicPartition]) -> None:
        self._consumer.assigned()  # and enters them with the next fetch, where errors can be told
