"""Wait for a broker, and for a topic, that are not there yet."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from stream.kafka.permissions import Grant, require
from stream.kafka.topics import count_partitions
from stream.settings import Settings

T = TypeVar("T")

RETRY_SECONDS = 1.0


async def when_there(ask: Callable[[], Awaitable[T]], bootstrap: str, tell: Callable[[str], None]) -> T:
    """The answer of `ask`, asked each second until the broker is there; that it is not, is told once."""
    told = False
    while True:
        try:
            return await ask()
        except (KafkaError, OSError) as error:
            if not told:
                tell(f"waiting for Kafka at {bootstrap}: {describe_absence(error)}")
            told = True
            await asyncio.sleep(RETRY_SECONDS)


async def stage_change_partitions(settings: Settings, grants: Sequence[Grant], tell: Callable[[str], None]) -> int:
    """The number of partitions of the topic of stage changes, once it is there; what is waited for is told once.

    Raises BrokerError where Kafka refuses us, or one of `grants` is missing.
    """
    topic = settings.topics.stage_changes

    async def ask() -> int | None:
        await require(settings, grants)
        return (await count_partitions(settings, topic)).get(topic)

    told = False
    while (found := await when_there(ask, settings.bootstrap, tell)) is None:
        if not told:
            tell(f"waiting for topic {topic}, which the first worker creates")
        told = True
        await asyncio.sleep(RETRY_SECONDS)
    return found


def describe_absence(error: Exception) -> str:
    """Why the broker does not answer, in words."""
    if isinstance(error, KafkaConnectionError):
        return "nobody answers"
    return str(error) or type(error).__name__
