"""What Kafka says of the group, where it says of the topics that all is well."""

import asyncio
from collections.abc import Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from stream.kafka import topic_monitor
from stream.kafka.topic_monitor import TopicMonitor
from stream.settings import Settings
from tests.kit.cluster import KafkaCluster
from tests.kit.kafka import KafkaBroker
from tests.kit.topics import create_topics

SETTINGS = {"offsets.topic.replication.factor": "1", "offsets.topic.num.partitions": "1"}


@pytest.mark.kafka
async def test_a_group_whose_coordinator_is_away_is_seen_though_every_topic_can_be_written_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As for a worker that may not see `__consumer_offsets`, which the least rights do not show it."""
    monkeypatch.setattr(topic_monitor, "_INTERNAL", ())
    cluster = KafkaCluster(settings=SETTINGS)
    with cluster:
        settings = Settings(bootstrap=cluster.bootstrap)
        names = settings.topics
        await create_topics(
            cluster.bootstrap, names.interactions, names.customers, names.stage_changes, partitions=2, replication=3
        )
        monitor = TopicMonitor(settings)
        looking = asyncio.create_task(monitor.run())
        try:
            await until(lambda: monitor.serves)
            alone = await coordinator(cluster, settings.group)
            await asyncio.to_thread(alone.kill)
            await until(lambda: not monitor.serves, for_seconds=15.0)
            await asyncio.to_thread(alone.start)
            await until(lambda: monitor.serves)
        finally:
            looking.cancel()
            await asyncio.wait([looking])


async def until(holds: Callable[[], bool], for_seconds: float = 0.0) -> None:
    """Wait until it holds, and has held so long; topics without their leader get another one sooner."""
    steps = round(for_seconds / 0.05)
    async with asyncio.timeout(180):
        held = 0
        while held <= steps:
            held = held + 1 if holds() else 0
            await asyncio.sleep(0.05)


async def coordinator(cluster: KafkaCluster, group: str) -> KafkaBroker:
    """The node that answers for the group, once there is one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    await admin.start()
    number = None
    try:
        async with asyncio.timeout(180):
            while number is None:
                try:
                    number = await admin.find_coordinator(group)
                except GroupCoordinatorNotAvailableError:
                    await asyncio.sleep(0.1)
    finally:
        await admin.close()
    return next(node for node in cluster.nodes if node.settings["node.id"] == str(number))
