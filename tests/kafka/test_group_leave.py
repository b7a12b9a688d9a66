"""A member leaves its group also where aiokafka would not, or not before others have joined."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiokafka import AIOKafkaConsumer

from stream.engine.faust_app import EngineConsumer
from stream.kafka.group_leave import leave_now
from stream.kafka.partition_reader import let_stop
from stream.operations.workers_away import running_workers
from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    """Of a group that nobody has joined yet; its topic is there."""
    made = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, app=f"{topic_prefix}app")
    await create_topics(kafka.bootstrap, made.topics.interactions)
    return made


def member(settings: Settings) -> AIOKafkaConsumer:
    """Not started yet."""
    return AIOKafkaConsumer(
        settings.topics.interactions,
        bootstrap_servers=settings.bootstrap,
        group_id=settings.group,
        enable_auto_commit=False,
        session_timeout_ms=60_000,
        rebalance_timeout_ms=60_000,
        heartbeat_interval_ms=200,
    )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Ends what a test leaves."""
    async with AsyncExitStack() as stack:
        yield stack


async def joined(settings: Settings, count: int) -> None:
    """Return when the group has so many members."""
    async with asyncio.timeout(30):
        while len(await running_workers(settings)) != count:
            await asyncio.sleep(0.05)


async def test_a_member_leaves_whose_heartbeats_are_stopped_before_their_first_step(settings: Settings) -> None:
    """As it happens where a worker is asked to end at the moment at which it has joined."""
    consumer = member(settings)
    await consumer.start()
    await joined(settings, 1)
    coordinator = consumer._coordinator
    await coordinator._stop_heartbeat_task()
    coordinator._closing.set_result(None)
    await coordinator._coordination_task
    coordinator._closing = asyncio.get_running_loop().create_future()
    coordinator._start_heartbeat_task()
    await let_stop(consumer.stop(), consumer)
    assert await running_workers(settings) == []


async def test_a_member_leaves_a_rebalance_that_waits_for_somebody_else(
    settings: Settings, stack: AsyncExitStack
) -> None:
    """The group would wait for a minute, for one that does not join again."""
    consumer, slow, new = member(settings), member(settings), member(settings)
    for each in (consumer, slow, new):
        stack.push_async_callback(each.stop)
    await consumer.start()
    await slow.start()
    await joined(settings, 2)
    slow._coordinator.request_rejoin = lambda: None  # it hears of the rebalance, and stays away
    starting = asyncio.create_task(new.start())
    await joined(settings, 3)
    async with asyncio.timeout(30):
        while consumer._subscription.reassignment_in_progress is False:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(20):
        leaving = asyncio.create_task(leave_now(consumer))
        await let_stop(consumer.stop(), consumer)
        leaving.cancel()
    await joined(settings, 2)
    for each in (slow, new):
        leaving = asyncio.create_task(leave_now(each))
        await let_stop(each.stop(), each)
        leaving.cancel()
    await asyncio.wait([starting])


def test_a_rebalance_that_comes_while_a_worker_ends_closes_nothing() -> None:
    """Faust would close the consumer from another thread's event loop; then it is never taken out of the group."""
    consumer = object.__new__(EngineConsumer)  # what is closed would have to be there
    consumer.close()
