"""Topics of a running broker, as a test needs them: create, write, read to the end."""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import for_code
from aiokafka.structs import RecordMetadata

from stream.codec.records import Outgoing

Records = dict[int, list[ConsumerRecord[bytes | None, bytes | None]]]
"""The records of a topic by partition, each in offset order; a partition without any has an empty list."""


async def create_topics(
    bootstrap: str,
    *names: str,
    partitions: int = 4,
    replication: int = 1,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Create topics and wait until the broker serves them.

    Raises aiokafka's error for the first one that cannot be created, one that exists among them.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        created = await admin.create_topics(
            [NewTopic(name, partitions, replication, topic_configs=dict(settings or {})) for name in names]
        )
        for outcome in created.to_object()["topic_errors"]:
            if code := outcome["error_code"]:
                raise for_code(code)(outcome["topic"], outcome["error_message"])
        while any(topic["error_code"] for topic in await admin.describe_topics(list(names))):
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def add_partitions(bootstrap: str, topic: str, count: int) -> None:
    """Let a topic have `count` partitions; returns once the brokers tell so, which is later than they agree to it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(count)})
    finally:
        await admin.close()
    async with asyncio.timeout(60):
        while await partition_count(bootstrap, topic) != count:
            await asyncio.sleep(0.05)


async def partition_count(bootstrap: str, topic: str) -> int:
    """How many partitions a topic has. Raises LookupError where there is no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        # Before it is described: the embedded broker creates what it is asked to describe.
        if topic not in await admin.list_topics():
            raise LookupError(f"no topic {topic} on {bootstrap}")
        [description] = await admin.describe_topics([topic])
        return len(description["partitions"])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, records: Iterable[Outgoing]) -> list[RecordMetadata]:
    """Write records, in order per key; a key's partition is murmur2's, as the Java client does it.

    Returns where each landed, in the order given, once all are acknowledged.
    """
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, max_request_size=1 << 24) as producer:
        sent = [
            await producer.send(topic, record.value, key=record.key, headers=list(record.headers)) for record in records
        ]
        return list(await asyncio.gather(*sent))


async def read_all(bootstrap: str, topic: str, *, isolation: str = "read_committed", seconds: float = 30.0) -> Records:
    """Read a topic from its first record to its end, after waiting for transactions that are still open.

    Raises TimeoutError where the end is not reached within `seconds`: a transaction was never ended, or
    records keep coming; LookupError where there is no such topic.
    """
    async with (
        asyncio.timeout(seconds),
        AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level=isolation,
            enable_auto_commit=False,
            fetch_max_wait_ms=100,
        ) as consumer,
    ):
        records: Records = {number: [] for number in range(await partition_count(bootstrap, topic))}
        unread = {TopicPartition(topic, number) for number in records}
        consumer.assign(unread)
        await consumer.seek_to_beginning()
        while unread:
            for partition, fetched in (await consumer.getmany(*unread, timeout_ms=100)).items():
                records[partition.partition].extend(fetched)
            unread = {partition for partition in unread if not await _at_end(consumer, partition)}
        return records


async def _at_end(consumer: AIOKafkaConsumer, partition: TopicPartition) -> bool:
    # As the last fetch gave it. `end_offsets` will not do: it stops short of an open transaction that is
    # being committed at this moment, and the embedded broker's answer is wrong.
    end = consumer.highwater(partition)
    return end is not None and await consumer.position(partition) >= end
