"""Topics on which a real machine worked, for tests of `lifecycle reset`, and what the command leaves of them."""

import asyncio
import subprocess
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import RecordMetadata

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.topic_monitor import SourceTopic
from stream.kafka.topics import ensure_topics
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of
from tests.engine.rig import Rig
from tests.kit.topics import produce, read_all

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LIVE_FROM = T - 1
MODEL = model_of([load("journey").lifecycle], forget_after=None)
FIELDS = ("bootstrap", "topic_prefix", "app", "partitions")


async def order(settings: Settings, numbers: Iterable[int]) -> list[RecordMetadata]:
    """Orders of 20 customers and of 20 subjects without a customer id."""
    interactions = [
        Interaction(f"c{n}" if n % 2 else None, f"a{n}", f"order-{n}", "Order Completed", T + n, {}, {})
        for n in (number % 40 for number in numbers)
    ]
    return await produce(
        settings.bootstrap,
        settings.topics.interactions,
        (Outgoing(each.subject.encode(), encode_native(each)) for each in interactions),
    )


async def work(settings: Settings, records: int, *, customers: int = 0, figures: bool = False) -> None:
    """Let machines process that many records, until so many customers have a current stage, and stop.

    Without transactions a record may be handed over again after a rebalance, and then counts twice here.
    """

    def machine(partition: int, topic: SourceTopic) -> PartitionMachine:
        place = SourcePartition(settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(MODEL, settings, place)

    async with Rig(settings, machine, figures=figures) as rig:
        # Each partition's first batch counts one more input than records.
        await rig.recorder.until(lambda: rig.recorder.inputs >= records)
        async with asyncio.timeout(180):
            while len(await current_stages(settings)) < customers:
                await asyncio.sleep(0.1)


async def changelogs(settings: Settings) -> list[dict[bytes, bytes]]:
    topic = settings.topics.customers
    return [
        await read_changelog(settings, TopicPartition(topic, number), ChangelogProgress())
        for number in range(PARTITIONS)
    ]


async def current_stages(settings: Settings) -> dict[bytes, bytes]:
    """What is left of the topic when it is compacted."""
    records = await read_all(settings.bootstrap, settings.topics.current_stages)
    latest = {record.key: record.value for partition in records.values() for record in partition}
    return {key: value for key, value in latest.items() if key is not None and value is not None}


async def figures(settings: Settings) -> dict[bytes, bytes]:
    """Rows of figures, as they are left when their topic is compacted."""
    records = await read_all(settings.bootstrap, settings.topics.figures)
    latest = {record.key: record.value for partition in records.values() for record in partition}
    return {key: value for key, value in latest.items() if key is not None and value is not None}


async def changes_end(settings: Settings) -> list[int]:
    """Where each partition of stage changes ends, transaction markers included."""
    tps = [TopicPartition(settings.topics.stage_changes, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as consumer:
        ends = await consumer.end_offsets(tps)
    return [ends[tp] for tp in tps]


async def changes(settings: Settings) -> list[list[bytes]]:
    records = await read_all(settings.bootstrap, settings.topics.stage_changes)
    return [[record.value or b"" for record in partition] for partition in records.values()]


async def reset(
    run: Run, settings: Settings, to: str, *arguments: str, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        run, "reset", "--to", to, *arguments, environment=environment_of(settings), stdin=stdin
    )


async def worked_on(settings: Settings) -> Settings:
    await ensure_topics(settings)
    await order(settings, range(40))
    live = Settings(**{name: getattr(settings, name) for name in FIELDS}, live_from=LIVE_FROM)
    await work(live, 40 + PARTITIONS, customers=40)
    assert len(await current_stages(settings)) == 40
    assert all(len(each) > 2 for each in await changelogs(settings))
    return settings
