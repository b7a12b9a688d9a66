"""Read partitions one after another, each up to where it ends when its reading begins."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError, UnsupportedVersionError

from stream.codec.records import SourceRecord
from stream.errors import PositionError
from stream.kafka.clients import client_options
from stream.kafka.partition_reader import PartitionReader, let_stop
from stream.settings import Settings

_AT_ONCE = 2_000
"""Records handed over before the event loop gets its turn."""
_PATIENCE = 60.0
"""Longer than a transaction can stay open."""
_WAIT = 0.02


class LogReader:
    """One consumer that is handed a partition at a time; reads what is committed, as subscribers do."""

    def __init__(self, settings: Settings, *, isolation: str = "read_committed") -> None:
        self.position = 0
        """Where the latest reading ended."""
        self._consumer = AIOKafkaConsumer(
            **client_options(settings),
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 << 20,
            fetch_max_wait_ms=20,
        )
        self._uncommitted = AIOKafkaConsumer(
            **client_options(settings), isolation_level="read_uncommitted", enable_auto_commit=False
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        try:
            await self._uncommitted.start()
        except BaseException:
            await let_stop(self._consumer.stop(), self._consumer)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await let_stop(self._uncommitted.stop(), self._uncommitted)
        await let_stop(self._consumer.stop(), self._consumer)

    async def log_ends(self, tps: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset after the last record of each, one of an open transaction included."""
        ends: dict[TopicPartition, int] = await self._uncommitted.end_offsets(tps)
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
        self, tp: TopicPartition, begin: int | None = None, end: int | None = None
    ) -> AsyncGenerator[Sequence[SourceRecord]]:
        """The records from offset `begin`, else from the first, up to before `end`, else all that are there now.

        A transaction that is being committed at this moment belongs to what is there: it is waited for. Where the end
        is not given, the reading ends between two transactions. Raises KafkaTimeoutError after 60 s without progress,
        PositionError where `begin` was deleted meanwhile, or the partition ends before `end`.
        """
        self.position = position = await self.first_offset(tp) if begin is None else begin
        if end is not None and position >= end:
            return
        self._consumer.assign([tp])
        reader = PartitionReader(self._consumer, tp)
        there: int | None = None
        last_progress = time.monotonic()
        while True:
            fetched = await reader.fetch(position, max_records=_AT_ONCE, patience=0.0)
            if there is None and fetched is not None:
                there = reader.log_end()
            if fetched is not None and fetched.next_offset > position:
                last_progress = time.monotonic()
                self.position = position = fetched.next_offset
                if end is not None and position >= end:
                    self.position = end
                    yield [record for record in fetched.records if record.offset < end]
                    return
                yield fetched.records
            if fetched is not None and fetched.caught_up and there is not None and position >= there:
                if end is None:
                    return
                raise PositionError(
                    f"its interactions were taken up to offset {end - 1}, but {tp.topic} ends at {position}: the topic "
                    "was deleted and created anew, or shortened"
                )
            if time.monotonic() - last_progress > _PATIENCE:
                raise KafkaTimeoutError(f"nothing read from {tp} at offset {position} for {_PATIENCE:g} s")
            await asyncio.sleep(0 if fetched is not None and fetched.records else _WAIT)
