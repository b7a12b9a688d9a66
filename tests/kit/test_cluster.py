"""A node may be lost, and what was acknowledged is there."""

import asyncio

from aiokafka import AIOKafkaProducer

from tests.kit.cluster import KafkaCluster
from tests.kit.topics import create_topics, read_all


async def test_a_kafka_node_is_lost_and_comes_back_and_nothing_is_missing(
    kafka_cluster: KafkaCluster, topic_prefix: str
) -> None:
    """Written before, while it is away, and after."""
    cluster, topic = kafka_cluster, f"{topic_prefix}t"
    await create_topics(cluster.bootstrap, topic, partitions=3, replication=3)
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
        await write(producer, topic, "before")
        await cluster.until_whole()
        await asyncio.to_thread(cluster.nodes[1].kill)
        try:
            await write(producer, topic, "meanwhile")
        finally:
            await asyncio.to_thread(cluster.nodes[1].restart)
        await cluster.until_whole()
        await write(producer, topic, "after")
    records = await read_all(cluster.bootstrap, topic)
    for partition in records.values():
        assert [each.value for each in partition] == [b"before", b"meanwhile", b"after"]


async def write(producer: AIOKafkaProducer, topic: str, text: str) -> None:
    """Into each partition."""
    for partition in range(3):
        await producer.send_and_wait(topic, text.encode(), partition=partition)
