"""Fetch one partition from an exact position, and know whether that was all there is.

aiokafka keeps a position of its own for each partition, which a rebalance, a reset to the committed
offset or a reply that got lost can move. Here the caller's position rules: it is compared, and the
buffer drained, with no `await` between the two, so no record can be skipped or come twice.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import KafkaError

from stream.codec.records import SourceRecords
from stream.errors import PositionError, UnreadableError
from stream.kafka import fetch_times, kept_batches
from stream.kafka.fetch_times import asked_ms
from stream.kafka.refused_reads import damaged, is_damaged

kept_batches.install()
fetch_times.install()

FRESH_MS = 1_000
"""Milliseconds for which what a broker said of the log's end counts as known.

An idle partition always has a long poll at the broker, which answers at once when a record arrives. So a broker that
said nothing for this long does not answer.
"""
_LOOK_AGAIN = 0.02
_LEAVE_SECONDS = 1.0


class Fetched(NamedTuple):
    """What a fetch brought."""

    records: SourceRecords
    next_offset: int
    """Where to read on; beyond the last record when transaction markers or compacted records follow it."""
    caught_up: bool
    """The broker said, within the last second, that nothing lies at or beyond `next_offset`.

    Records behind a transaction that is still open count as present, though they cannot be read yet.
    """
    end_offset: int | None
    """The offset after the last readable record, as last heard."""
    log_end: int | None = None
    """The offset after the last record, those of open transactions too, as last heard."""
    heard_ms: int | None = None
    """When a broker's word of that last came, epoch milliseconds."""
    asked_ms: int | None = None
    """When it was asked for that word, epoch milliseconds: what was written before is known."""


class _State(Protocol):
    """What we use of aiokafka's TopicPartitionState."""

    highwater: int | None
    lso: int | None
    """The last stable offset."""
    timestamp: int | None
    """When the broker last answered for this partition, epoch milliseconds."""
    position: int
    has_valid_position: bool


class PartitionReader:
    """Reads one partition through a consumer that others may use too; lives in the consumer's event loop."""

    def __init__(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        self._consumer, self._tp = consumer, tp
        private: Any = consumer
        self._fetcher, self._subscriptions = private._fetcher, private._subscription
        self._unconfirmed: tuple[_State, int, int | None] | None = None
        """A seek that no answer confirmed yet: state, position, and the time of the last answer before."""
        self._paused = False
        """aiokafka does not fetch, until we are asked to again."""
        self.on_batches: Callable[[bytes], None] | None = None
        """Hears the batches that were fetched, as the broker keeps them, once or more often."""

    async def fetch(self, position: int, *, max_records: int, wait: float) -> Fetched | None:
        """Records from exactly `position`; None while the consumer does not own the partition.

        Waits at most `wait` seconds for something new, and up to a second longer for news of the log's
        end. Raises PositionError where `position` does not exist, UnreadableError where what stands exactly there
        cannot be read; what is readable before it is handed over first.
        """
        deadline = time.monotonic() + wait
        if self._paused:
            self._paused = False
            if self._state() is not None:
                self._consumer.resume(self._tp)
        while True:
            state = self._state()
            if state is None:
                return None
            seek, moved = self._unconfirmed, not state.has_valid_position or state.position != position
            if moved and seek is not None and seek[:2] == (state, position):
                await self._require_existing(position)
                self._unconfirmed = None
                continue  # an await came between, so look again
            if moved:
                self._fetcher.seek_to(self._tp, position)
                self._unconfirmed = (state, position, state.timestamp)
            elif seek is not None and seek[2] != state.timestamp:
                self._unconfirmed = None
            try:
                records = self._drain(max_records)
            except UnreadableError as error:
                error.end = _readable_end(state)
                raise
            end = _readable_end(state)
            buffered = self._tp in self._fetcher._records
            caught_up = not buffered and _is_at_end(state, end) and _is_fresh(state)
            if records or state.position != position:
                return Fetched(
                    records, state.position, caught_up, end, state.highwater, state.timestamp, asked_ms(state)
                )
            left = deadline - time.monotonic()
            if left <= 0 and (caught_up or left <= -FRESH_MS / 1000):
                if not _is_fresh(state):
                    await self._require_undamaged(position)
                return Fetched((), position, caught_up, end, state.highwater, state.timestamp, asked_ms(state))
            await self._wait_for_data(left if left > 0 else _LOOK_AGAIN)

    def is_at_end(self, position: int) -> bool:
        """Whether the broker said within the last second that nothing lies at or beyond `position`."""
        state = self._state()
        if state is None or state.position != position or self._tp in self._fetcher._records:
            return False
        return _is_at_end(state, _readable_end(state)) and _is_fresh(state)

    async def first_offset(self) -> int:
        """The earliest offset that the partition still holds."""
        offsets: dict[TopicPartition, int] = await self._consumer.beginning_offsets([self._tp])
        return offsets[self._tp]

    async def end_offset(self) -> int:
        """The offset that the next record will have, as those who read committed records see it."""
        offsets: dict[TopicPartition, int] = await self._consumer.end_offsets([self._tp])
        return offsets[self._tp]

    def log_end(self) -> int | None:
        """The offset after the last record, one of an open transaction too, as last heard; None: not heard yet."""
        state = self._state()
        return None if state is None else state.highwater

    def _state(self) -> _State | None:
        """What aiokafka keeps of the partition; None while the partition is not ours."""
        subscription = self._subscriptions.subscription
        assignment = subscription and subscription.assignment
        if (
            self._fetcher._closed
            or self._subscriptions.reassignment_in_progress
            or not assignment
            or not assignment.active
        ):
            return None
        self._subscriptions._last_fetch_ended = time.monotonic()  # feeds max_poll_interval: we are alive
        state: _State | None = assignment.state_value(self._tp)
        return state

    def _drain(self, max_records: int) -> SourceRecords:
        """Return what is buffered; moves aiokafka's position. Must not await."""
        fetcher, tp = self._fetcher, self._tp
        result = fetcher._records.get(tp)
        if result is None:
            return ()
        try:
            if type(result) is not FetchResult:
                result.check_raise()
            if self.on_batches is not None:
                self.on_batches(result._partition_records.data)
            return _take(result, max_records)
        finally:
            if type(result) is not FetchResult or not result.has_more():
                fetcher._records.pop(tp, None)
                fetcher._notify(fetcher._wait_consume_future)

    async def _wait_for_data(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._fetcher._create_fetch_waiter(), seconds)

    async def _require_undamaged(self, position: int) -> None:
        """Distinguish records that the broker cannot hand out from a broker that does not answer."""
        if await is_damaged(self._consumer, self._tp, position):
            error, state = damaged(self._tp, position), self._state()
            if state is not None:
                error.end = _readable_end(state)
                self._consumer.pause(self._tp)  # aiokafka would ask again without any delay
                self._paused = True
            raise error

    async def _require_existing(self, position: int) -> None:
        """Distinguish an offset out of range, which would be reset for ever, from a passing reset."""
        first = await self.first_offset()
        end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        where = f"topic {self._tp.topic}, partition {self._tp.partition}"
        if position < first:
            error = PositionError(
                f"{where}: offsets {position} to {first - 1} were deleted by retention before they were "
                f"processed (the topic now begins at {first}). Lengthen its retention.ms, and go on without them "
                f"with `lifecycle reset --to earliest --keep-states`; without --keep-states all customers are "
                f"forgotten and made again from what the topic still holds."
            )
            error.nearest = first
            raise error
        if position > end:
            error = PositionError(
                f"{where}: processed up to offset {position - 1}, but the topic ends at {end}: offsets {end} "
                f"to {position - 1} are gone. It was deleted and created again, or shortened. Name the old "
                "topic, or begin again on this one with `lifecycle reset --to earliest`."
            )
            error.nearest = end
            raise error


def tune(consumer: AIOKafkaConsumer, *, fetch_wait_ms: int) -> None:
    """Read committed records only, and let a long poll last at most `fetch_wait_ms`; before `start()`.

    For a consumer that someone else constructs: Faust hard-codes read_uncommitted and 1,500 ms.
    """
    private: Any = consumer
    private._isolation_level = "read_committed"
    private._fetch_max_wait_ms = fetch_wait_ms


async def let_stop(stop: Awaitable[None], consumer: AIOKafkaConsumer) -> None:
    """Await `stop`, which stops `consumer`, and let only a cancellation that is meant for us through.

    While the broker is away aiokafka's fetcher cancels a request that was waiting to try again, and lets
    that escape from `consumer.stop()` as if the caller had been cancelled. So it does with its heartbeats,
    where they are stopped before their first step, just after a rebalance; then it has not left the group.
    """
    try:
        await stop
    except asyncio.CancelledError:
        private: Any = consumer
        leave_group = getattr(private._coordinator, "_maybe_leave_group", None)
        if leave_group is not None:  # else there is no group
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(leave_group(), _LEAVE_SECONDS)
        await private._client.close()
        if is_cancelled():
            raise


def is_cancelled() -> bool:
    """Whether a CancelledError at hand was meant for the running task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _take(result: FetchResult, max_records: int) -> SourceRecords:
    """As FetchResult.getall, but as a block, and without losing what is readable before a batch that is not."""
    private: Any = result
    if not private.has_more() or not private.check_assignment(private._topic_partition):
        return ()
    kept = private._partition_records
    try:
        records: SourceRecords = kept.take(max_records)
    except UnreadableError:
        private._partition_records = None
        raise
    private._update_position()
    if kept.is_taken:
        private._partition_records = None
    return records


def _readable_end(state: _State) -> int | None:
    """The last stable offset where the broker reports one, else the high watermark."""
    return state.lso if state.lso is not None and state.lso >= 0 else state.highwater


def _is_at_end(state: _State, readable_end: int | None) -> bool:
    """Nothing is left to read, now or once the transactions that are open have ended."""
    return readable_end is not None and state.position >= max(readable_end, state.highwater or 0)


def _is_fresh(state: _State) -> bool:
    return state.timestamp is not None and time.time() * 1000 - state.timestamp < FRESH_MS
