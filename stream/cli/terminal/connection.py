"""What the commands that talk to Kafka have in common: they are quiet, and say so when the broker is away."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaError

from stream.errors import BrokerError
from stream.kafka.log_throttle import LIBRARIES, quiet_loop
from stream.kafka.waiting import describe_absence

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], bootstrap: str) -> T:
    """Run `work` in an event loop of its own. Raises BrokerError where an error of Kafka comes out of it."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they complain of, we say in our own words

    async def quiet() -> T:
        quiet_loop(asyncio.get_running_loop())
        return await work

    try:
        return asyncio.run(quiet())
    except (KafkaError, TimeoutError) as error:
        raise BrokerError(f"Kafka at {bootstrap}: {describe_absence(error)}") from error
