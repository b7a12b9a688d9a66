"""Subscribers that are killed, and that come and go, on real Kafka."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stream.settings import Settings
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.stage_changes import change, write
from tests.kit.topics import create_topics

SCRIPT = Path(__file__).with_name("subscriber.py")
CUSTOMERS, MOVES = 12, 40


def expected() -> set[str]:
    return {f"shop:customer:c{who}:0-{who}:{number}" for who in range(CUSTOMERS) for number in range(1, MOVES + 1)}


async def write_moves(settings: Settings) -> None:
    await write(
        settings,
        [change(f"c{who}", born=f"0-{who}", sequence=each) for each in range(1, MOVES + 1) for who in range(CUSTOMERS)],
    )


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.stage_changes)
    return settings


class Subscriber:
    """A process, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[tuple[str, str]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            what, _, which = line.decode().strip().partition(" ")
            self.said.append((what, which))

    async def until(self, changes: int) -> None:
        """It ended as many."""
        async with asyncio.timeout(120):
            while len(self.heard("end")) < changes:
                assert self.process.returncode is None
                await asyncio.sleep(0.01)

    def heard(self, what: str) -> list[str]:
        return [which for each, which in self.said if each == what]

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading


@asynccontextmanager
async def subscriber(settings: Settings, seconds: float) -> AsyncIterator[Subscriber]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SCRIPT), settings.bootstrap, settings.topic_prefix, "crm", str(seconds)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    running = Subscriber(process)
    try:
        yield running
    finally:
        await running.kill()


async def test_killed_at_any_moment_nothing_is_lost_and_only_what_was_in_the_works_comes_again(
    settings: Settings,
) -> None:
    await write_moves(settings)
    chance = random.Random(7)
    lives: list[list[tuple[str, str]]] = []
    done: set[str] = set()
    while done != expected():
        async with subscriber(settings, 0.002) as running:
            left = len(expected() - done)
            await running.until(min(chance.randrange(1, 120), left))
            await asyncio.sleep(chance.random() / 100)
        lives.append(running.said)
        done.update(running.heard("end"))
    begun = [[which for what, which in life if what == "begin"] for life in lives]
    assert len(lives) > 3
    assert [what for life in lives for what, _ in life if what == "gap"] == []
    seen: set[str] = set()
    in_the_works: set[str] = set()
    for now in begun:
        again = seen.intersection(now)
        assert again <= in_the_works
        assert len(set(now)) == len(now)
        in_the_works -= again  # of which one may come later: partitions have no order among each other
        in_the_works.update(now[-1:])
        seen.update(now)
    for who in range(CUSTOMERS):
        of_one = [which for life in begun for which in life if f":c{who}:" in which]
        assert list(dict.fromkeys(of_one)) == [f"shop:customer:c{who}:0-{who}:{each}" for each in range(1, MOVES + 1)]


async def test_a_broker_that_dies_and_comes_back_takes_nothing_with_it(topic_prefix: str) -> None:
    """What waits to be committed meanwhile is, and nothing comes twice."""
    broker = KafkaBroker()
    try:
        await asyncio.to_thread(broker.start)
        settings = Settings(bootstrap=broker.bootstrap, topic_prefix=topic_prefix)
        await create_topics(settings.bootstrap, settings.topics.stage_changes)
        await write_moves(settings)
        async with subscriber(settings, 0.005) as running:
            for _ in range(2):
                await running.until(len(running.heard("end")) + 50)
                await asyncio.to_thread(broker.kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(broker.start)
            await running.until(CUSTOMERS * MOVES)
            begun = running.heard("begin")
    finally:
        await asyncio.to_thread(broker.__exit__)
    assert sorted(begun) == sorted(expected())


async def test_two_share_the_partitions_and_a_rebalance_repeats_nothing(settings: Settings) -> None:
    """A second one comes while the first works, and the first goes in order: both wait for the loop's body."""
    await write_moves(settings)
    async with subscriber(settings, 0.01) as first:
        await first.until(20)
        async with subscriber(settings, 0.01) as second:
            await second.until(20)
            first.process.send_signal(signal.SIGINT)
            await first.process.wait()
            async with asyncio.timeout(120):
                while {*first.heard("end"), *second.heard("end")} != expected():
                    await asyncio.sleep(0.05)
    begun = [*first.heard("begin"), *second.heard("begin")]
    last = first.heard("begin")[-1]  # interrupted in the middle of it
    assert sorted(each for each in begun if each != last) == sorted(expected() - {last})
    assert begun.count(last) <= 2
