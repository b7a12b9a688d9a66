"""Interactions that wait on the old topic: copied to the new one, each once, in the order in which they arrived.

A transaction has copies and, as the offsets of a consumer group of its own, up to where the old partitions were copied:
so a run that breaks off leaves nothing half done, and the next one goes on there.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata

from stream.codec.controls import control_of, tick, tick_time
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.errors import PositionError
from stream.kafka.clients import client_options
from stream.kafka.group_offsets import committed
from stream.kafka.permissions import copying_group
from stream.kafka.transactions import BATCH_BYTES, TRANSACTION_TIMEOUT_MS
from stream.operations.repartition.gathering import renamed
from stream.settings import Settings

_AT_ONCE: Final = 2_000
_BYTES_AT_ONCE: Final = 4 << 20
_LARGEST_REQUEST: Final = 1 << 24
_WAIT_MS: Final = 200
_START_TIMEOUT: Final = 30.0
_SILENCE: Final = 60.0
"""Seconds without a record of a partition that has some."""

Record = ConsumerRecord[bytes | None, bytes | None]


class Copier:
    """Copies from the old topic to the new one; only one can, and another one that begins ends it."""

    def __init__(
        self, old: Settings, new: Settings, begins: Mapping[int, int], clocks: Mapping[int, int], largest: int
    ) -> None:
        """`begins` is by old partition the first interaction to be copied, where none was yet, `clocks` how far it was.

        `largest`: bytes of a batch that the new topic takes.
        """
        self.copied = 0
        self.lost = 0
        """Offsets that retention deleted before they were copied."""
        self.before: Callable[[], Awaitable[None]] | None = None
        """Awaited before each copying: gathers what waits in several topics."""
        self._old, self._new = old, new
        self._topic, self._target = old.topics.interactions, new.topics.interactions
        self._partitioner, self._decoder = old.partitioner, old.decoder()
        self._group = copying_group(new)
        self._begins = {TopicPartition(self._topic, number): offset for number, offset in begins.items()}
        self._next: dict[TopicPartition, int] = {}
        self._is_known = False
        """The group says how far it was copied."""
        self._heads: dict[TopicPartition, deque[Record]] = {tp: deque() for tp in self._begins}
        self._told = dict(clocks)
        """By old partition, up to which time it has come."""
        self._ticked: int | None = None
        """Up to which time all new ones have; None: it is not known."""
        options = client_options(old)
        self._consumer = AIOKafkaConsumer(
            **options,
            group_id=self._group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
        )
        self._producer = AIOKafkaProducer(
            **options,
            transactional_id=f"{old.app}-{self._topic}-repartition",
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            max_batch_size=min(BATCH_BYTES, largest),
            max_request_size=_LARGEST_REQUEST,
            compression_type="lz4",  # as large records most likely came
            acks="all",
        )

    async def __aenter__(self) -> Self:
        await asyncio.wait_for(self._producer.start(), _START_TIMEOUT)
        self._consumer.assign(list(self._begins))
        await self._consumer.start()
        known = await committed(self._consumer, list(self._begins))
        self._is_known = bool(known)
        for tp, begin in self._begins.items():
            self._next[tp] = begin
            if tp in known:
                self._next[tp] = max(begin, known[tp].offset)
                self._recall(tp, known[tp].metadata)
            self._consumer.seek(tp, self._next[tp])
        if len(self._told) == len(self._begins):
            self._ticked = min(self._told.values())
        return self

    def _recall(self, tp: TopicPartition, metadata: str) -> None:
        """Up to which time a partition had come when it was copied, as stands beside its offset."""
        with contextlib.suppress(ValueError):
            told = int(metadata)
            self._told[tp.partition] = max(told, self._told.get(tp.partition, told))

    async def begin_anew(self) -> None:
        """Nothing was copied yet, whatever the group says: it is of topics of this name that were deleted since."""
        async with self._producer.transaction():
            await self._producer.send_offsets_to_transaction(self._begins, self._group)
        self._next, self._is_known = dict(self._begins), True
        for tp, begin in self._begins.items():
            self._consumer.seek(tp, begin)

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._producer.stop()

    async def copy(self, progress: Callable[[float], None]) -> None:
        """Copy all that is there now, in the order of the brokers' times over all partitions.

        Raises PositionError where nobody knows how far it was copied, and KafkaError.
        """
        if not self._is_known:
            raise PositionError(
                f"Kafka forgot how far {self._topic} was copied: the group {self._group} has no offsets any more (the "
                "broker's offsets.retention.minutes). Set them by `kafka-consumer-groups.sh --reset-offsets`, to the "
                "time of the last copying; else interactions would be copied twice"
            )
        if self.before is not None:
            await self.before()
        tps = list(self._begins)
        await self._leave_out_lost(tps)
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(tps)
        for tp, begin in self._next.items():
            if ends[tp] < begin:
                raise PositionError(
                    f"topic {tp.topic}, partition {tp.partition}, ends at {ends[tp]}, and was copied up to {begin}: it "
                    "was deleted and created again"
                )
        whole = max(1, sum(ends[tp] - self._next[tp] for tp in tps))
        reading = {tp for tp in tps if self._next[tp] < ends[tp]}
        batch: list[tuple[TopicPartition, Record]] = []
        size, heard = 0, time.monotonic()
        while reading:
            if await self._fill(reading):
                heard = time.monotonic()
            elif time.monotonic() > heard + _SILENCE:
                silent = ", ".join(str(tp.partition) for tp in reading if not self._heads[tp])
                raise KafkaTimeoutError(
                    f"nothing came from topic {self._topic}, partition {silent}, for {_SILENCE:g} s"
                )
            while reading and all(self._heads[tp] for tp in reading):
                tp = min(reading, key=lambda each: self._heads[each][0].timestamp)
                record = self._heads[tp].popleft()
                batch.append((tp, record))
                size += len(record.value or b"") + len(record.key or b"")
                if len(batch) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
                    await self._write(batch)
                    batch, size = [], 0
                    progress(1 - sum(ends[tp] - self._next[tp] for tp in tps) / whole)
                if not self._heads[tp] and await self._consumer.position(tp) >= ends[tp]:
                    reading.discard(tp)
            for tp in [tp for tp in reading if not self._heads[tp] and await self._consumer.position(tp) >= ends[tp]]:
                reading.discard(tp)
        await self._write(batch)

    async def _leave_out_lost(self, tps: list[TopicPartition]) -> None:
        """Go on at the first interaction that is left, where retention deleted some that were not copied."""
        firsts: dict[TopicPartition, int] = await self._consumer.beginning_offsets(tps)
        for tp, first in firsts.items():
            if first > self._next[tp]:
                self.lost += first - self._next[tp]
                self._next[tp] = first
                self._consumer.seek(tp, first)

    async def _fill(self, reading: set[TopicPartition]) -> bool:
        """Fetch of those of which nothing is at hand; whether anything came."""
        empty = [tp for tp in reading if not self._heads[tp]]
        fetched = await self._consumer.getmany(*empty, timeout_ms=_WAIT_MS) if empty else {}
        for tp, records in fetched.items():
            self._heads[tp].extend(records)
        return bool(fetched)

    async def _write(self, batch: list[tuple[TopicPartition, Record]]) -> None:
        if not batch:
            return
        until = {tp: record.offset + 1 for tp, record in batch}
        async with self._producer.transaction():
            sent = []
            for tp, record in batch:
                partition = self._partition_of(tp, record)
                if partition is not None:
                    copy = Outgoing(record.key, record.value, renamed(record.headers, self._old, self._new))
                    sent.append(await self._send(partition, copy, record.timestamp))
            for until_then in self._ticks_of_all():
                made = tick(until_then)
                sent += [await self._send(number, made, until_then) for number in range(self._new.partitions)]
            await asyncio.gather(*sent)
            # All of them: Kafka forgets each one that was not written for a while.
            await self._producer.send_offsets_to_transaction(self._with_times(self._next | until), self._group)
        self._next |= until
        self.copied += len(batch)

    async def _send(self, partition: int, made: Outgoing, timestamp: int) -> Awaitable[object]:
        sent: Awaitable[object] = await self._producer.send(
            self._target, made.value, made.key, partition, timestamp_ms=timestamp, headers=list(made.headers)
        )
        return sent

    def _partition_of(self, tp: TopicPartition, record: Record) -> int | None:
        """That of its customer, whatever its key; None: it tells the time on its partition, see `_ticks_of_all`."""
        count = self._new.partitions
        control = control_of(record.headers)
        if control is not None:
            told = tick_time(control, record.value)
            if not isinstance(told, Rejected):
                self._told[tp.partition] = max(told, self._told.get(tp.partition, told))
                return None
        read = self._decoder.decode(record.value, record.timestamp, record.headers)
        key = record.key if isinstance(read, Rejected) else read.subject.encode()
        return tp.partition % count if key is None else int(home_of(self._partitioner, key, count))

    def _with_times(self, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, OffsetAndMetadata]:
        """Offsets, and beside them up to which time the partitions have come, for another run."""
        return {tp: OffsetAndMetadata(at, str(self._told.get(tp.partition, ""))) for tp, at in offsets.items()}

    def _ticks_of_all(self) -> list[int]:
        """The time up to which all old partitions have come, once it is later: no new one is further."""
        if len(self._told) < len(self._begins):
            return []
        least = min(self._told.values())
        if self._ticked is not None and least <= self._ticked:
            return []
        self._ticked = least
        return [least]
