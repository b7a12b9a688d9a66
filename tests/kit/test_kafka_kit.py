import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAlreadyExistsError

from stream.codec.records import Outgoing
from stream.errors import BrokerError
from tests.kit import kafka as kit
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.topics import Records, create_topics, produce, read_all


def values(records: Records) -> list[bytes | None]:
    return [record.value for partition in records.values() for record in partition]


async def test_a_keyed_record_lands_where_the_java_client_puts_it_and_is_read_back_whole(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}keyed"
    await create_topics(kafka.bootstrap, topic, partitions=4)

    await produce(
        kafka.bootstrap,
        topic,
        [Outgoing(b"21", b"a", (("h", b"x"),)), Outgoing(b"foobar", b"b"), Outgoing(b"21", None)],
    )

    # murmur2 of "21" and "foobar" as Kafka's own UtilsTest has them, the sign bit dropped.
    first, second = (-973932308 & 0x7FFFFFFF) % 4, (-790332482 & 0x7FFFFFFF) % 4
    records = await read_all(kafka.bootstrap, topic)
    assert [(r.key, r.value, r.headers) for r in records[first]] == [
        (b"21", b"a", (("h", b"x"),)),
        (b"21", None, ()),
    ]
    assert [r.value for r in records[second]] == [b"b"]
    assert sorted(records) == [0, 1, 2, 3]


async def test_a_committed_transaction_is_read_and_an_aborted_one_is_not(kafka: SharedKafka, topic_prefix: str) -> None:
    topic = f"{topic_prefix}transactions"
    await create_topics(kafka.bootstrap, topic, partitions=2)

    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=f"{topic_prefix}writer"
    ) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"committed", partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"aborted", partition=0)
        await producer.abort_transaction()

    assert values(await read_all(kafka.bootstrap, topic)) == [b"committed"]
    assert values(await read_all(kafka.bootstrap, topic, isolation="read_uncommitted")) == [
        b"committed",
        b"aborted",
    ]


async def test_reading_waits_for_an_open_transaction_and_gives_up_on_one_that_never_ends(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}open"
    await create_topics(kafka.bootstrap, topic, partitions=1)

    async with AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap, transactional_id=f"{topic_prefix}writer"
    ) as producer:
        async with producer.transaction():
            await producer.send_and_wait(topic, b"in time", partition=0)
            with pytest.raises(TimeoutError):
                await read_all(kafka.bootstrap, topic, seconds=1)
            reading = asyncio.create_task(read_all(kafka.bootstrap, topic))
        assert values(await reading) == [b"in time"]


async def test_a_topic_that_exists_cannot_be_created_again(kafka: SharedKafka, topic_prefix: str) -> None:
    await create_topics(kafka.bootstrap, f"{topic_prefix}once")

    with pytest.raises(TopicAlreadyExistsError):
        await create_topics(kafka.bootstrap, f"{topic_prefix}once")


async def test_reading_a_topic_that_does_not_exist_says_so(kafka: SharedKafka, topic_prefix: str) -> None:
    with pytest.raises(LookupError, match=f"{topic_prefix}none"):
        await read_all(kafka.bootstrap, f"{topic_prefix}none")


@pytest.fixture
def own_kafka() -> Iterator[KafkaBroker]:
    with KafkaBroker() as broker:
        yield broker


@pytest.mark.kafka
async def test_a_broker_keeps_its_address_and_data_over_a_restart_and_over_a_kill(
    own_kafka: KafkaBroker,
) -> None:
    bootstrap = own_kafka.bootstrap
    await create_topics(bootstrap, "kept", partitions=1)
    await produce(bootstrap, "kept", [Outgoing(b"k", b"before the restart")])

    await asyncio.to_thread(own_kafka.restart)
    await produce(bootstrap, "kept", [Outgoing(b"k", b"before the kill")])
    own_kafka.kill()
    await asyncio.to_thread(own_kafka.start)

    assert own_kafka.bootstrap == bootstrap
    assert values(await read_all(bootstrap, "kept")) == [b"before the restart", b"before the kill"]


@pytest.mark.kafka
@pytest.mark.kafka
def test_a_broker_that_cannot_start_shows_the_end_of_its_log() -> None:
    with (
        pytest.raises(BrokerError, match=r"(?s)ended with exit code 1.*no\.such\.Reporter"),
        KafkaBroker({"metric.reporters": "no.such.Reporter"}),
    ):
        pass


def test_a_checkout_without_the_jars_names_the_command_that_fetches_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "development.properties").touch()
    monkeypatch.setattr(kit, "KAFKA", tmp_path)

    with pytest.raises(BrokerError, match=r"run deploy/kafka/jars\.sh"), KafkaBroker():
        pass
