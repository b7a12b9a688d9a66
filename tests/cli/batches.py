"""Topics with orders in whole batches, machines that process them, and commands that look at what comes out."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.engine.status import PartitionState
from stream.kafka.topic_monitor import SourceTopic
from stream.kafka.topics import ensure_topics
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import environment_of
from tests.engine.rig import Rig

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MODEL = model_of([load("journey").lifecycle])
SIZE = 50
"""Interactions in a batch."""


def settings_in_batches(bootstrap: str, prefix: str) -> Settings:
    """Two partitions that belong to one test; all changes are published."""
    return Settings(
        bootstrap=bootstrap,
        topic_prefix=prefix,
        app=f"{prefix}app",
        partitions=2,
        lifecycles=("journey",),
        live_from=T - 1,
    )


def environment(settings: Settings) -> dict[str, str]:
    return {
        **environment_of(settings),
        "LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles),
        "LIFECYCLE_LIVE_FROM": str(settings.live_from),
    }


def machine(settings: Settings) -> Callable[[int, SourceTopic], PartitionMachine]:
    def make(partition: int, topic: SourceTopic) -> PartitionMachine:
        place = SourcePartition(settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(MODEL, settings, place)

    return make


def orders(numbers: Iterable[int]) -> list[Interaction]:
    return [Interaction(f"c{n}", None, f"order-{n}", "Order Completed", T + n, {}, {}) for n in numbers]


async def write_batches(
    settings: Settings, partition: int, *batches: Iterable[Interaction], codec: str | None = None
) -> None:
    """Each of them as one batch, one after another."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, compression_type=codec) as producer:
        for interactions in batches:
            batch = producer.create_batch()
            for each in interactions:
                fits = batch.append(timestamp=None, key=each.subject.encode(), value=encode_native(each))
                assert fits is not None
            await (await producer.send_batch(batch, settings.topics.interactions, partition=partition))


async def write_bad(settings: Settings, codec: str | None = None) -> None:
    """One interaction to partition 0 that is no JSON."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, compression_type=codec) as producer:
        await producer.send_and_wait(settings.topics.interactions, b"{" * 100, key=b"c0", partition=0)


async def three_batches(settings: Settings) -> None:
    """In each of two partitions, so that the second one of partition 0 can be damaged."""
    await ensure_topics(settings)
    for partition in range(2):
        start = partition * 1_000
        await write_batches(
            settings, partition, *(orders(range(at, at + SIZE)) for at in range(start, start + 3 * SIZE, SIZE))
        )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while not holds():
            await asyncio.sleep(0.02)


def states(rig: Rig) -> list[PartitionState]:
    return [each.state for each in rig.supervisor.status().partitions]


def positions(rig: Rig) -> list[int | None]:
    return [each.position for each in rig.supervisor.status().partitions]


async def call(run: Run, settings: Settings, *arguments: str, **given: str) -> tuple[int, str]:
    """A command's exit code, and what it said, in one line."""
    done = await asyncio.to_thread(run, *arguments, environment=environment(settings), stdin=given.get("stdin"))
    return done.returncode, " ".join((done.stdout + done.stderr).split())
