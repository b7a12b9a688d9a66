"""The life of a partition on a real Kafka, and on the embedded broker, with a machine that only counts."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from stream.codec.records import Outgoing
from stream.engine.delivery import Route, Transactional
from stream.engine.status import PartitionState
from stream.errors import PositionError, StateError, TopicError
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.partition_reader import Fetched, PartitionReader
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Machine
from stream.settings import Settings
from tests.engine.rig import PlainSource, Rig
from tests.engine.toy import POSITION, Toy
from tests.kit.kafka import SharedKafka
from tests.kit.topics import add_partitions, create_topics, produce, read_all

KEYS = 20


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def on_kafka(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_for(kafka.bootstrap, topic_prefix)


@pytest.fixture(params=["kafka", "embedded"])
def settings(request: pytest.FixtureRequest, topic_prefix: str) -> Settings:
    """Settings for a broker with transactions, then for one without."""
    return settings_for(request.getfixturevalue(request.param).bootstrap, topic_prefix)


def settings_for(bootstrap: str, prefix: str) -> Settings:
    return Settings(bootstrap=bootstrap, app=f"{prefix}app", topic_prefix=prefix, partitions=2, max_records=700)


def toy(partition: int, topic: SourceTopic) -> Machine:
    return Toy()


def visits(count: int, value: bytes = b"visit") -> list[Outgoing]:
    return [Outgoing(b"k%d" % (number % KEYS), value) for number in range(count)]


async def send(settings: Settings, records: list[Outgoing]) -> None:
    await produce(settings.bootstrap, settings.topics.interactions, records)


async def changes(settings: Settings) -> Counter[tuple[bytes | None, bytes | None]]:
    read = await read_all(settings.bootstrap, settings.topics.stage_changes)
    return Counter((record.key, record.value) for records in read.values() for record in records)


async def state(settings: Settings) -> dict[bytes, bytes]:
    """The compacted changelog without positions."""
    read = await read_all(settings.bootstrap, settings.topics.customers)
    latest = {record.key: record.value for records in read.values() for record in records}
    latest.pop(POSITION, None)
    return latest


def every_fifth(count: int) -> Counter[tuple[bytes, bytes]]:
    """The changes after `count` visits of each key."""
    return Counter((b"k%d" % key, b"%d" % number) for key in range(KEYS) for number in range(5, count + 1, 5))


async def test_every_interaction_is_counted_once_and_every_change_written_once(settings: Settings) -> None:
    async with Rig(settings, toy) as rig:
        await send(settings, visits(3_000))
        await rig.recorder.until(lambda: rig.recorder.inputs == 3_000)
    assert await changes(settings) == every_fifth(150)
    assert set((await state(settings)).values()) == {b"[150, null, false]"}
    assert rig.recorder.failures == []


async def test_a_new_owner_goes_on_from_state_and_position_of_the_old_one(settings: Settings) -> None:
    async with Rig(settings, toy) as first:
        await send(settings, visits(1_000))
        await first.recorder.until(lambda: first.recorder.inputs == 1_000)
    await send(settings, visits(1_000))
    async with Rig(settings, toy) as second:
        await second.recorder.until(lambda: second.recorder.inputs == 1_000)
    assert await changes(settings) == every_fifth(100)
    assert set((await state(settings)).values()) == {b"[100, null, false]"}


async def test_records_that_a_batch_did_not_take_are_handed_over_again(settings: Settings) -> None:
    async with Rig(settings, lambda _, __: Toy(limit=30)) as rig:
        await send(settings, visits(1_000))
        await rig.recorder.until(lambda: rig.recorder.inputs == 1_000)
    assert rig.recorder.batches >= 1_000 / 30
    assert await changes(settings) == every_fifth(50)


async def test_an_interaction_that_fails_twice_is_isolated_and_the_others_go_on(settings: Settings) -> None:
    records = [*visits(400), Outgoing(b"k7", b"fail"), *visits(400)]
    async with Rig(settings, toy) as rig:
        await send(settings, records)
        await rig.recorder.until(lambda: rig.recorder.inputs == len(records))
    assert rig.recorder.failures == ["record", "record"]
    dead = await read_all(settings.bootstrap, settings.topics.dead_letters)
    assert [(record.key, record.value) for each in dead.values() for record in each] == [(b"k7", b"fail")]
    assert await changes(settings) == every_fifth(40)


async def test_a_deadline_that_fails_twice_is_isolated_and_the_others_fire(settings: Settings) -> None:
    due = int(time.time() * 1000) + 200
    async with Rig(settings, toy) as rig:
        await send(settings, [Outgoing(b"a", b"due:%d" % due), Outgoing(b"b", b"fail-due:%d" % due)])
        await rig.recorder.until(lambda: rig.recorder.inputs == 4)
    assert set(rig.recorder.failures) == {"deadline"}
    assert await changes(settings) == Counter([(b"a", b"deadline")])


async def test_who_waits_for_an_open_transaction_is_not_caught_up(on_kafka: Settings) -> None:
    """Else deadlines would fire before interactions that arrived behind it, such as a replay that was killed."""
    topic = TopicPartition(on_kafka.topics.interactions, 0)
    await create_topics(on_kafka.bootstrap, topic.topic, partitions=1)
    await send(on_kafka, visits(1))
    options = {"bootstrap_servers": on_kafka.bootstrap, "isolation_level": "read_committed", "fetch_max_wait_ms": 100}
    async with (
        AIOKafkaConsumer(**options) as consumer,
        AIOKafkaProducer(bootstrap_servers=on_kafka.bootstrap, transactional_id=f"{on_kafka.app}-t") as producer,
    ):
        consumer.assign([topic])
        reader = PartitionReader(consumer, topic)

        async def until(*, caught_up: bool) -> Fetched:
            async with asyncio.timeout(180):
                while True:
                    fetched = await reader.fetch(1, max_records=10, wait=0.1)
                    if fetched is not None and fetched.caught_up is caught_up:
                        return fetched

        await until(caught_up=True)
        await producer.begin_transaction()
        await producer.send_and_wait(topic.topic, b"hidden", partition=0)
        await send(on_kafka, visits(1, b"prevents it"))
        assert (await until(caught_up=False)).records == ()
        await producer.abort_transaction()
        async with asyncio.timeout(180):
            while not (fetched := await reader.fetch(1, max_records=10, wait=0.1)) or not fetched.records:
                pass
        assert [record.value for record in fetched.records] == [b"prevents it"]


async def test_a_deadline_fires_without_any_interaction_also_after_a_transaction_marker(
    on_kafka: Settings,
) -> None:
    due = int(time.time() * 1000) + 1_000
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, [Outgoing(b"a", b"due:%d" % due)])
        options = {"bootstrap_servers": on_kafka.bootstrap, "transactional_id": f"{on_kafka.app}-producer"}
        async with AIOKafkaProducer(**options) as producer:
            for outcome in (producer.commit_transaction, producer.abort_transaction):
                await producer.begin_transaction()
                await producer.send_and_wait(on_kafka.topics.interactions, b"visit", b"a")
                await outcome()
        await rig.recorder.until(lambda: rig.recorder.inputs == 3)  # two visits, one deadline
        await rig.recorder.until(lambda: {each.lag for each in rig.supervisor.status().partitions} == {0})
    assert await changes(on_kafka) == Counter([(b"a", b"deadline")])


async def test_an_idle_partition_writes_nothing(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, visits(100))
        await rig.recorder.until(lambda: rig.recorder.inputs == 100)
        batches, fetches = rig.recorder.batches, rig.recorder.fetches
        await rig.recorder.until(lambda: rig.recorder.fetches >= fetches + 4)
        assert rig.recorder.batches == batches


async def test_a_partition_given_back_after_a_pause_keeps_its_state(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, visits(500))
        await rig.recorder.until(lambda: rig.recorder.inputs == 500)
        await rig.supervisor.pause()
        assert {each.state for each in rig.supervisor.status().partitions} == {PartitionState.PAUSED}
        await send(on_kafka, visits(500))
        rig.supervisor.assign([0, 1])
        await rig.recorder.until(lambda: rig.recorder.inputs == 1_000)
        assert sorted(rig.recorder.recovered_partitions) == [0, 1]
    assert await changes(on_kafka) == every_fifth(50)


async def test_a_pause_ends_a_partition_though_a_cancellation_gets_lost(
    on_kafka: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `asyncio.wait_for` loses one where its future is done at that very moment."""
    really = PlainSource.fetch
    lost: set[int] = set()
    waits = asyncio.Event()

    async def fetch(self: PlainSource, partition: int, position: int, wait: float) -> Fetched | None:
        waits.set()
        try:
            return await really(self, partition, position, wait)
        except asyncio.CancelledError:
            if partition in lost:
                raise
            lost.add(partition)
            return None

    monkeypatch.setattr(PlainSource, "fetch", fetch)
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, visits(100))
        await rig.recorder.until(lambda: rig.recorder.inputs == 100)
        async with asyncio.timeout(10):
            # One of them waits for what does not come, so that there is a cancellation to lose.
            waits.clear()
            await waits.wait()
            await rig.supervisor.pause()
    assert lost


async def test_without_fencing_a_pause_drops_the_state(embedded: EmbeddedBroker, topic_prefix: str) -> None:
    settings = settings_for(embedded.bootstrap, topic_prefix)
    async with Rig(settings, toy) as rig:
        await rig.recorder.until(lambda: len(rig.recorder.recovered_partitions) == 2)
        await rig.supervisor.pause()
        rig.supervisor.assign([0, 1])
        await rig.recorder.until(lambda: len(rig.recorder.recovered_partitions) == 4)


async def test_a_zombie_is_fenced_and_nothing_of_it_counts(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as zombie:
        await send(on_kafka, visits(500))
        await zombie.recorder.until(lambda: zombie.recorder.inputs == 500)
        await zombie.supervisor.pause()  # it still believes that it owns both partitions
        async with Rig(on_kafka, toy) as owner:
            await owner.recorder.until(lambda: len(owner.recorder.recovered_partitions) == 2)
            await send(on_kafka, visits(500))
            await owner.recorder.until(lambda: owner.recorder.inputs == 500)
            zombie.supervisor.assign([0, 1])
            await zombie.recorder.until(lambda: zombie.recorder.failures == ["fenced", "fenced"])
            await send(on_kafka, visits(500))
            await owner.recorder.until(lambda: owner.recorder.inputs == 1_000)
    assert await changes(on_kafka) == every_fifth(75)


async def test_a_bug_at_one_position_stops_the_worker_the_third_time(settings: Settings) -> None:
    async with Rig(settings, toy) as rig:
        await send(settings, [Outgoing(b"k", b"bug")])
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
        assert rig.recorder.failures == ["bug", "bug", "fatal"]
        assert isinstance(rig.supervisor.failure, ZeroDivisionError)
        assert rig.supervisor.status().phase == "failed"


async def test_a_state_that_cannot_be_read_stops_the_worker_at_once(settings: Settings) -> None:
    async with Rig(settings, toy):
        pass
    await produce(settings.bootstrap, settings.topics.customers, [Outgoing(b"k", b"unreadable")])
    async with Rig(settings, toy) as rig:
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
        assert isinstance(rig.supervisor.failure, StateError)


async def test_retention_that_overtook_the_position_is_told_with_the_lost_offsets(on_kafka: Settings) -> None:
    await lose_interactions(on_kafka, count=100)
    async with Rig(on_kafka, toy) as rig:
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
    assert isinstance(rig.supervisor.failure, PositionError)
    assert "deleted by retention" in str(rig.supervisor.failure)
    assert "lifecycle reset" in str(rig.supervisor.failure)


async def lose_interactions(settings: Settings, count: int) -> None:
    """Process `count` interactions, write as many again, and delete all of these."""
    async with Rig(settings, toy) as rig:
        await send(settings, visits(count))
        await rig.recorder.until(lambda: rig.recorder.inputs == count)
    await send(settings, visits(count))
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    tps = [TopicPartition(settings.topics.interactions, number) for number in range(settings.partitions)]
    await admin.delete_records({tp: RecordsToDelete(-1) for tp in tps})
    await admin.close()


async def test_a_topic_created_again_is_told_from_retention(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, visits(100))
        await rig.recorder.until(lambda: rig.recorder.inputs == 100)
    topic = on_kafka.topics.interactions
    admin = AIOKafkaAdminClient(bootstrap_servers=on_kafka.bootstrap)
    await admin.start()
    await admin.delete_topics([topic])
    while topic in await admin.list_topics():
        await asyncio.sleep(0.05)
    await admin.close()
    await create_topics(on_kafka.bootstrap, topic, partitions=on_kafka.partitions)
    async with Rig(on_kafka, toy) as rig:
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
    assert isinstance(rig.supervisor.failure, PositionError)
    assert "created again" in str(rig.supervisor.failure)


async def test_partitions_added_under_a_state_stop_the_worker(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as rig:
        await rig.recorder.until(lambda: len(rig.recorder.recovered_partitions) == 2)
    await add_partitions(on_kafka.bootstrap, on_kafka.topics.interactions, 3)
    with pytest.raises(TopicError):  # as a worker's start says
        async with Rig(on_kafka, toy):
            pass
    delivery = Transactional(route_of(on_kafka))
    with pytest.raises(TopicError, match="has 3 partitions now"):  # as one that already runs says
        await delivery.start()
    await delivery.discard()


def route_of(settings: Settings) -> Route:
    return Route.of_worker(settings, 0)


async def test_the_status_tells_states_positions_and_lag(on_kafka: Settings) -> None:
    async with Rig(on_kafka, toy) as rig:
        await send(on_kafka, visits(100))
        await rig.recorder.until(lambda: rig.recorder.inputs == 100)
        await rig.recorder.until(lambda: {each.lag for each in rig.supervisor.status().partitions} == {0})
        status = rig.supervisor.status()
        assert status.ready
        assert status.delivery == "exactly_once"
        assert sum(each.position or 0 for each in status.partitions) == 100
        assert [(each.partition, each.state, each.recovered, each.lag) for each in status.partitions] == [
            (0, PartitionState.RUNNING, 1.0, 0),
            (1, PartitionState.RUNNING, 1.0, 0),
        ]


async def test_the_lag_counts_what_lies_behind_a_transaction_that_is_open(on_kafka: Settings) -> None:
    """It cannot be read yet, but it waits; and the status says since when."""
    async with (
        Rig(on_kafka, toy) as rig,
        AIOKafkaProducer(
            bootstrap_servers=on_kafka.bootstrap, transactional_id=f"{on_kafka.topic_prefix}open"
        ) as producer,
    ):
        await rig.recorder.until(lambda: {each.lag for each in rig.supervisor.status().partitions} == {0})
        began = time.time_ns() // 1_000_000
        await producer.begin_transaction()
        for _ in range(3):
            await producer.send_and_wait(on_kafka.topics.interactions, b"visit", key=b"k", partition=0)
        await rig.recorder.until(lambda: rig.supervisor.status().partitions[0].lag == 3)
        held_up, other = rig.supervisor.status().partitions
        assert (held_up.position, held_up.end_offset, other.lag, other.open_transaction_since) == (0, 3, 0, None)
        assert held_up.open_transaction_since is not None
        assert held_up.open_transaction_since >= began
        assert held_up.state is PartitionState.RUNNING
        await producer.abort_transaction()
        await rig.recorder.until(lambda: rig.supervisor.status().partitions[0].lag == 0)
        assert rig.supervisor.status().partitions[0].open_transaction_since is None
