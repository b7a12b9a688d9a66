"""What the commands that talk to Kafka have in common: they are quiet, and say so when the broker is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError
from rich.console import Console
from rich.text import Text

from stream.errors import BrokerError
from stream.kafka.log_throttle import LIBRARIES, quiet_loop

T = TypeVar("T")

_RETRY_SECONDS = 1.0


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
        raise BrokerError(f"Kafka at {bootstrap}: {_words(error)}") from error


async def when_there(ask: Callable[[], Awaitable[T]], bootstrap: str, messages: Console) -> T:
    """The answer of `ask`, asked each second until the broker is there; that it is not, is said once."""
    reported = False
    while True:
        try:
            return await ask()
        except (KafkaError, OSError) as error:
            if not reported:
                messages.print(Text(f"waiting for Kafka at {bootstrap}: {_words(error)}"), soft_wrap=True)
            reported = True
            await asyncio.sleep(_RETRY_SECONDS)


def _words(error: Exception) -> str:
    if isinstance(error, KafkaConnectionError):
        return "nobody answers"
    return str(error) or type(error).__name__
