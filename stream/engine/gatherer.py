"""Gathers one partition of several topics of interactions into one topic, each record exactly once.

Only that topic is processed: in which order the interactions of several topics came is then kept, and `lifecycle
verify` and a reset find them in that order again. What is gathered and how far the source topics are read is one
transaction; to begin one fences whoever gathered this partition before, so that the group's offsets then stand. Kafka
forgets such offsets after a week, so the position of the state has them too, of what was processed; what was gathered
since stands behind that position (`gathering_begin.py`). Without transactions a record may be gathered again after a
crash.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordTooLargeError,
)
from aiokafka.structs import OffsetAndMetadata

from stream.codec.gathered import gathered
from stream.engine.gatherer_log import GathererLog
from stream.engine.gathering_begin import MARK, Begin
from stream.errors import PositionError, UnreadableError
from stream.kafka.batch_sender import Part, abandon, send_batches
from stream.kafka.clients import client_options
from stream.kafka.partition_reader import Fetched, PartitionReader, is_cancelled, let_stop
from stream.kafka.transactions import BATCH_BYTES, START_TIMEOUT, TRANSACTION_TIMEOUT_MS
from stream.machine.gathering import Gathering, Taken
from stream.settings import Settings

_WAIT: Final = 1.0
_AT_ONCE: Final = 1_000
_FETCH_WAIT_MS: Final = 100
_AGAIN: Final = 1.0
_READ_AGAIN: Final = 5.0
"""Seconds until the next try, after an error of Kafka's and at what cannot be read."""
_COMMIT_EVERY: Final = 3_600.0
"""Seconds between two transactions where nothing comes."""
_CANCEL_AGAIN: Final = 0.5
_REQUEST_TIMEOUT_MS: Final = 10_000
_FINISH: Final = 2.0
"""Seconds for a transaction that is under way when gathering ends: one that stays open holds up who reads."""


class Gatherer(Protocol):
    """What a partition of one of the gathered topics needs to know."""

    def start(self, processed: Mapping[str, int], position: int) -> None:
        """Begin, or go on after `stop`; does nothing where it runs.

        `processed` is by topic the offset behind the last interaction that was processed before `position` in the
        gathered topic.
        """

    async def stop(self) -> None:
        """End, within seconds."""

    def done_since(self, moment: float) -> bool:
        """Whether all that was sent before `moment`, by time.monotonic(), stands in the gathered topic already."""

    @property
    def lag(self) -> int | None:
        """Interactions that wait in the source topics, as last known; None before that."""


class TopicGatherer:
    """Gathers partition `number` of the topics that the settings name."""

    def __init__(
        self,
        settings: Settings,
        number: int,
        log: GathererLog,
        *,
        exactly_once: bool,
        fenced_wait: float,
        fail: Callable[[BaseException], None],
        on_gathered: Callable[[str, int], None],
    ) -> None:
        """`fail` hears an error that would only happen again, `on_gathered` topic and number of what was gathered.

        `fenced_wait`: seconds after which who was fenced begins again, if nobody stopped it until then.
        """
        self._settings = settings
        self._topics = settings.topics.sources
        self._target = TopicPartition(settings.topics.interactions, number)
        self._log = log
        self._exactly_once = exactly_once
        self._fenced_wait = fenced_wait
        self._fail = fail
        self._on_gathered = on_gathered
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._done_since: float | None = None
        self._ends: dict[str, int] = {}
        self._next: dict[str, int] = {}
        """By topic the offset from which on nothing was gathered."""

    def start(self, processed: Mapping[str, int], position: int) -> None:
        if self._task is None:
            running = self._run(dict(processed), position)
            self._task = asyncio.create_task(running, name=f"gatherer-{self._target.partition}")

    async def stop(self) -> None:
        task, self._task, self._done_since = self._task, None, None
        while task is not None and not task.done():
            # More than once: `asyncio.wait_for` loses a cancellation where its future is done at that very moment.
            task.cancel()
            await asyncio.wait([task], timeout=_CANCEL_AGAIN)

    def done_since(self, moment: float) -> bool:
        return self._done_since is not None and self._done_since <= moment

    @property
    def lag(self) -> int | None:
        if not self._next or self._ends.keys() != self._next.keys():
            return None
        return sum(max(self._ends[topic] - at, 0) for topic, at in self._next.items())

    async def _run(self, processed: Mapping[str, int], position: int) -> None:
        while True:
            try:
                async with AsyncExitStack() as stack:
                    await self._gather(stack, processed, position)
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                await asyncio.sleep(_AGAIN)
            except Exception as error:
                if is_cancelled():
                    raise asyncio.CancelledError from error
                wait = self._wait_after(error)
                if wait is None:
                    return
                await asyncio.sleep(wait)
            finally:
                self._done_since = None

    def _wait_after(self, error: Exception) -> float | None:
        """Seconds until the next try; None where it would only happen again, which is told then."""
        match error:
            case UnreadableError():
                self._log.blocked(error, self._settings.group)
                return _READ_AGAIN
            case PositionError():
                self._fail(PositionError(f"{_first_sentence(error)}. {self._remedy}"))
            case ProducerFenced() | InvalidProducerEpoch():
                return self._fenced_wait
            case MessageSizeTooLargeError() | RecordTooLargeError():
                self._fail(error)
            case KafkaError() | OSError() | TimeoutError():
                self._log.waits(error)
                return _AGAIN
            case _:
                self._fail(error)
        return None

    @property
    def _remedy(self) -> str:
        return (
            "It is a topic that interactions are gathered from: go on with what it holds by `kafka-consumer-groups.sh "
            f"--bootstrap-server {self._settings.bootstrap} --group {self._settings.group} --reset-offsets "
            f"--to-earliest --topic <topic>:{self._target.partition} --execute` while no worker runs"
        )

    async def _gather(self, stack: AsyncExitStack, processed: Mapping[str, int], position: int) -> None:
        producer = await self._producer(stack)
        stack.push_async_callback(self._finish)
        consumer = await self._consumer(stack)
        tps = {topic: TopicPartition(topic, self._target.partition) for topic in self._topics}
        readers = {topic: PartitionReader(consumer, tp) for topic, tp in tps.items()}
        begin = Begin(self._settings, self._target, exactly_once=self._exactly_once)
        self._ends = {}
        self._next = await begin.positions(consumer, readers, processed, position)
        self._log.begins(self._next)
        gathering, read = Gathering(self._topics), dict(self._next)
        committed = float("-inf")
        try:
            while True:
                await self._fetch(gathering, readers, read)
                taken = gathering.take()
                while taken or time.monotonic() - committed > _COMMIT_EVERY:
                    self._writing = asyncio.create_task(self._write(producer, taken))
                    await asyncio.shield(self._writing)
                    committed, taken = time.monotonic(), gathering.take()
                if not gathering.is_done:
                    self._done_since = None
                elif self._done_since is None:
                    self._done_since = time.monotonic()
        finally:
            self._done_since = None

    async def _finish(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None and not writing.done():
            await asyncio.wait([writing], timeout=_FINISH)
            writing.cancel()

    async def _fetch(self, gathering: Gathering, readers: dict[str, PartitionReader], read: dict[str, int]) -> None:
        """Fetch of every topic of which nothing is at hand; once all is gathered, wait for whatever comes first."""
        waits = gathering.is_done
        fetches = {
            asyncio.ensure_future(
                readers[topic].fetch(read[topic], max_records=_AT_ONCE, wait=_WAIT if waits else 0.0)
            ): topic
            for topic in gathering.ask()
        }
        try:
            when = asyncio.FIRST_COMPLETED if waits else asyncio.FIRST_EXCEPTION
            done, _ = await asyncio.wait(fetches, return_when=when)
        finally:
            for each in fetches:
                each.cancel()
            await asyncio.gather(*fetches, return_exceptions=True)
        for each, topic in fetches.items():
            fetched = each.result() if each in done else None
            if fetched is not None:
                self._hear(gathering, topic, fetched)
                read[topic] = fetched.next_offset
            elif not readers[topic].is_at_end(read[topic]):  # its broker is silent, or a transaction is open there
                gathering.hear(topic, (), at_end=False)
                self._done_since = None

    def _hear(self, gathering: Gathering, topic: str, fetched: Fetched) -> None:
        if fetched.records:
            self._done_since = None
        else:
            self._next[topic] = fetched.next_offset
        if fetched.log_end is not None:
            self._ends[topic] = fetched.log_end
        gathering.hear(topic, fetched.records, at_end=fetched.caught_up)

    async def _write(self, producer: AIOKafkaProducer, taken: Sequence[Taken]) -> None:
        number, now = self._target.partition, time.time_ns() // 1_000_000
        # A time ahead of ours counts as ours, as where one topic is processed; and a broker may refuse it.
        times = [min(record.timestamp, now) if record.timestamp >= 0 else now for _, record in taken]
        records = [gathered(record, topic, number) for topic, record in taken]
        offsets = {**self._next, **{topic: record.offset + 1 for topic, record in taken}}
        try:
            if self._exactly_once:
                await producer.begin_transaction()
            if records:
                await send_batches(producer, [Part(self._target.topic, number, records, times)])
            if self._exactly_once:
                await self._commit(producer, offsets)
        except AssertionError as error:  # aiokafka's own checks, when its sender died in between
            raise KafkaError(f"a transaction that gathers partition {number} broke off: {error}") from error
        self._next = offsets
        for topic in self._topics:
            self._on_gathered(topic, sum(each.topic == topic for each in taken))

    async def _commit(self, producer: AIOKafkaProducer, offsets: Mapping[str, int]) -> None:
        """End a transaction with the group's offsets of these topics, of quiet ones too: Kafka forgets old offsets."""
        number = self._target.partition
        marked = {TopicPartition(topic, number): OffsetAndMetadata(at, MARK) for topic, at in offsets.items()}
        await producer.send_offsets_to_transaction(marked, self._settings.group)
        await producer.commit_transaction()

    async def _producer(self, stack: AsyncExitStack) -> AIOKafkaProducer:
        """One that fences those before it, where Kafka has transactions."""
        options: dict[str, Any] = {}
        if self._exactly_once:
            name = f"{self._settings.app}-{self._target.topic}-{self._target.partition}-gather"
            options = {"transactional_id": name, "transaction_timeout_ms": TRANSACTION_TIMEOUT_MS}
        producer = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            compression_type="lz4",  # as large records most likely came
            **options,
        )
        stack.push_async_callback(_let_go, producer)
        await _started(producer.start())
        return producer

    async def _consumer(self, stack: AsyncExitStack) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=self._settings.group,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        consumer.assign([TopicPartition(topic, self._target.partition) for topic in self._topics])

        async def stop() -> None:
            await let_stop(consumer.stop(), consumer)

        stack.push_async_callback(stop)
        await _started(consumer.start())
        return consumer


async def _started(start: Awaitable[None]) -> None:
    """Await the start of a client; who is cancelled waits a moment, for a connection that is being made stays open."""
    starting = asyncio.ensure_future(asyncio.wait_for(start, START_TIMEOUT))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=_FINISH)
        raise
    finally:
        starting.cancel()


async def _let_go(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(KafkaError, OSError, TimeoutError, AttributeError):
        await abandon(producer)


def _first_sentence(error: Exception) -> str:
    return str(error).split(". ", 1)[0]
