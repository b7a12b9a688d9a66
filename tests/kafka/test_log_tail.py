"""The latest records of a topic, on Apache Kafka and on the embedded broker."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.records import SourceRecord
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.log_tail import read_tail, shared_out
from stream.settings import Settings
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics

PARTITIONS = 3
LONG = 30.0


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(params=["kafka", "embedded"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(bootstrap=request.getfixturevalue(request.param).bootstrap)


@pytest.fixture
async def topic(settings: Settings, topic_prefix: str) -> str:
    await create_topics(settings.bootstrap, topic_prefix + "tail", partitions=PARTITIONS)
    return topic_prefix + "tail"


async def write(
    settings: Settings, topic: str, counts: dict[int, int], value: bytes = b"1", *, apart: bool = False
) -> None:
    """So many records to each partition; `apart`: a batch each."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap, max_request_size=1 << 24) as producer:
        for partition, count in counts.items():
            for _ in range(count):
                await producer.send(topic, value, partition=partition)
                if apart:
                    await producer.flush()
            await producer.flush()


async def tail(settings: Settings, topic: str, most: int, seconds: float = LONG) -> tuple[bool, dict[int, list[int]]]:
    """Whether these are all, and the offsets by partition."""
    found: dict[int, list[int]] = {}

    def see(record: SourceRecord, partition: int) -> None:
        found.setdefault(partition, []).append(record.offset)

    complete = await read_tail(settings, topic, most, seconds, see)
    return complete, {partition: sorted(offsets) for partition, offsets in sorted(found.items())}


async def test_all_of_a_short_topic_is_read(settings: Settings, topic: str) -> None:
    assert await tail(settings, topic, 100) == (True, {})
    await write(settings, topic, {0: 5, 2: 40})
    assert await tail(settings, topic, 100) == (True, {0: list(range(5)), 2: list(range(40))})


async def test_of_a_long_one_the_latest_shared_out_over_the_partitions(settings: Settings, topic: str) -> None:
    await write(settings, topic, {0: 4, 1: 300, 2: 500}, apart=True)
    complete, found = await tail(settings, topic, 100)
    assert not complete
    assert found == {0: list(range(4)), 1: list(range(252, 300)), 2: list(range(452, 500))}


async def test_what_is_not_committed_is_left_out_and_not_waited_for(kafka: SharedKafka, topic_prefix: str) -> None:
    settings, topic = Settings(bootstrap=kafka.bootstrap), topic_prefix + "tail"
    await create_topics(settings.bootstrap, topic, partitions=PARTITIONS)
    producer = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, transactional_id=topic)
    await producer.start()
    try:
        for aborted in (False, True):
            await producer.begin_transaction()
            for _ in range(3):
                await producer.send(topic, b"1", partition=0)
            await (producer.abort_transaction() if aborted else producer.commit_transaction())
        await producer.begin_transaction()
        await (await producer.send(topic, b"1", partition=0))
        async with asyncio.timeout(10):
            assert await tail(settings, topic, 100) == (True, {0: [0, 1, 2]})
        await producer.commit_transaction()
    finally:
        await producer.stop()


async def test_where_time_does_not_suffice_the_oldest_is_what_is_missing(
    settings: Settings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records of half a megabyte, of which the newest tenth is read first."""
    await write(settings, topic, {1: 40}, value=b"x" * 500_000, apart=True)
    complete, found = await tail(settings, topic, 1_000, seconds=0.0)
    assert (complete, found) == (False, {})
    seen: list[int] = []

    def see(record: SourceRecord, _partition: int) -> None:
        seen.append(record.offset)

    assert await read_tail(settings, topic, 1_000, LONG, see)
    assert seen[:4] == [36, 37, 38, 39]
    assert sorted(seen) == list(range(40))


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 3_000)), st.integers(0, 2_000))
def test_shares_are_fair_and_none_is_wasted(held: dict[int, int], most: int) -> None:
    shares = shared_out(held, most)
    assert all(0 <= shares[each] <= held[each] for each in held)
    assert sum(shares.values()) == min(most, sum(held.values()))
    cut = [shares[each] for each in held if shares[each] < held[each]]
    assert not cut or (max(cut) - min(cut) <= 1 and max(shares.values()) <= max(cut))
