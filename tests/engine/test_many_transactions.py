"""Transactions in a row, and of many batches, on a real Kafka: order, and the numbers by which a broker knows them."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from stream.codec.records import Outgoing
from stream.engine.delivery import Route, Transactional
from stream.kafka.exactly_once import answers
from stream.kafka.exactly_once.answers import CONCURRENT, DONE
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import ADD_PARTITIONS, Request
from stream.machine.batch import Batch
from tests.kit.exactly_once import batch_of, batches_in, group_offset_becomes, left_by, new_route
from tests.kit.kafka import SharedKafka

LAST = 2**31 - 1


@pytest.fixture
async def route(kafka: SharedKafka, topic_prefix: str) -> Route:
    return await new_route(kafka.bootstrap, topic_prefix)


@pytest.fixture
async def delivery(route: Route) -> AsyncIterator[Transactional]:
    writer = Transactional(route)
    await writer.start()
    yield writer
    await writer.discard()


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The errors with which the broker answered who adds partitions."""
    seen: set[int] = set()
    really = Connection.send

    def note(answer: "asyncio.Future[bytes]") -> None:
        if not answer.cancelled() and answer.exception() is None:
            seen.update(outcome.code for outcome in answers.of_add_partitions(answer.result()).values())

    def send(self: Connection, *asked: Request) -> Sequence["asyncio.Future[bytes]"]:
        sent = really(self, *asked)
        for request, answer in zip(asked, sent, strict=True):
            if request.key == ADD_PARTITIONS:
                answer.add_done_callback(note)
        return sent

    monkeypatch.setattr(Connection, "send", send)
    return seen


async def test_each_waits_for_the_one_before_it(route: Route, delivery: Transactional, codes: set[int]) -> None:
    """Which the broker ends after it said that it is committed; what came too soon is asked again."""
    numbers = range(1, 61)
    for number in numbers:
        await delivery.write(batch_of(number))
    assert codes == {DONE, CONCURRENT}
    left = await left_by(route)
    assert batches_in(left) == set(numbers)
    changes = [int(value or b"") for _, _, value, _ in left.changes[1]]
    assert changes == sorted(changes)


async def test_a_transaction_without_news_proves_that_nobody_else_writes(route: Route, delivery: Transactional) -> None:
    """It has an offset alone, also where the group has that already."""
    await delivery.write(batch_of(7))
    for _ in range(3):
        await delivery.write(Batch(next_offset=7))
    await delivery.write(Batch(next_offset=9))
    assert await group_offset_becomes(route, 9)
    left = await left_by(route)
    assert [len(left.state[number]) for number in (0, 1)] == [0, 4]


async def test_batches_of_one_partition_keep_their_order_and_others_go_along(
    route: Route, delivery: Transactional
) -> None:
    """One after another, since each may have to be sent again; nothing is there twice."""
    for number in (1, 2):
        large = [Outgoing(b"%d-%d" % (number, each), bytes(200_000)) for each in range(20)]
        few = [Outgoing(b"%d" % number, b"change")]
        batch = Batch(number, events=few, latest=large[:9], state=large, dead_letters=few, inputs=1)
        assert len(batch.state.parts) == 5
        await delivery.write(batch)
    left = await left_by(route)
    assert [key for _, key, _, _ in left.state[1]] == [b"%d-%d" % (n, each) for n in (1, 2) for each in range(20)]
    assert [key for _, key, _, _ in left.changes[1]] == [b"1", b"2"]
    assert len([record for records in left.latest.values() for record in records]) == 18


@pytest.mark.parametrize("before", [0, 1, 2, 3])
async def test_numbers_begin_again_behind_the_last_one(route: Route, delivery: Transactional, before: int) -> None:
    """Within a batch of four, and between two: the broker finds each where it expects it."""
    assert delivery._writer is not None
    numbers = delivery._writer._sequences
    numbers[route.topics.state, 1] = LAST - before
    for number in range(1, 5):
        await delivery.write(batch_of(number))
    assert numbers[route.topics.state, 1] == 16 - before - 1
    assert batches_in(await left_by(route)) == {1, 2, 3, 4}
