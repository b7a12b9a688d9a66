"""Transactions of a delivery, what is left of them, and what may come between their requests."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, NamedTuple

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.produce import ProduceRequest_v8, ProduceResponse_v8
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest_v0,
    AddPartitionsToTxnRequest_v0,
    EndTxnRequest_v0,
    TxnOffsetCommitRequest_v0,
)

from stream.codec.records import Outgoing
from stream.engine.delivery import Route, Transactional
from stream.kafka.exactly_once import requests
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import Request
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.kit.topics import create_topics, read_all

REQUESTS = {
    name: getattr(requests, name) for name in ("ADD_PARTITIONS", "ADD_OFFSETS", "PRODUCE", "COMMIT_OFFSET", "END")
}
_POSITION = b"\x00position"
_SETTLED = 10.0
When = Literal["before", "after"]
"""A request is sent, or its answer has come and nobody has read it yet."""
Blow = Callable[[Connection, Request], Awaitable[bytes | None]]
"""What comes in between; what it raises, or answers, is what becomes of the request, which is not sent then."""
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
        state=[*(Outgoing(b"k%d" % each, said) for each in range(records)), Outgoing(_POSITION, said)],
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
    positions = [int(value or b"") for written in state.values() for _, key, value, _ in written if key == _POSITION]
    if positions:
        await group_offset_becomes(route, positions[-1])
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


async def group_offset_becomes(route: Route, offset: int) -> bool:
    """Whether it is so within seconds: a broker says that a transaction is committed before its offsets can be read."""
    until = time.monotonic() + _SETTLED
    while await group_offset(route) != offset:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


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
    """The first request of a kind from now on, or all of them, that something comes in between of."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, request: int, when: When, blow: Blow, *, once: bool = True
    ) -> None:
        self.fell = asyncio.Event()
        """It is at work, or was."""
        self._tasks: set[asyncio.Task[None]] = set()
        really = Connection.send

        async def through(connection: Connection, sent: Request, answer: "asyncio.Future[bytes]") -> None:
            try:
                said = await blow(connection, sent) if when == "before" else None
                body = await really(connection, sent)[0] if said is None else said
                if when == "after":
                    self.fell.set()
                    body = await blow(connection, sent) or body
            except KafkaError as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(body)

        def send(connection: Connection, *sent: Request) -> Sequence["asyncio.Future[bytes]"]:
            if all(each.key != request for each in sent):
                return really(connection, *sent)
            return [send_one(connection, each) for each in sent]

        def send_one(connection: Connection, sent: Request) -> "asyncio.Future[bytes]":
            if sent.key != request or (once and self._tasks):
                return really(connection, sent)[0]
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


async def lose(connection: Connection, _: Request) -> None:
    """The connection, and with it an answer that has come."""
    connection.close()
    raise KafkaConnectionError("lost by the test")


async def never(*_: object) -> None:
    """Go on."""
    await asyncio.Event().wait()


def refusing(code: int) -> Blow:
    """Answers that nothing of a request could be done, for this reason; written by aiokafka."""

    async def refuse(_: Connection, request: Request) -> bytes:
        asked: Any = _ASKED[request.key].decode(b"".join(request.body))
        match request.key:
            case requests.ADD_OFFSETS | requests.END:
                return bytes(asked.RESPONSE_TYPE(0, code).encode())
            case requests.ADD_PARTITIONS:
                refused = [(topic, [(number, code) for number in numbers]) for topic, numbers in asked.topics]
                return bytes(asked.RESPONSE_TYPE(0, refused).encode())
            case requests.COMMIT_OFFSET:
                refused = [(topic, [(number, code) for number, _, _ in parts]) for topic, parts in asked.topics]
                return bytes(asked.RESPONSE_TYPE(0, refused).encode())
            case _:
                places: list[Any] = [
                    (topic, [(number, code, -1, -1, -1, [], None) for number, _ in parts])
                    for topic, parts in asked.topics
                ]
                return bytes(ProduceResponse_v8(places, 0).encode())

    return refuse


_ASKED: dict[int, Any] = {
    requests.ADD_PARTITIONS: AddPartitionsToTxnRequest_v0,
    requests.ADD_OFFSETS: AddOffsetsToTxnRequest_v0,
    requests.PRODUCE: ProduceRequest_v8,
    requests.COMMIT_OFFSET: TxnOffsetCommitRequest_v0,
    requests.END: EndTxnRequest_v0,
}
