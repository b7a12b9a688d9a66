"""What the embedded broker's docstring claims; where one of these fails, the broker was mended or broken."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, UnknownError

from stream.codec.records import Outgoing
from stream.kafka.embedded.broker import EmbeddedBroker
from tests.kit.topics import create_topics, partition_count, produce, read_all

pytestmark = pytest.mark.slow

LONG_AGO = 1_234_567_890_123


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as running:
        yield running


@pytest.fixture
async def admin(broker: EmbeddedBroker) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def producer(broker: EmbeddedBroker) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as client:
        yield client


def reader(broker: EmbeddedBroker, *topics: str, **options: object) -> AIOKafkaConsumer:
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **options}
    return AIOKafkaConsumer(*topics, bootstrap_servers=broker.bootstrap, **options)


async def write_batch(producer: AIOKafkaProducer, topic: str, count: int) -> None:
    batch = producer.create_batch()
    for number in range(count):
        batch.append(key=b"k%d" % number, value=b"v", timestamp=LONG_AGO + number, headers=[("n", b"%d" % number)])
    await (await producer.send_batch(batch, topic, partition=0))


async def test_topics_have_the_partitions_asked_for_and_can_be_deleted(
    broker: EmbeddedBroker, admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    three, one = f"{topic_prefix}three", f"{topic_prefix}one"
    await create_topics(broker.bootstrap, three, partitions=3)
    await create_topics(broker.bootstrap, one, partitions=1)

    assert await partition_count(broker.bootstrap, three) == 3
    assert await partition_count(broker.bootstrap, one) == 1

    await admin.delete_topics([three])
    assert three not in await admin.list_topics()


async def test_records_keep_key_value_headers_and_timestamp(
    broker: EmbeddedBroker, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=2)

    await producer.send_and_wait(
        topic_prefix,
        b"v",
        key=b"k",
        partition=1,
        timestamp_ms=LONG_AGO,
        headers=[("ce_id", b"1"), ("empty", b"")],
    )
    await producer.send_and_wait(topic_prefix, None, key=b"k", partition=1, timestamp_ms=LONG_AGO)

    records = await read_all(broker.bootstrap, topic_prefix)
    assert records[0] == []
    assert [(r.key, r.value, r.headers, r.timestamp, r.timestamp_type) for r in records[1]] == [
        (b"k", b"v", (("ce_id", b"1"), ("empty", b"")), LONG_AGO, 0),
        (b"k", None, (), LONG_AGO, 0),
    ]


@pytest.mark.parametrize("isolation", ["read_committed", "read_uncommitted"])
async def test_a_prepared_batch_is_read_whole_and_in_order_at_either_isolation_level(
    broker: EmbeddedBroker, producer: AIOKafkaProducer, topic_prefix: str, isolation: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=1)

    await write_batch(producer, topic_prefix, 500)

    records = (await read_all(broker.bootstrap, topic_prefix, isolation=isolation))[0]
    assert [record.offset for record in records] == list(range(500))
    assert [record.timestamp for record in records] == [LONG_AGO + number for number in range(500)]
    assert [record.headers for record in records] == [(("n", b"%d" % number),) for number in range(500)]


async def test_compressed_and_large_records_pass(broker: EmbeddedBroker, topic_prefix: str) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=1)

    async with AIOKafkaProducer(
        bootstrap_servers=broker.bootstrap, compression_type="gzip", max_request_size=8 << 20
    ) as producer:
        await producer.send_and_wait(topic_prefix, b"v" * 3_000_000, partition=0)

    records = (await read_all(broker.bootstrap, topic_prefix))[0]
    assert [len(record.value or b"") for record in records] == [3_000_000]


async def test_the_high_watermark_is_the_end_and_end_offsets_is_not(
    broker: EmbeddedBroker, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=2)
    full, empty = TopicPartition(topic_prefix, 0), TopicPartition(topic_prefix, 1)
    await write_batch(producer, topic_prefix, 10)
    await write_batch(producer, topic_prefix, 20)

    async with reader(broker) as consumer:
        consumer.assign([full, empty])
        assert await consumer.beginning_offsets([full, empty]) == {full: 0, empty: 0}
        assert await consumer.end_offsets([full, empty]) == {full: 11, empty: 0}

        while await consumer.position(full) < 30 or consumer.highwater(empty) is None:
            await consumer.getmany(timeout_ms=100)
        assert consumer.highwater(full) == 30
        assert consumer.last_stable_offset(full) == 30
        assert consumer.highwater(empty) == 0


async def test_reading_starts_at_any_offset_and_beyond_the_end_finds_nothing(
    broker: EmbeddedBroker, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=1)
    partition = TopicPartition(topic_prefix, 0)
    await write_batch(producer, topic_prefix, 10)

    async with reader(broker, auto_offset_reset="none") as consumer:
        consumer.assign([partition])
        consumer.seek(partition, 7)
        assert (await consumer.getone(partition)).offset == 7
        consumer.seek(partition, 1_000)
        assert await consumer.getmany(timeout_ms=300) == {}


async def test_a_search_by_time_always_answers_the_first_offset(
    broker: EmbeddedBroker, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=1)
    partition = TopicPartition(topic_prefix, 0)
    for _ in range(2):
        await write_batch(producer, topic_prefix, 10)

    async with reader(broker) as consumer:
        consumer.assign([partition])
        found = await consumer.offsets_for_times({partition: LONG_AGO + 5})
        assert found[partition].offset == 0


async def test_settings_of_a_topic_are_given_back_and_have_no_effect(
    broker: EmbeddedBroker, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    await create_topics(
        broker.bootstrap, topic_prefix, partitions=1, settings={"message.timestamp.type": "LogAppendTime"}
    )
    await producer.send_and_wait(topic_prefix, b"v", timestamp_ms=LONG_AGO)

    [described] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic_prefix)])
    [resource] = described.to_object()["resources"]
    [setting] = resource["config_entries"]
    assert (setting["config_names"], setting["config_value"]) == ("message.timestamp.type", "LogAppendTime")
    [record] = (await read_all(broker.bootstrap, topic_prefix))[0]
    assert (record.timestamp, record.timestamp_type) == (LONG_AGO, 0)


async def test_a_topic_that_is_asked_about_comes_into_being_with_four_partitions(
    broker: EmbeddedBroker, admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    await admin.describe_topics([topic_prefix])

    assert await partition_count(broker.bootstrap, topic_prefix) == 4


async def test_a_group_shares_the_partitions_and_goes_on_from_what_it_committed(
    broker: EmbeddedBroker, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=2)
    await produce(broker.bootstrap, topic_prefix, [Outgoing(b"%d" % number, b"v") for number in range(100)])
    member = {"group_id": f"{topic_prefix}group", "session_timeout_ms": 1_000, "heartbeat_interval_ms": 300}
    read = 0

    async with reader(broker, topic_prefix, **member) as first:
        while read < 100:
            read += sum(map(len, (await first.getmany(timeout_ms=1_000)).values()))
        await first.commit()
        async with asyncio.timeout(30), reader(broker, topic_prefix, **member) as second:
            while not (len(first.assignment()) == len(second.assignment()) == 1):
                await asyncio.sleep(0.05)
            assert first.assignment() | second.assignment() == {TopicPartition(topic_prefix, n) for n in range(2)}
            assert await second.getmany(timeout_ms=500) == {}


async def test_what_exists_cannot_be_changed(
    broker: EmbeddedBroker, admin: AIOKafkaAdminClient, topic_prefix: str
) -> None:
    await create_topics(broker.bootstrap, topic_prefix, partitions=1)

    with pytest.raises(IncompatibleBrokerVersion):
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic_prefix, configs={"retention.ms": "1000"})]
        )
    with pytest.raises(IncompatibleBrokerVersion):
        await admin.create_partitions({topic_prefix: NewPartitions(2)})
    with pytest.raises(KafkaConnectionError):
        await admin.delete_records({TopicPartition(topic_prefix, 0): RecordsToDelete(before_offset=1)})


async def test_the_offsets_of_a_group_cannot_be_listed(admin: AIOKafkaAdminClient, topic_prefix: str) -> None:
    with pytest.raises(KafkaConnectionError):
        await admin.list_consumer_group_offsets(f"{topic_prefix}group")


@pytest.mark.parametrize("kind", [{"enable_idempotence": True}, {"transactional_id": "worker"}])
async def test_idempotent_and_transactional_producers_are_refused(
    broker: EmbeddedBroker, kind: dict[str, object]
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, **kind)
    try:
        with pytest.raises(UnknownError):
            await producer.start()
    finally:
        await producer.stop()
