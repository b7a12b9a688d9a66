"""One step of a transaction: requests that go out at once, until all of them are done."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiokafka.errors import KafkaError, ProducerFenced, RequestTimedOutError

from stream.kafka.exactly_once.answers import DONE, error_of
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import Request

REQUEST_TIMEOUT: Final = 10.0
_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1

Sent = Sequence["asyncio.Future[bytes]"]


class Asked(NamedTuple):
    """A request, and what its answer means."""

    connection: Connection
    request: Request
    hindrance: Callable[[bytes], int]
    """The error for which to ask again in a moment, since nothing was done; DONE where it is.

    Raises KafkaError for whatever else it is.
    """


def send(asked: Sequence[Asked]) -> Sent:
    """Send all of it. Raises KafkaError where a connection is closed."""
    return [each.connection.send(each.request) for each in asked]


async def until_done(asked: Sequence[Asked], sent: Sent, until: float) -> None:
    """Wait for the answers, and ask again what a broker could not do yet, up to the time `until`, by time.monotonic().

    Raises KafkaError where something fails; a rival explains whatever else does.
    """
    wait = _FIRST_WAIT
    while True:
        codes = _hindrances(asked, await _answers(sent))
        hindered = [code for code in codes if code != DONE]
        if not hindered:
            return
        if time.monotonic() > until:
            raise error_of(hindered[0], "a transaction")
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
        asked = [each for each, code in zip(asked, codes, strict=True) if code != DONE]
        sent = send(asked)


@asynccontextmanager
async def limit(what: str) -> AsyncIterator[None]:
    """Raises RequestTimedOutError, which says `what`, where it takes as long as a request may."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT):
            yield
    except TimeoutError:
        raise RequestTimedOutError(f"{what} within {REQUEST_TIMEOUT:g} s") from None


async def _answers(sent: Sent) -> Sequence[bytes]:
    async with limit("a broker did not answer"):
        return await asyncio.gather(*sent) if len(sent) > 1 else [await sent[0]]


def _hindrances(asked: Sequence[Asked], answers: Sequence[bytes]) -> list[int]:
    codes: list[int] = []
    failed: KafkaError | None = None
    for each, answer in zip(asked, answers, strict=True):
        try:
            codes.append(each.hindrance(answer))
        except KafkaError as error:
            if failed is None or isinstance(error, ProducerFenced):
                failed = error
    if failed is not None:
        raise failed
    return codes
