"""Counts moves from the topic of stage changes, from the first question until some minutes after the last.

At first the latest changes are read, a bounded number, and then whatever comes. Where that breaks off it begins anew.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.records import SourceRecord
from stream.codec.stage_change_reader import read_move
from stream.errors import BrokerError, LifecycleError
from stream.events import Event, report
from stream.kafka.log_reader import log_consumer
from stream.kafka.log_throttle import Throttle
from stream.kafka.partition_reader import PartitionReader, let_stop
from stream.kafka.permissions import of_tail
from stream.kafka.waiting import stage_change_partitions
from stream.settings import Settings
from stream.web.moves.beginning import Beginning, first_offsets, known_since
from stream.web.moves.counting import MoveCounts

log = logging.getLogger(__name__)

MOST_AT_FIRST: Final = 200_000
"""Changes that are read at the first question, of all partitions together: two seconds of work."""
LINGER_SECONDS: Final = 300.0
"""For so long after the last question moves are counted on."""
_AT_ONCE: Final = 250
"""Changes in one slice, in which nothing else is done: some milliseconds."""
_BYTES: Final = 1 << 20
_LONG_POLL_MS: Final = 100
"""The broker may hold back its answer for so long, and then a partition of which there is more waits for another."""
_LOOK_AGAIN: Final = 0.02
_PAUSE: Final = 0.2
"""Seconds after which it is looked again whether something came."""
_AGAIN_SECONDS: Final = 1.0


class RefusedReadingError(Exception):
    """Kafka does not let us read stage changes; the text says what would help."""


class Known(NamedTuple):
    """What was counted."""

    counts: MoveCounts
    since: int | None
    """From when on all moves are in it, epoch milliseconds; None: all that the topic ever had."""


class _Partition:
    """A partition that is read, and up to where."""

    def __init__(self, reader: PartitionReader, position: int, end: int, *, whole: bool) -> None:
        self.reader, self.position, self.end = reader, position, end
        self.beginning = None if whole else Beginning()

    @property
    def was_read(self) -> bool:
        """All is read that was there at first."""
        return self.position >= self.end


class MoveFollower:
    """Follows the topic while somebody asks."""

    def __init__(self, settings: Settings, lifecycles: Iterable[str], *, linger: float = LINGER_SECONDS) -> None:
        """Counts moves of the lifecycles with these ids, for `linger` seconds after each question."""
        self._settings, self._lifecycles, self._linger = settings, frozenset(lifecycles), linger
        self._task: asyncio.Task[None] | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._changed = asyncio.Condition()
        self._known: Known | None = None
        """None until the first changes are read."""
        self._refused: str | None = None
        self._throttle = Throttle()

    async def known(self, patience: float) -> Known:
        """What is counted by now; begins to count where nobody asked before.

        Raises RefusedReadingError, TimeoutError where nothing is known after `patience` seconds, and once what our own
        code failed with since the last question.
        """
        loop = asyncio.get_running_loop()
        if self._ending is not None:
            self._ending.cancel()
        self._ending = loop.call_later(self._linger, self._end)
        if self._task is not None and self._task.done():  # our code failed: one is told, and it begins anew
            failed, self._task, self._known = self._task, None, None
            failed.result()
        if self._task is None:
            self._refused = None
            self._task = loop.create_task(self._run())
        async with asyncio.timeout(patience), self._changed:
            await self._changed.wait_for(lambda: self._known is not None or self._refused is not None)
        if self._known is None:
            raise RefusedReadingError(self._refused)
        return self._known

    @property
    def is_following(self) -> bool:
        """Whether it reads, since somebody asked not long ago."""
        return self._task is not None

    async def close(self) -> None:
        """End the reading."""
        task = self._task
        if self._ending is not None:
            self._ending.cancel()
        self._end()
        if task is not None:
            await asyncio.wait([task])

    def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._known = None

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except BrokerError as error:
                self._tell(str(error))
                await self._set(None, refused=str(error))
            except (KafkaError, LifecycleError, OSError) as error:
                self._tell(str(error) or type(error).__name__)
                await self._set(None)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _set(self, known: Known | None, *, refused: str | None = None) -> None:
        async with self._changed:
            self._known, self._refused = known, refused
            self._changed.notify_all()

    def _tell(self, reason: str) -> None:
        kept = self._throttle.passes("moves")
        if kept is not None:
            report(
                log.warning,
                Event.LIVE_CHANGES_WAIT,
                "moves from stage to stage cannot be counted now: {reason}",
                reason=reason,
                kept_back=kept,
            )

    async def _follow(self) -> None:
        count = await stage_change_partitions(self._settings, of_tail(self._settings), self._tell)
        topic = self._settings.topics.stage_changes
        consumer = log_consumer(self._settings, at_once=_BYTES, wait_ms=_LONG_POLL_MS)
        try:
            await consumer.start()
            partitions = await self._enter(consumer, [TopicPartition(topic, number) for number in range(count)])
            counts, began = MoveCounts(), _now()
            while unread := [each for each in partitions if not each.was_read]:
                if not any([await self._read(each, counts) for each in unread]):
                    await asyncio.sleep(_LOOK_AGAIN)
            beginnings = [each.beginning for each in partitions if each.beginning is not None]
            await self._set(Known(counts, known_since(beginnings, began)))
            while len(consumer.partitions_for_topic(topic) or ()) == count:  # else there are more: begin anew
                if not any([await self._read(each, counts) for each in partitions]):
                    await asyncio.sleep(_PAUSE)
        finally:
            await let_stop(consumer.stop(), consumer)

    async def _enter(self, consumer: AIOKafkaConsumer, tps: Sequence[TopicPartition]) -> list[_Partition]:
        """Begin to read these partitions, as far back as is wanted."""
        begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        starts = first_offsets({tp.partition: (begins[tp], ends[tp]) for tp in tps}, MOST_AT_FIRST)
        consumer.assign(tps)
        partitions: list[_Partition] = []
        for tp in tps:
            start = starts[tp.partition]
            consumer.seek(tp, start)
            partitions.append(_Partition(PartitionReader(consumer, tp), start, ends[tp], whole=start == 0))
        return partitions

    async def _read(self, partition: _Partition, counts: MoveCounts) -> bool:
        """Read on; returns whether there was something. Raises KafkaError, or LifecycleError."""
        fetched = await partition.reader.fetch(partition.position, max_records=_AT_ONCE, wait=0.0)
        if fetched is None:
            raise KafkaError("the consumer has lost its partitions")
        partition.position = fetched.next_offset
        if fetched.caught_up:  # there is less than there was
            partition.end = fetched.next_offset
        if not fetched.records:
            return False
        self._count(fetched.records, partition.beginning, counts)
        await asyncio.sleep(0)
        return True

    def _count(self, records: Iterable[SourceRecord], beginning: Beginning | None, counts: MoveCounts) -> None:
        # By wall time nothing has happened yet that is said to: an interaction may be some minutes ahead.
        present = _now() if self._settings.clock == "wall" else None
        if present is not None:
            counts.come_to(present)
        for record in records:
            move = read_move(record.value)
            if move is None:
                continue
            at = move.at if present is None else min(move.at, present)
            if beginning is not None and not beginning.is_known:
                beginning.add(at, record.timestamp)
            if move.lifecycle in self._lifecycles:
                counts.add(move.lifecycle, (move.from_stage, move.to_stage), at, move.entered)


def _now() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
