"""Transactions of a delivery, what is left of them, and what may come between their requests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream.codec.records import Outgoing
from stream.engine.delivery import Route, Transactional
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import ADD_OFFSETS, ADD_PARTITIONS, COMMIT_OFFSET, END, PRODUCE, Request
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.kit.topics import create_topics, read_all

REQUESTS = {
    "ADD_PARTITIONS": ADD_PARTITIONS,
    "ADD_OFFSETS": ADD_OFFSETS,
    "PRODUCE": PRODUCE,
    "COMMIT_OFFSET": COMMIT_OFFSET,
    "END": END,
}
When = Literal["before", "after"]
"""A request is sent, or its answer has come and nobody has read it yet."""
Blow = Callable[[Connection], Awaitable[None]]
"""What comes in between, with the connection of the request; what it raises is what becomes of the request."""
Written = dict[int, list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]]]
"""By partition: offset, key, value and headers of each record."""


class Left(NamedTuple):
    """What whoever reads committed records finds."""

    changes: Written
    latest: Written
    state: Written
    dead_letters: Written
    group_offset: int | None


async def new_route(bootstrap: str, prefix: str, settings: Settings | None = None) -> Route:
    """Of partition 1 of 2, with topics of its own."""
    settings = settings or Settings(bootstrap=bootstrap, app=f"{prefix}app", topic_prefix=prefix)
    topics = settings.topics
    await create_topics(
        bootstrap,
        *(topics.interactions, topics.customers, topics.current_stages, topics.stage_changes, topics.dead_letters),
        partitions=2,
    )
    return Route.of_worker(settings, 1)


def batch_of(number: int, *, records: int = 3, value: bytes = b"") -> Batch:
    """The batch up to source offset `number`, of which every topic has records that say so."""
    said = b"%d" % number + value
    return Batch(
        events=[Outgoing(b"k%d" % each, said, [("ce_id", b"%d" % each)]) for each in range(records)],
        latest=[Outgoing(b"toy:k%d" % each, said) for each in range(records)],
        state=[*(Outgoing(b"k%d" % each, said) for each in range(records)), Outgoing(b"\x00position", said)],
        dead_letters=[Outgoing(None, said)],
        next_offset=number,
        inputs=1,
    )


async def left_by(route: Route) -> Left:
    """All that is committed, after waiting for what is being ended."""
    bootstrap, topics = route.settings.bootstrap, route.settings.topics
    changes, latest, state, dead_letters = [
        {
            number: [(each.offset, each.key, each.value, list(each.headers)) for each in records]
            for number, records in (await read_all(bootstrap, topic)).items()
        }
        for topic in (topics.stage_changes, topics.current_stages, topics.customers, topics.dead_letters)
    ]
    return Left(changes, latest, state, dead_letters, await group_offset(route))


async def left_to_next_owner(route: Route) -> Left:
    """All that is committed when somebody else has taken over."""
    owner = Transactional(route)
    try:
        await owner.start()
    finally:
        await owner.discard()
    return await left_by(route)


async def group_offset(route: Route) -> int | None:
    """Of the partition that is read; None where there is none."""
    admin = AIOKafkaAdminClient(bootstrap_servers=route.settings.bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(route.settings.group)
    finally:
        await admin.close()
    return int(offsets[route.source].offset) if route.source in offsets else None


def batches_in(left: Left) -> set[int]:
    """The numbers of those batches that are there; raises AssertionError where one is there by half, or twice."""
    there: list[set[int]] = []
    for written, records in zip(left[:4], (3, 3, 4, 1), strict=True):
        numbers = [int(value or b"") for each in written.values() for _, _, value, _ in each]
        there.append(set(numbers))
        assert {numbers.count(number) for number in numbers} <= {records}, left
    [found] = {frozenset(each) for each in there}
    assert left.group_offset == max(found, default=None), left
    return set(found)


class Strike:
    """One request of a kind, the first from now on, that something comes in between of; others are as always."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, request: int, when: When, blow: Blow) -> None:
        self.fell = asyncio.Event()
        """It is at work, or was."""
        self._tasks: set[asyncio.Task[None]] = set()
        really = Connection.send

        async def through(connection: Connection, request: Request, answer: "asyncio.Future[bytes]") -> None:
            try:
                if when == "before":
                    await blow(connection)
                body = await really(connection, request)
                if when == "after":
                    self.fell.set()
                    await blow(connection)
            except KafkaError as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(body)

        def send(connection: Connection, sent: Request) -> "asyncio.Future[bytes]":
            if sent.key != request or self.fell.is_set() or self._tasks:
                return really(connection, sent)
            if when == "before":
                self.fell.set()
            answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            self._tasks.add(asyncio.create_task(through(connection, sent, answer)))
            return answer

        monkeypatch.setattr(Connection, "send", send)

    async def end(self) -> None:
        """Let go of what is still held."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def lose(connection: Connection) -> None:
    """The connection, and with it an answer that has come."""
    connection.close()
    raise KafkaConnectionError("lost by the test")


async def never(_: Connection) -> None:
    """Go on."""
    await asyncio.Event().wait()
