"""Transactions on a real Kafka: held against aiokafka's, and cut off at every request, they are there wholly or not."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, ProducerFenced, RequestTimedOutError

from stream.codec.records import Outgoing
from stream.engine.delivery import Route, Transactional
from stream.kafka.exactly_once import step
from stream.machine.batch import Batch
from tests.kit.exactly_once import (
    REQUESTS,
    Strike,
    When,
    batch_of,
    batches_in,
    group_offset_becomes,
    left_by,
    left_to_next_owner,
    lose,
    never,
    new_route,
)
from tests.kit.kafka import SharedKafka
from tests.kit.reference_delivery import TransactionalByAiokafka

EVERYWHERE = [(request, when) for request in REQUESTS for when in ("before", "after")]

ASKS_TO_COMMIT = [("PRODUCE", "after"), ("COMMIT_OFFSET", "after"), ("END", "before")]


@pytest.fixture
async def route(kafka: SharedKafka, topic_prefix: str) -> Route:
    return await new_route(kafka.bootstrap, topic_prefix)


@pytest.fixture
async def delivery(route: Route) -> AsyncIterator[Transactional]:
    """One that has written batch 7."""
    writer = Transactional(route)
    await writer.start()
    await writer.write(batch_of(7))
    yield writer
    await writer.discard()


@pytest.fixture
async def rival(route: Route) -> AsyncIterator[Transactional]:
    """Another one of the same partition, which has not begun."""
    writer = Transactional(route)
    yield writer
    await writer.discard()


def drawn(seed: int) -> Iterator[Batch]:
    """Batches with much, little or nothing for each topic; some do not move the position."""
    draw, offset = random.Random(seed), 0

    def records(most: int) -> list[Outgoing]:
        return [
            Outgoing(
                draw.choice([None, b"", b"k%d" % draw.randrange(9)]) if most < 5 else b"k%d" % draw.randrange(9),
                draw.choice([None, b"", draw.randbytes(draw.randrange(300))]),
                [(f"h{each}", draw.randbytes(3)) for each in range(draw.randrange(3))],
            )
            for _ in range(draw.choice([0, 1, draw.randrange(1, 40)]))
        ]

    for _ in range(12):
        offset += draw.choice([0, 1, 50])
        yield Batch(offset, events=records(9), latest=records(9), state=records(9), dead_letters=records(3), inputs=1)


async def test_what_is_written_is_what_aiokafka_writes(kafka: SharedKafka, topic_prefix: str) -> None:
    """At the same offsets, markers between them, and so is the group's; whatever the batches are."""
    found = []
    for kind in (TransactionalByAiokafka, Transactional):
        route = await new_route(kafka.bootstrap, f"{topic_prefix}{kind.__name__}-")
        writer = kind(route)
        await writer.start()
        for number, batch in enumerate(drawn(3)):
            await writer.write(batch)
            if number % 4 == 3:
                assert await group_offset_becomes(route, batch.next_offset)
        await writer.discard()
        found.append(await left_to_next_owner(route))
    theirs, ours = found
    assert ours == theirs
    assert sum(len(records) for records in ours.state.values()) > 50


async def test_workers_that_write_by_aiokafka_and_ours_take_over_from_each_other(route: Route) -> None:
    """As in an upgrade, and back: whoever came before is fenced, and what it still wants to write nobody reads."""
    before: Transactional | None = None
    for number, kind in enumerate([TransactionalByAiokafka, Transactional] * 2, 7):
        owner = kind(route)
        await owner.start()
        if before is not None:
            with pytest.raises(ProducerFenced):
                await before.write(batch_of(99))
            await before.discard()
        await owner.write(batch_of(number))
        before = owner
    assert before is not None
    await before.discard()
    assert batches_in(await left_to_next_owner(route)) == {7, 8, 9, 10}


@pytest.mark.parametrize(("request_name", "when"), EVERYWHERE)
async def test_a_rival_that_takes_over_finds_all_of_a_transaction_or_nothing(
    route: Route,
    delivery: Transactional,
    rival: Transactional,
    monkeypatch: pytest.MonkeyPatch,
    request_name: str,
    when: When,
) -> None:
    """And whoever it took over from hears of it, but where all was done already."""
    strike = Strike(monkeypatch, REQUESTS[request_name], when, lambda *_: rival.start())
    done = (request_name, when) == ("END", "after")
    if done:
        await delivery.write(batch_of(8))
    else:
        with pytest.raises(ProducerFenced):
            await delivery.write(batch_of(8))
    assert strike.fell.is_set()
    # Where nothing but the commit is left, it is only then that it hears of the other.
    assert delivery.is_visible == ((request_name, when) in ASKS_TO_COMMIT)
    assert batches_in(await left_by(route)) == ({7, 8} if done else {7})
    await rival.write(batch_of(9))
    assert batches_in(await left_by(route)) == ({7, 8, 9} if done else {7, 9})
    with pytest.raises(KafkaError):
        await delivery.write(batch_of(10))
    assert batches_in(await left_by(route)) == ({7, 8, 9} if done else {7, 9})


@pytest.mark.parametrize(("request_name", "when"), EVERYWHERE)
async def test_where_a_connection_is_lost_a_transaction_is_there_wholly_or_not_at_all(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str, when: When
) -> None:
    """In its first step it goes on by another; later it may be there although the write failed, as was said before."""
    strike = Strike(monkeypatch, REQUESTS[request_name], when, lose)
    if request_name.startswith("ADD_"):
        await delivery.write(batch_of(8))
        assert not delivery.is_visible
    else:
        with pytest.raises(KafkaConnectionError):
            await delivery.write(batch_of(8))
        assert delivery.is_visible == (request_name == "END")
        with pytest.raises(KafkaError, match="failed before"):
            await delivery.write(batch_of(8))
    assert strike.fell.is_set()
    done = request_name.startswith("ADD_") or (request_name, when) == ("END", "after")
    assert batches_in(await left_to_next_owner(route)) == ({7, 8} if done else {7})


async def test_a_connection_that_is_lost_again_and_again_is_an_error(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a broker ends each at its first request: it is not asked for ever."""
    Strike(monkeypatch, REQUESTS["ADD_OFFSETS"], "before", lose)
    Strike(monkeypatch, REQUESTS["ADD_OFFSETS"], "before", lose)
    with pytest.raises(KafkaConnectionError):
        await delivery.write(batch_of(8))
    assert batches_in(await left_to_next_owner(route)) == {7}


@pytest.mark.parametrize(("request_name", "when"), EVERYWHERE)
async def test_a_write_that_is_cancelled_leaves_all_or_nothing_and_no_task(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str, when: When
) -> None:
    strike = Strike(monkeypatch, REQUESTS[request_name], when, never)
    before = asyncio.all_tasks()
    writing = asyncio.create_task(asyncio.wait_for(delivery.write(batch_of(8)), 30))
    await strike.fell.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await strike.end()
    assert asyncio.all_tasks() == before
    assert delivery.is_visible == (request_name == "END")
    with pytest.raises(KafkaError, match="failed before"):
        await delivery.write(batch_of(8))
    done = (request_name, when) == ("END", "after")
    assert batches_in(await left_to_next_owner(route)) == ({7, 8} if done else {7})


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_an_answer_that_never_comes_is_waited_for_so_long_and_no_longer(
    route: Route, delivery: Transactional, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    monkeypatch.setattr(step, "REQUEST_TIMEOUT", 0.3)
    strike = Strike(monkeypatch, REQUESTS[request_name], "after", never)
    async with asyncio.timeout(5):
        with pytest.raises(RequestTimedOutError, match=r"did not answer within 0\.3 s"):
            await delivery.write(batch_of(8))
    await strike.end()
    assert batches_in(await left_to_next_owner(route)) == ({7, 8} if request_name == "END" else {7})
