"""Start a producer whose records are written once where the broker can do that, and acknowledged by all replicas."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    UnknownError,
    UnsupportedVersionError,
)

from stream.kafka.clients import client_options
from stream.settings import Settings

_START_TRIES = 3
_START_TIMEOUT = 30.0


async def started_producer(settings: Settings, batch_bytes: int) -> AIOKafkaProducer:
    """A started producer, idempotent if that works; tried, since brokers announce what they cannot do.

    Raises KafkaError or TimeoutError where the broker does not answer.
    """
    options: dict[str, Any] = {**client_options(settings), "acks": "all", "max_batch_size": batch_bytes}
    for attempt in range(_START_TRIES):  # a server's passing fault must not cost idempotence
        try:
            return await _started(AIOKafkaProducer(**options, enable_idempotence=True))
        except (
            ClusterAuthorizationFailedError,
            UnknownError,
            UnsupportedVersionError,
            IncompatibleBrokerVersion,
            NotImplementedError,
        ):
            await asyncio.sleep(0.2 * attempt)
    return await _started(AIOKafkaProducer(**options))


async def _started(producer: AIOKafkaProducer) -> AIOKafkaProducer:
    try:
        await asyncio.wait_for(producer.start(), _START_TIMEOUT)
    except BaseException:
        await producer.stop()
        raise
    return producer
