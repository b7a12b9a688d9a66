"""A worker that is asked to end does so in order and in time, whatever it is doing."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.settings import Settings
from tests.faults.shutdown import PARTITIONS, REBALANCING, SITUATIONS, Place, backlog, mute_worker, ready
from tests.faults.stints import Versions
from tests.faults.verdict import judge
from tests.kit.kafka import KafkaBroker
from tests.kit.times import DAY

IN_TIME, IN_TIME_REBALANCING = 7.5, 14.0
"""Seconds, less than what a worker ends after that hangs. The promise is 3, and 10 in a rebalance, which `python -m
tests.faults.shutdown` measures; a machine that runs other things too may stop anything for some seconds."""
COUNT = 60_000


@pytest.fixture(scope="module")
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker that goes away in some situations."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture
def place(own_kafka: KafkaBroker, topic_prefix: str, tmp_path: Path) -> Place:
    """Topics and a group of this test's own."""
    settings = Settings(
        bootstrap=own_kafka.bootstrap,
        app=f"{topic_prefix}app",
        topic_prefix=topic_prefix,
        partitions=PARTITIONS,
        lifecycles=("metrics",),
        clock="stream",
    )
    return Place(settings, tmp_path, own_kafka, COUNT)


@pytest.mark.parametrize("name", SITUATIONS)
async def test_sigterm_ends_a_worker_with_0_and_takes_it_out_of_the_group(name: str, place: Place) -> None:
    """At once: its partitions need not wait for a session to run out."""
    ended = await SITUATIONS[name](place)
    assert ended.code == 0
    assert ended.seconds < (IN_TIME_REBALANCING if name in REBALANCING else IN_TIME)
    assert not ended.members


async def test_what_a_worker_left_in_the_middle_of_a_backlog_is_done_once(place: Place) -> None:
    """A successor with a session of a minute gets all partitions at once, and nothing is lost or there twice."""
    ended = await backlog(place)
    assert (ended.code, ended.members) == (0, 0)
    async with place.worker(session="60s") as successor:
        await ready(successor, PARTITIONS)
        await successor.until_taken(COUNT, seconds=120)
        assert (await place.end(successor)).code == 0
    known = Versions([each.lifecycle for each in load_all(place.settings.lifecycles)], 90 * DAY)
    verdict = await judge(known, place.settings, rows={})
    assert verdict.differences == []
    assert verdict.interactions == COUNT
    assert verdict.repeated == 0


async def test_a_second_signal_later_ends_a_worker_at_once(place: Place) -> None:
    """Where ending takes long, because the broker does not answer, and whoever asked will not wait.

    Asked again and again: a process that is slow to be told at all takes those of its first second as one.
    """
    async with mute_worker(place) as worker:
        async with asyncio.timeout(IN_TIME_REBALANCING):
            while worker.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    # Not by its own method, which first looks whether it ended: then asyncio cannot know with what.
                    os.kill(worker.process.pid, signal.SIGTERM)
                await asyncio.sleep(0.1)
        assert worker.process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_at_once_is_the_same_request(place: Place, number: signal.Signals) -> None:
    """A terminal sends Ctrl-C to a wrapper too, which may hand it on."""
    async with place.worker() as worker:
        await ready(worker)
        worker.process.send_signal(number)
        ended = await place.end(worker)
    assert (ended.code, ended.members) == (0, 0)
