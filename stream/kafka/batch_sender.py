"""Fill batches with records, send them, and abandon a producer within seconds.

This module reads private parts of aiokafka 0.14; `tests/kafka/test_aiokafka_contract.py` names them.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from stream.codec.records import Outgoing
from stream.kafka.clients import close_client

_ABANDON_TIMEOUT = 2.0
_TRIES = 2
"""What a sender had under way may connect again, where it did not end before connections were closed."""


class Part(NamedTuple):
    """Records for one partition."""

    topic: str
    partition: int
    records: Iterable[Outgoing]
    timestamps: Iterable[int | None] = repeat(None)
    """Of each record, epoch ms; None: the time at which it is sent."""


async def send_batches(producer: AIOKafkaProducer, parts: Iterable[Part]) -> None:
    """Send, and wait until all of it is acknowledged. Raises KafkaError where a batch of it fails."""
    sent: list[asyncio.Future[Any]] = []
    for part in parts:
        for builder in _filled(producer, part):
            future: asyncio.Future[Any] = await producer.send_batch(builder, part.topic, partition=part.partition)
            future.add_done_callback(observe)
            sent.append(future)
    await asyncio.gather(*sent)  # aiokafka commits a transaction even when a batch failed: look first


def append(builder: BatchBuilder, record: Outgoing, timestamp: int | None = None) -> bool:
    """Put a record into a batch; False where that is full or closed. The first one always fits.

    As `builder.append` does it, which takes three times as long.
    """
    private: Any = builder
    if private._closed:
        return False
    headers = record.headers
    if headers.__class__ is not list:
        headers = list(headers)  # aiokafka accepts no other sequence
    offset = private._relative_offset
    if private._builder.append(offset, timestamp, record.key, record.value, headers) is None:
        private._closed = True
        return False
    private._relative_offset = offset + 1
    return True


async def abandon(producer: AIOKafkaProducer) -> None:
    """Let go of a producer within seconds, broker or no broker; what is not acknowledged is lost.

    Raises KafkaError, OSError or TimeoutError where the connections do not close.
    """
    private: Any = producer
    private._closed = True  # not `stop()`: it would send what is left, and may wait for ever
    sender = private._sender.sender_task
    for _ in range(_TRIES):
        if sender is not None:
            sender.cancel()
            await asyncio.wait([sender], timeout=_ABANDON_TIMEOUT)
        await close_client(private.client, _ABANDON_TIMEOUT)
        if sender is None or sender.done():
            return


def _filled(producer: AIOKafkaProducer, part: Part) -> Iterator[BatchBuilder]:
    builder = producer.create_batch()
    for record, timestamp in zip(part.records, part.timestamps, strict=False):
        if not append(builder, record, timestamp):
            yield builder
            builder = producer.create_batch()
            append(builder, record, timestamp)
    yield builder


def observe(future: "asyncio.Future[Any]") -> None:
    """Take note of an error so that asyncio does not complain that nobody did."""
    if not future.cancelled():
        future.exception()
