"""Read partitions one after another, each up to where it ends when its reading begins."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError, UnsupportedVersionError

from stream.codec.records import SourceRecords
from stream.errors import PositionError
from stream.kafka.batch_headers import BatchHeader, batch_headers
from stream.kafka.clients import client_options
from stream.kafka.partition_reader import Fetched, PartitionReader, let_stop
from stream.settings import Settings

OnBatch = Callable[[int, BatchHeader], None]
_AT_ONCE = 4_000
"""Records handed over before the event loop gets its turn: about 10 ms."""
_TIMEOUT = 60.0
"""Seconds without progress; longer than a transaction can stay open."""
_WAIT = 0.02


class LogReader:
    """One consumer that is handed a partition at a time; reads what is committed, as subscribers do."""

    def __init__(
        self,
        settings: Settings,
        first: TopicPartition | None = None,
        *,
        isolation: str = "read_committed",
        timeout: float = _TIMEOUT,
    ) -> None:
        """`first`: what is read first, where that is known already; it saves a tenth of a second.

        `timeout`: seconds without progress after which a reading fails.
        """
        self.position = 0
        """Where the latest reading ended."""
        self._settings = settings
        self._timeout = timeout
        self._consumer = log_consumer(settings, isolation)
        self._reader: tuple[TopicPartition, PartitionReader] | None = None
        if first is not None:
            self._consumer.assign([first])

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:
            await let_stop(self._consumer.stop(), self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await let_stop(self._consumer.stop(), self._consumer)

    async def log_ends(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record of each, one of an open transaction included."""
        uncommitted = log_consumer(self._settings, "read_uncommitted")
        try:
            await uncommitted.start()
            ends: dict[TopicPartition, int] = await uncommitted.end_offsets(tps)
        finally:
            await let_stop(uncommitted.stop(), uncommitted)
        return ends

    async def readable_end(self, tp: TopicPartition) -> int:
        """The offset before which nothing belongs to a transaction that is still open."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets([tp])
        return ends[tp]

    async def has_records(self, tp: TopicPartition, begin: int, end: int) -> bool:
        """Whether there is more than transaction markers from `begin` to before `end`, which must be readable."""
        async with aclosing(self.read(tp, begin, end)) as batches:
            async for records in batches:
                if records:
                    return True
        return False

    async def first_offset(self, tp: TopicPartition) -> int:
        """The earliest offset that the partition still holds."""
        offsets: dict[TopicPartition, int] = await self._consumer.beginning_offsets([tp])
        return offsets[tp]

    async def spans(
        self, tps: Sequence[TopicPartition], since: int | None = None
    ) -> dict[TopicPartition, tuple[int, int]]:
        """By partition the first offset and the one after the last, of records of at least `since`, epoch ms."""
        begins, ends = await self._consumer.beginning_offsets(tps), await self._consumer.end_offsets(tps)
        spans: dict[TopicPartition, tuple[int, int]] = {tp: (begins[tp], ends[tp]) for tp in tps}
        if since is None:
            return spans
        try:
            found = await self._consumer.offsets_for_times(dict.fromkeys(tps, since))
        except UnsupportedVersionError:
            return spans
        return {tp: (end if found[tp] is None else found[tp].offset, end) for tp, (_, end) in spans.items()}

    async def read(
        self,
        tp: TopicPartition,
        begin: int | None = None,
        end: int | None = None,
        on_batch: OnBatch | None = None,
    ) -> AsyncGenerator[SourceRecords]:
        """The records from offset `begin`, else from the first, up to before `end`, else all that are there now.

        A transaction that is being committed at this moment belongs to what is there: it is waited for. Where the end
        is not given, the reading ends between two transactions. `on_batch` hears the partition and the header of every
        batch that is fetched, once or more often. Raises PositionError where `begin` was deleted
        meanwhile, or the partition ends before `end`; otherwise as `fetches`.
        """
        self.position = begin = await self.first_offset(tp) if begin is None else begin
        if end is not None and begin >= end:
            return
        there: int | None = None
        async with aclosing(self.fetches(tp, begin, on_batch)) as fetches:
            async for fetched in fetches:
                there = fetched.log_end if there is None else there
                if end is not None and fetched.next_offset >= end:
                    self.position = end
                    yield [record for record in fetched.records if record.offset < end]
                    return
                if fetched.next_offset > self.position:
                    self.position = fetched.next_offset
                    yield fetched.records
                if fetched.caught_up and there is not None and self.position >= there:
                    if end is None:
                        return
                    raise PositionError(
                        f"topic {tp.topic}, partition {tp.partition}, ends at {self.position}, but was read up to "
                        f"offset {end - 1} before: the topic was deleted and created again, or shortened"
                    )

    async def fetches(self, tp: TopicPartition, begin: int, on_batch: OnBatch | None = None) -> AsyncGenerator[Fetched]:
        """What each fetch brings, from offset `begin` on, without end.

        Raises KafkaTimeoutError after a while without progress, PositionError where an offset does not exist,
        UnreadableError where a batch cannot be read.
        """
        reader = self._reader_of(tp)
        reader.on_batches = None if on_batch is None else partial(_each_header, tp.partition, on_batch)
        position, last_progress = begin, time.monotonic()
        while True:
            fetched = await reader.fetch(position, max_records=_AT_ONCE, wait=0.0)
            if fetched is not None:
                got_on, position = fetched.next_offset > position, fetched.next_offset
                yield fetched
                if got_on:
                    last_progress = time.monotonic()
            if time.monotonic() - last_progress > self._timeout:
                raise KafkaTimeoutError(
                    f"nothing came from topic {tp.topic}, partition {tp.partition}, from offset {position} on for "
                    f"{self._timeout:g} s: the broker that leads it is away, or a transaction is open there"
                )
            await asyncio.sleep(0 if fetched is not None and fetched.records else _WAIT)

    def _reader_of(self, tp: TopicPartition) -> PartitionReader:
        """The one reader of `tp` for as long as it is assigned: it may have paused it, and has to resume it."""
        if self._consumer.assignment() != {tp}:
            self._consumer.assign([tp])
            self._reader = None
        if self._reader is None or self._reader[0] != tp:
            self._reader = tp, PartitionReader(self._consumer, tp)
        return self._reader[1]


def _each_header(partition: int, on_batch: OnBatch, data: bytes) -> None:
    for header in batch_headers(data):
        on_batch(partition, header)


def log_consumer(
    settings: Settings, isolation: str = "read_committed", *, at_once: int = 4 << 20, wait_ms: int = 20
) -> AIOKafkaConsumer:
    """A consumer without a group, for reading partitions in bulk; neither started nor assigned yet.

    `at_once`: bytes that one fetch brings at most, or one batch where that is larger. `wait_ms`: how long a broker may
    wait for something new before it answers.
    """
    return AIOKafkaConsumer(
        **client_options(settings),
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=at_once,
        fetch_max_wait_ms=wait_ms,
    )
