"""Write interactions to their topic: keyed by their subject, in order per subject, each one acknowledged."""

import asyncio
import contextlib
import time
from functools import partial
from typing import Any, Self

from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.codec.controls import tick
from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.import_rows import HEADER as IMPORT
from stream.codec.interactions import encode_native
from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.errors import BrokerError
from stream.kafka.batch_sender import abandon, append
from stream.kafka.permissions import of_import, require
from stream.kafka.producer_start import started_producer
from stream.kafka.topic_plan import DEFAULT_MAX_MESSAGE, FoundTopic
from stream.kafka.topics import ensure_topics, find_topics
from stream.settings import Settings

_BATCH_BYTES = 256 << 10
_RECORD_OVERHEAD = 128
"""What a batch of one record takes besides its key and value, at most, in bytes."""
_LINGER = 0.1
"""Seconds after which also a batch that is not full is sent."""
_NAP = 0.005
"""Sleeps shorter than these seconds are put together to one."""
_BURST = 1.0
"""Seconds of a stall that are made up for, so that a broker that was away is not flooded."""
_YIELD_EVERY = 256
"""Interactions after which the event loop gets its turn: a few milliseconds."""
_CLOSE_TIMEOUT = 2.0


class InteractionProducer:
    """Writes interactions in the native format; between `async with` and its end.

        async with InteractionProducer(settings, rate=500) as producer:
            for interaction in interactions:
                await producer.send(interaction)
            await producer.tick(until)

    Creates the product's topics where that of interactions is missing. The producer is idempotent where the broker
    can do that: then a broker that is away is waited for, and each interaction is written once and in order.
    Elsewhere (the embedded broker) a batch whose answer was lost is written again, and one that is not
    acknowledged within 40 s fails. About 1 MB is held for each partition at most.

    All methods raise KafkaError or TimeoutError where the broker fails for good, BrokerError where it refuses
    us or what we write, and entering raises TopicError where topics do not fit.
    """

    def __init__(self, settings: Settings, *, rate: int | None = None) -> None:
        """Prepare to send at most `rate` interactions a second, as fast as possible without it."""
        self.partitions = 0
        """Of the interactions topic, once entered."""
        self.sent = 0
        """Interactions sent so far."""
        self.acknowledged = 0
        """Those of them that are safe in Kafka."""
        self._settings, self._topic = settings, settings.topics.interactions
        self._rate = rate
        self._due = self._flushed = self._progress = 0.0
        self._largest = DEFAULT_MAX_MESSAGE
        self._open: dict[int, BatchBuilder] = {}
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        await require(self._settings, of_import(self._settings))
        found = await self._find()
        self.partitions = found.partitions
        self._largest = int(found.configs.get("max.message.bytes", DEFAULT_MAX_MESSAGE))
        self._producer = await started_producer(self._settings, min(_BATCH_BYTES, self._largest))
        self._due = self._flushed = self._progress = time.monotonic()
        return self

    async def _find(self) -> FoundTopic:
        """The interactions topic, made with all others where it is not there: who may only write asks for no more."""
        found = await find_topics(self._settings, [self._topic])
        if not found:
            await ensure_topics(self._settings)
            found = await find_topics(self._settings, [self._topic])
        return found[self._topic]

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._close()

    @property
    def stalled(self) -> float:
        """For how many seconds the broker has owed us an answer; 0 where it owes none."""
        return time.monotonic() - self._progress if self._in_flight else 0.0

    async def send(self, interaction: Interaction, row: bytes | None = None) -> Rejected | None:
        """Send an interaction, waiting for its turn where a rate is set, but not for the acknowledgement.

        `row` is the header of its row, where it is of an import (`stream.codec.import_rows`).
        One that is larger than the topic takes is not sent, and the answer says so.
        """
        key, value = interaction.subject.encode(), encode_native(interaction)
        headers = () if row is None else ((IMPORT, row),)
        beside = _RECORD_OVERHEAD if row is None else _RECORD_OVERHEAD + len(IMPORT) + len(row)
        if len(key) + len(value) + beside > self._largest:
            detail = f"{len(value)} bytes; the topic {self._topic} takes messages up to {self._largest}"
            return Rejected(Reason.TOO_LARGE, detail)
        where = home_of(self._settings.partitioner, key, self.partitions)
        await self._append(where, Outgoing(key, value, headers))
        self.sent += 1
        if self._rate is not None:
            await self._pace(self._rate)
        elif time.monotonic() - self._flushed > _LINGER:
            await self._hand_over_all()
        if self.sent % _YIELD_EVERY == 0:
            await asyncio.sleep(0)
        return None

    async def flush(self) -> None:
        """Wait until everything sent is acknowledged."""
        await self._hand_over_all()
        while self._in_flight:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_EXCEPTION)
            self._raise_failure()
        self._raise_failure()

    async def tick(self, time: int) -> None:
        """Send a tick of `time`, epoch milliseconds, to every partition behind all interactions, and wait."""
        await self.flush()
        for partition in range(self.partitions):
            await self._append(partition, tick(time))
            await self._hand_over(partition, interactions=0)
        await self.flush()

    async def _append(self, partition: int, record: Outgoing) -> None:
        builder = self._open.get(partition)
        if builder is None:
            builder = self._open[partition] = self._producer.create_batch()
        if not append(builder, record):
            await self._hand_over(partition)
            builder = self._open[partition] = self._producer.create_batch()
            append(builder, record)

    async def _pace(self, rate: int) -> None:
        now = time.monotonic()
        self._due = max(self._due, now - _BURST) + 1 / rate
        if self._due - now > _NAP:
            await self._hand_over_all()
            await asyncio.sleep(self._due - time.monotonic())

    async def _hand_over_all(self) -> None:
        for partition in list(self._open):
            await self._hand_over(partition)
        self._flushed = time.monotonic()

    async def _hand_over(self, partition: int, *, interactions: int | None = None) -> None:
        """Give a partition's open batch to aiokafka, which holds one and makes the next one wait."""
        builder = self._open.pop(partition)
        while True:
            self._raise_failure()
            try:
                future = await self._producer.send_batch(builder, self._topic, partition=partition)
                break
            except KafkaTimeoutError:  # the one before is not gone yet, and ours was not accepted
                continue
        if not self._in_flight:
            self._progress = time.monotonic()
        self._in_flight.add(future)
        count = builder.record_count() if interactions is None else interactions
        future.add_done_callback(partial(self._done, count))

    def _done(self, interactions: int, future: "asyncio.Future[Any]") -> None:
        self._in_flight.discard(future)
        if future.cancelled():
            return
        error = future.exception()
        if error is None:
            self.acknowledged += interactions
            self._progress = time.monotonic()
        elif self._failure is None:
            self._failure = error

    def _raise_failure(self) -> None:
        error = self._failure
        if error is None:
            return
        if isinstance(error, KafkaError) and not error.retriable:
            raise BrokerError(f"the broker refused a batch for topic {self._topic}: {error}") from error
        raise error

    async def _close(self) -> None:
        """Let go within seconds; what is not acknowledged by then is abandoned."""
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=_CLOSE_TIMEOUT)
        if not self._in_flight and self._failure is None:
            await self._producer.stop()
            return
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            await abandon(self._producer)
