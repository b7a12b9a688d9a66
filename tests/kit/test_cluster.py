"""A node may be lost, and what was acknowledged is there."""

import asyncio

from aiokafka import AIOKafkaProducer

from tests.kit.cluster import KafkaCluster
from tests.kit.topics import create_topics, read_all


async def test_a_kafka_node_is_lost_and_comes_back_and_nothing_is_missing() -> None:
    """Written before, while it is away, and after."""
    cluster = KafkaCluster()
    try:
        await asyncio.to_thread(cluster.start)
        await create_topics(cluster.bootstrap, "t", partitions=3, replication=3)
        async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
            await write(producer, "before")
            await cluster.until_whole()
            await asyncio.to_thread(cluster.nodes[1].kill)
            await write(producer, "meanwhile")
            await asyncio.to_thread(cluster.nodes[1].restart)
            await cluster.until_whole()
            await write(producer, "after")
        records = await read_all(cluster.bootstrap, "t")
        for partition in records.values():
            assert [each.value for each in partition] == [b"before", b"meanwhile", b"after"]
    finally:
        await asyncio.to_thread(cluster.__exit__)


async def write(producer: AIOKafkaProducer, text: str) -> None:
    """Into each partition."""
    for partition in range(3):
        await producer.send_and_wait("t", text.encode(), partition=partition)
