"""Delivery against a real Kafka: what is written where, who may write, and what an end in between leaves."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerFenced
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from stream.codec.records import Outgoing
from stream.engine.delivery import AtLeastOnce, Route, Transactional
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.exactly_once.connection import Connection
from stream.kafka.exactly_once.requests import ADD_OFFSETS, ADD_PARTITIONS, COMMIT_OFFSET, END, PRODUCE, Request
from stream.kafka.packed_batch import send_packed
from stream.kafka.partitioner import partition_of
from stream.kafka.transactions import has_transactions, may_write_transactions
from stream.machine.batch import Batch
from stream.settings import Settings
from tests.kit.exactly_once import group_offset_becomes
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.topics import Records, create_topics, produce, read_all

HEADERS = [("ce_id", b"1"), ("ce_type", b"t")]


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
async def route(kafka: SharedKafka, topic_prefix: str) -> Route:
    return await make_route(kafka.bootstrap, topic_prefix)


async def make_route(bootstrap: str, prefix: str, *, stage_changes: int = 4) -> Route:
    """Four partitions of everything, but two of dead letters and `stage_changes` of stage changes."""
    settings = Settings(bootstrap=bootstrap, app=f"{prefix}app", topic_prefix=prefix)
    topics = settings.topics
    await create_topics(bootstrap, topics.interactions, topics.customers, topics.current_stages)
    await create_topics(bootstrap, topics.stage_changes, partitions=stage_changes)
    await create_topics(bootstrap, topics.dead_letters, partitions=2)
    return Route.of_worker(settings, 3)


@pytest.fixture
async def delivery(route: Route) -> AsyncIterator[Transactional]:
    writer = Transactional(route)
    await writer.start()
    yield writer
    await writer.discard()


def batch(*keys: bytes, next_offset: int = 7) -> Batch:
    return Batch(
        events=[Outgoing(key, b"change", HEADERS) for key in keys],
        latest=[Outgoing(b"toy:" + key, b"now") for key in keys],
        state=[
            *(Outgoing(key, b"state") for key in keys),
            Outgoing(b"\x00position", b"%d" % next_offset),
        ],
        dead_letters=[Outgoing(None, b"dead")],
        next_offset=next_offset,
        inputs=len(keys),
    )


def keys(records: Records) -> dict[int, list[bytes | None]]:
    """The keys of each partition that has any."""
    return {number: [record.key for record in each] for number, each in records.items() if each}


async def test_a_batch_is_written_to_the_partitions_of_its_source(route: Route, delivery: Transactional) -> None:
    await delivery.write(batch(b"a", b"b", b"c"))
    changes = await read_all(route.settings.bootstrap, route.settings.topics.stage_changes)
    assert keys(changes) == {3: [b"a", b"b", b"c"]}
    assert [list(record.headers) for record in changes[3]] == [HEADERS] * 3
    assert keys(await read_all(route.settings.bootstrap, route.settings.topics.customers)) == {
        3: [b"a", b"b", b"c", b"\x00position"]
    }
    assert keys(await read_all(route.settings.bootstrap, route.settings.topics.dead_letters)) == {1: [None]}
    assert await group_offset_becomes(route, 7)


async def test_the_key_places_current_stages_and_changes_of_a_topic_with_another_count(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    route = await make_route(kafka.bootstrap, topic_prefix, stage_changes=3)
    delivery = Transactional(route)
    await delivery.start()
    subjects = [b"k%d" % number for number in range(20)]
    await delivery.write(batch(*subjects))
    await delivery.discard()
    for topic, prefix, count in (
        (route.settings.topics.stage_changes, b"", 3),
        (route.settings.topics.current_stages, b"toy:", 4),
    ):
        expected: dict[int, list[bytes | None]] = {}
        for subject in subjects:
            expected.setdefault(partition_of(prefix + subject, count), []).append(prefix + subject)
        assert keys(await read_all(route.settings.bootstrap, topic)) == expected


async def test_batches_larger_than_kafka_takes_at_once_keep_their_order(route: Route, delivery: Transactional) -> None:
    written = [Outgoing(b"%d" % number, bytes(100_000)) for number in range(30)]
    await delivery.write(Batch(state=written, next_offset=1, inputs=1))
    read = await read_all(route.settings.bootstrap, route.settings.topics.customers)
    assert keys(read) == {3: [record.key for record in written]}


async def test_a_record_larger_than_the_topic_takes_is_an_error_and_leaves_nothing(
    route: Route, delivery: Transactional
) -> None:
    too_large = Batch(events=[Outgoing(b"a", b"change")], state=[Outgoing(b"a", bytes(2_000_000))], inputs=1)
    with pytest.raises(MessageSizeTooLargeError):
        await delivery.write(too_large)
    await delivery.discard()
    await fence(route)
    assert keys(await read_all(route.settings.bootstrap, route.settings.topics.stage_changes)) == {}


async def fence(route: Route) -> None:
    """Do what a new owner does first: end whatever the last one left open."""
    owner = Transactional(route)
    await owner.start()
    await owner.discard()


async def test_an_unfinished_transaction_is_ended_by_the_next_owner_and_read_by_nobody(route: Route) -> None:
    dying = Transactional(route)
    await dying.start()
    await dying._producer.begin_transaction()
    await send_packed(dying._producer, [*dying._events(batch(b"a")), *dying._state(batch(b"a"))])
    await dying.discard()
    await fence(route)
    topics = route.settings.topics
    for topic in (topics.stage_changes, topics.customers, topics.dead_letters):
        assert keys(await read_all(route.settings.bootstrap, topic)) == {}
    uncommitted = await read_all(route.settings.bootstrap, topics.stage_changes, isolation="read_uncommitted")
    assert keys(uncommitted) == {3: [b"a"]}


async def test_a_zombie_is_fenced_by_the_new_owner(route: Route, delivery: Transactional) -> None:
    await delivery.write(batch(b"a"))
    owner = Transactional(route)
    await owner.start()
    with pytest.raises(ProducerFenced):
        await delivery.write(batch(b"zombie"))
    await owner.write(batch(b"b", next_offset=8))
    await owner.discard()
    assert keys(await read_all(route.settings.bootstrap, route.settings.topics.stage_changes)) == {3: [b"a", b"b"]}


@pytest.mark.kafka
async def test_letting_go_never_hangs_when_the_broker_is_gone(topic_prefix: str) -> None:
    broker = KafkaBroker()
    await asyncio.to_thread(broker.start)
    route = await make_route(broker.bootstrap, topic_prefix)
    idle, busy = Transactional(route), AtLeastOnce(route, never)
    await idle.start()
    await busy.start()
    await asyncio.to_thread(broker.__exit__)
    writing = asyncio.create_task(busy.write(batch(b"a")))
    async with asyncio.timeout(20):
        await idle.discard()
        await busy.discard()
    writing.cancel()
    await asyncio.wait([writing])


async def never(_: TopicPartition, offset: int) -> None:
    raise AssertionError(f"group offset {offset} of a batch that was not written")


async def test_without_transactions_the_group_offset_comes_last(embedded: EmbeddedBroker, topic_prefix: str) -> None:
    route = await make_route(embedded.bootstrap, topic_prefix)
    seen: list[tuple[TopicPartition, int, int]] = []

    async def commit_offset(tp: TopicPartition, offset: int) -> None:
        changes = await read_all(route.settings.bootstrap, route.settings.topics.stage_changes)
        customers = await read_all(route.settings.bootstrap, route.settings.topics.customers)
        seen.append((tp, offset, len(changes[3]) + len(customers[3])))

    delivery = AtLeastOnce(route, commit_offset)
    await delivery.start()
    await delivery.write(batch(b"a", b"b"))
    await delivery.discard()
    assert seen == [(route.source, 7, 2 + 3)]


async def test_the_state_is_not_written_when_a_stage_change_is_refused(kafka: SharedKafka, topic_prefix: str) -> None:
    route = await make_route(kafka.bootstrap, topic_prefix)
    delivery = AtLeastOnce(route, never)
    await delivery.start()
    refused = Batch(events=[Outgoing(b"a", bytes(2_000_000))], state=[Outgoing(b"a", b"state")])
    with pytest.raises(KafkaError):
        await delivery.write(refused)
    await delivery.discard()
    assert keys(await read_all(route.settings.bootstrap, route.settings.topics.customers)) == {}


async def test_whether_a_broker_has_transactions_is_found_out(
    kafka: SharedKafka, embedded: EmbeddedBroker, topic_prefix: str
) -> None:
    assert await may_write_transactions(Settings(bootstrap=kafka.bootstrap, app=topic_prefix))
    assert not await may_write_transactions(Settings(bootstrap=embedded.bootstrap, app=topic_prefix))


async def test_whether_the_broker_has_transactions_is_found_without_writing_one_too(
    kafka: SharedKafka, embedded: EmbeddedBroker
) -> None:
    assert await has_transactions(Settings(bootstrap=kafka.bootstrap))
    assert not await has_transactions(Settings(bootstrap=embedded.bootstrap))


@given(st.binary(max_size=300), st.integers(1, 200))
def test_keys_are_placed_as_by_the_default_partitioner(key: bytes, count: int) -> None:
    assert partition_of(key, count) == DefaultPartitioner()(key, list(range(count)), [])


async def test_a_key_is_placed_where_other_producers_place_it(kafka: SharedKafka, topic_prefix: str) -> None:
    topic = f"{topic_prefix}keys"
    await create_topics(kafka.bootstrap, topic, partitions=5)
    written = await produce(kafka.bootstrap, topic, [Outgoing(b"k%d" % number, b"") for number in range(50)])
    assert [each.partition for each in written] == [partition_of(b"k%d" % number, 5) for number in range(50)]


async def test_a_batch_is_visible_from_when_it_is_told_to_commit_until_that_is_known(
    delivery: Transactional, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is never known, for ever; all that is written before, nobody reads."""
    really, seen = Connection.send, list[tuple[int, bool]]()

    def send(self: Connection, *requests: Request) -> Sequence["asyncio.Future[bytes]"]:
        seen.extend((request.key, delivery.is_visible) for request in requests)
        answers = really(self, *requests)
        if requests[0].key == END and delivery._committed is not None:
            self.close()
        return answers

    monkeypatch.setattr(Connection, "send", send)
    await delivery.write(batch(b"a"))
    assert not delivery.is_visible
    with pytest.raises(KafkaError):
        await delivery.write(batch(b"b", next_offset=8))
    assert {key for key, _ in seen} == {ADD_PARTITIONS, ADD_OFFSETS, PRODUCE, COMMIT_OFFSET, END}
    assert [visible for key, visible in seen] == [key == END for key, _ in seen]
    assert delivery.is_visible
