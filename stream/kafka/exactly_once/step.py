"""One step of a transaction: requests that go out at once, until all of it is done."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from aiokafka.errors import KafkaError, ProducerFenced, RequestTimedOutError

from stream.kafka.exactly_once.answers import Hindered, hindrance
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import Request

T = TypeVar("T")

REQUEST_TIMEOUT = 10.0
"""Seconds. Not final, so that a test can wait for less of it, compiled too."""
_FIRST_WAIT: Final = 0.002
_LONGEST_WAIT: Final = 0.1
_SILENT: Final = "a broker did not answer"

Sent = Sequence["asyncio.Future[bytes]"]


class Asked(NamedTuple):
    """A request, and what its answer means."""

    connection: Connection
    request: Request
    hindered: Callable[[bytes], Hindered]
    """What is to be asked for again in a moment. Raises KafkaError for whatever else was not done."""


def send(asked: Sequence[Asked]) -> Sent:
    """Send all of it, at once what goes to one broker. Raises KafkaConnectionError where a connection is closed."""
    if len(asked) == 1:
        [(connection, request, _)] = asked
        return connection.send(request)
    requests: dict[Connection, list[Request]] = {}
    for each in asked:
        requests.setdefault(each.connection, []).append(each.request)
    sent = {connection: iter(connection.send(*own)) for connection, own in requests.items()}
    return [next(sent[each.connection]) for each in asked]


async def until_done(
    asked: Sequence[Asked], sent: Sent, again: Callable[[Hindered], Awaitable[Sequence[Asked]]], until: float
) -> None:
    """Wait for the answers, and ask `again` for what could not be done yet, until then, by time.monotonic().

    Raises KafkaError where something fails; a rival explains whatever else does.
    """
    wait = _FIRST_WAIT
    while hindered := _hindered(asked, await in_time(_SILENT, _answers(sent))):
        if time.monotonic() > until:
            raise hindrance(hindered)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
        asked = await again(hindered)
        sent = send(asked)


async def in_time(what: str, work: Awaitable[T]) -> T:
    """Raises RequestTimedOutError, which says `what`, where it takes longer than a request may."""
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT):
            return await work
    except TimeoutError:
        raise RequestTimedOutError(f"{what} within {REQUEST_TIMEOUT:g} s") from None


async def _answers(sent: Sent) -> Sequence[bytes]:
    """Of all; the first error at once, where another broker is silent."""
    return [await sent[0]] if len(sent) == 1 else await asyncio.gather(*sent)


def _hindered(asked: Sequence[Asked], answers: Sequence[bytes]) -> Hindered:
    hindered = Hindered()
    failed: KafkaError | None = None
    for each, answer in zip(asked, answers, strict=True):
        try:
            hindered |= each.hindered(answer)
        except KafkaError as error:
            if failed is None or isinstance(error, ProducerFenced):
                failed = error
    if failed is not None:
        raise failed
    return hindered
