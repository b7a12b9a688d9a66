"""Transactions over a broker that ends, holds still, or wants its clients to sign in again: nothing twice or lost."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka.errors import KafkaError

from stream.engine.delivery import Route, Transactional
from stream.kafka.exactly_once import step
from tests.kit.exactly_once import REQUESTS, Strike, batch_of, batches_in, left_by, left_to_next_owner, new_route
from tests.kit.kafka import KafkaBroker
from tests.kit.secured import MECHANISM, SecuredKafka

pytestmark = pytest.mark.kafka

SESSION = 2.0
PASSWORD = "canary-of-a-session"  # noqa: S105 of a broker of this test


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    with KafkaBroker() as started:
        yield started


@pytest.fixture(scope="module")
def secured() -> Iterator[SecuredKafka]:
    """It lets a connection live for seconds after it signed in."""
    sessions = {f"listener.name.scram.{MECHANISM.lower()}.connections.max.reauth.ms": str(round(1_000 * SESSION))}
    with SecuredKafka({"owner": PASSWORD}, sessions | {"super.users": "User:ANONYMOUS;User:owner"}) as started:
        yield started


@asynccontextmanager
async def started(route: Route) -> AsyncIterator[Transactional]:
    """One that has written batch 7."""
    delivery = Transactional(route)
    try:
        await delivery.start()
        await delivery.write(batch_of(7))
        yield delivery
    finally:
        await delivery.discard()


async def test_a_broker_that_is_restarted_between_two_transactions_is_waited_for(
    broker: KafkaBroker, topic_prefix: str
) -> None:
    """By the same writer, which owns what it owned; the next one goes on from there."""
    route = await new_route(broker.bootstrap, topic_prefix)
    async with started(route) as delivery:
        await asyncio.to_thread(broker.restart)
        await delivery.write(batch_of(8))
        await delivery.write(batch_of(9))
    assert batches_in(await left_to_next_owner(route)) == {7, 8, 9}


@pytest.mark.parametrize("request_name", REQUESTS)
async def test_a_broker_that_is_killed_at_any_request_leaves_all_or_nothing(
    broker: KafkaBroker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, request_name: str
) -> None:
    """Before the answer is heard. It ends within seconds, and the next owner goes on."""
    route = await new_route(broker.bootstrap, topic_prefix)
    monkeypatch.setattr(step, "REQUEST_TIMEOUT", 1.0)

    async def kill(*_: object) -> None:
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(0.1)

    async with started(route) as delivery:
        strike = Strike(monkeypatch, REQUESTS[request_name], "before", kill)
        async with asyncio.timeout(10):
            with pytest.raises(KafkaError):
                await delivery.write(batch_of(8))
        assert strike.fell.is_set()
        assert delivery.is_visible == (request_name == "END")
    monkeypatch.undo()
    await asyncio.to_thread(broker.start)
    assert batches_in(await left_to_next_owner(route)) == {7}
    async with started(route) as owner:
        await owner.write(batch_of(9))


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "new"])
async def test_a_broker_that_holds_still_is_waited_for_so_long_and_no_longer(
    broker: KafkaBroker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, connected: bool
) -> None:
    """Whether it has our connections, or lets us make some and answers nothing; and so it is with letting go."""
    route = await new_route(broker.bootstrap, topic_prefix)
    async with started(route) as delivery:
        assert delivery._writer is not None
        monkeypatch.setattr(step, "REQUEST_TIMEOUT", 0.5)
        broker.freeze()
        try:
            async with asyncio.timeout(20):
                if not connected:
                    delivery._writer._connections.end()
                with pytest.raises(KafkaError, match=r"within 0\.5 s"):
                    await delivery.write(batch_of(8))
                assert not delivery.is_visible
                await delivery.discard()
        finally:
            broker.thaw()
    monkeypatch.undo()
    assert batches_in(await left_to_next_owner(route)) == {7}


async def test_over_tls_and_with_a_password_it_is_the_same_and_sessions_that_end_are_begun_anew(
    secured: SecuredKafka, topic_prefix: str
) -> None:
    """The broker ends a connection at its first request after that, be it in the midst of a transaction."""
    route = await new_route(secured.bootstrap, topic_prefix)
    settings = replace(  # whose mechanism is the default one
        route.settings,
        bootstrap=secured.scram,
        security_protocol="sasl_ssl",
        ssl_cafile=str(secured.authority.file),
        sasl_username="owner",
        sasl_password=PASSWORD,
    )
    numbers = [7]
    async with started(Route.of_worker(settings, 1)) as delivery:
        assert delivery._writer is not None
        connections = delivery._writer._connections
        before, ended = list(connections._open.values()), asyncio.get_running_loop().time() + 2.5 * SESSION
        while asyncio.get_running_loop().time() < ended:
            numbers.append(numbers[-1] + 1)
            await delivery.write(batch_of(numbers[-1]))
        assert not [each for each in before if each.is_open]
        assert [each.is_open for each in connections._open.values()] == [True]
    assert batches_in(await left_by(route)) == set(numbers)
