"""Several topics of interactions on a real Kafka: each interaction counts once, in an order that is kept."""

import asyncio
import json
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream.codec.dead_letter_reasons import MAX_BYTES
from stream.codec.gathered import HEADER, gathered, origin_of, topic_of
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.model import model_of
from stream.errors import TopicError
from stream.kafka.topics import ensure_topics
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings_sources import load_settings
from tests.engine.gathering import QUIET, crm, rig_of, settings_of, web
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import create_topics, produce, read_all


async def test_a_customer_is_one_whatever_the_topic_and_each_topic_is_read_by_its_own_mapping(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = settings_of(kafka, topic_prefix)
    topics = settings.topics
    assert topics.sources == (f"{settings.topic_prefix}web", f"{settings.topic_prefix}crm")
    async with rig_of(settings) as rig:
        await rig.recorder.until(lambda: rig.recorder.batches >= 2, 60)  # from now on changes are live
        await produce(settings.bootstrap, topics.sources[0], [web("ann", 1), web("bob", 1)])
        await produce(settings.bootstrap, topics.sources[1], [crm("ann", 1)])
        await rig.recorder.until(lambda: sum(rig.recorder.gathered_from.values()) >= 3 and rig.recorder.inputs >= 5, 60)
        assert rig.recorder.gathered_from == {topics.sources[0]: 2, topics.sources[1]: 1}
        async with asyncio.timeout(30):
            while any(each.lag != 0 for each in rig.supervisor.status().partitions):
                await asyncio.sleep(0.05)
    changes = [
        json.loads(each.value or b"")
        for records in (await read_all(settings.bootstrap, topics.stage_changes)).values()
        for each in records
    ]
    moves = sorted((each["customer_id"], each["to"]) for each in changes)
    assert moves == [("ann", "known"), ("ann", "new"), ("bob", "new")]
    assert {each["source"]["topic"] for each in changes} == {topics.interactions}
    assert not any((await read_all(settings.bootstrap, topics.dead_letters)).values())


# A client that is cancelled while it connects leaves that connection to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*AIOKafkaConnection:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_nothing_is_lost_or_counted_twice_over_owners_that_end_at_any_moment(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = settings_of(kafka, topic_prefix)
    topics = settings.topics
    sent = 0
    for turn in range(6):
        async with rig_of(settings, fenced_wait=0.5) as rig:
            for customer in ("ann", "bob", "cyd"):
                number = turn * 2
                await produce(settings.bootstrap, topics.sources[0], [web(customer, number), web(customer, number + 1)])
                await produce(settings.bootstrap, topics.sources[1], [crm(customer, number), crm(customer, number + 1)])
                sent += 4
            await asyncio.sleep(turn * 0.02)  # then it ends in the middle of it
    async with rig_of(settings) as rig, asyncio.timeout(60):
        while any(each.lag != 0 for each in rig.supervisor.status().partitions):
            await asyncio.sleep(0.05)
    gathered_records = [
        each for records in (await read_all(settings.bootstrap, topics.interactions)).values() for each in records
    ]
    origins = [origin_of(each.headers) for each in gathered_records]
    assert len(origins) == len(set(origins)) == sent
    for partition, records in (await read_all(settings.bootstrap, topics.interactions)).items():
        for topic in topics.sources:
            mine = [found for each in records if (found := origin_of(each.headers)) and found.topic == topic]
            assert [each.offset for each in mine] == sorted(each.offset for each in mine)
            assert {each.partition for each in mine} <= {partition}
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap, group_id=settings.group) as consumer:
        committed = [
            await consumer.committed(TopicPartition(topic, number)) or 0
            for topic in topics.sources
            for number in range(2)
        ]
    assert sum(committed) == sent  # tools that show the group's lag see it


async def test_where_kafka_forgot_the_groups_offsets_gathering_goes_on_behind_what_it_holds(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    topics = settings_of(kafka, topic_prefix).topics
    for turn in range(2):
        settings = settings_of(kafka, topic_prefix, partitions=1, app=f"{topic_prefix}app{turn}")  # another group
        async with rig_of(settings) as rig:
            await produce(settings.bootstrap, topics.sources[0], [web("ann", turn)])
            await produce(settings.bootstrap, topics.sources[1], [crm("ann", turn)])
            await rig.recorder.until(lambda: sum(rig.recorder.gathered_from.values()) >= 2, 60)
    [records] = (await read_all(settings.bootstrap, topics.interactions)).values()
    assert len(records) == 4


async def test_no_deadline_fires_while_an_interaction_may_wait_in_another_topic(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    """A transaction is open on one topic: what it holds may be what keeps the customer from going quiet."""
    settings = settings_of(kafka, topic_prefix, partitions=1)
    topics, model = settings.topics, model_of([parse(QUIET, "quiet.yaml").lifecycle])
    source = SourcePartition(topics.interactions, 0, 1)

    async def moves() -> list[str]:
        [records] = (await read_all(settings.bootstrap, topics.stage_changes)).values()
        return [json.loads(each.value or b"")["to"] for each in records]

    async with Rig(settings, lambda _, of: PartitionMachine(model, settings, source._replace(topic_id=of.id))) as rig:
        await rig.recorder.until(lambda: rig.recorder.batches >= 1, 60)
        await produce(settings.bootstrap, topics.sources[0], [web("ann", 1)])
        await rig.recorder.until(lambda: sum(rig.recorder.gathered_from.values()) >= 1, 60)
        sender = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, transactional_id=f"{topic_prefix}crm")
        async with sender, sender.transaction():
            record = crm("bob", 1)
            await sender.send_and_wait(topics.sources[1], record.value, key=record.key)
            await asyncio.sleep(9)
            assert await moves() == ["new"]
        async with asyncio.timeout(30):
            while (await moves()).count("quiet") < 2:
                await asyncio.sleep(0.2)


async def test_offsets_that_kafkas_own_tool_moved_on_are_followed(kafka: SharedKafka, topic_prefix: str) -> None:
    """So one goes on behind what retention took, or what cannot be read."""
    settings = settings_of(kafka, topic_prefix, partitions=1)
    topics, web_topic = settings.topics, TopicPartition(settings.topics.sources[0], 0)
    async with rig_of(settings) as rig:
        await produce(settings.bootstrap, web_topic.topic, [web("ann", 0), web("ann", 1)])
        await rig.recorder.until(lambda: sum(rig.recorder.gathered_from.values()) >= 2, 60)
    await produce(settings.bootstrap, web_topic.topic, [web("ann", 2), web("ann", 3)])
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=settings.group, enable_auto_commit=False
    ) as tool:
        tool.assign([web_topic])
        await tool.commit({web_topic: 3})
    async with rig_of(settings) as rig:
        await rig.recorder.until(lambda: sum(rig.recorder.gathered_from.values()) >= 1, 60)
    [records] = (await read_all(settings.bootstrap, topics.interactions)).values()
    assert [json.loads(each.value or b"")["id"] for each in records] == ["web-ann-0", "web-ann-1", "web-ann-3"]


async def test_topics_that_do_not_fit_are_told_before_anything_is_gathered(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = settings_of(kafka, topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.sources[0], partitions=2)
    await create_topics(settings.bootstrap, settings.topics.sources[1], partitions=3)
    with pytest.raises(TopicError, match=r"-crm: has 3 partitions, but .*lifecycle-interactions, into which it is"):
        await ensure_topics(settings)


def test_the_copy_says_where_it_comes_from_and_is_else_the_same() -> None:
    record = Record(7, 12, b"ann", b"{}", [("trace", b"1"), (HEADER, b"other-1-2")])
    copy = gathered(record, "eu-web-events", 3)
    assert (copy.key, copy.value, copy.headers) == (b"ann", b"{}", [("trace", b"1"), (HEADER, b"eu-web-events-3-7")])
    assert origin_of(copy.headers) == ("eu-web-events", 3, 7)
    assert topic_of([]) is None
    for strange in (b"", b"web", b"web-1", b"web-x-1", None):
        assert topic_of([(HEADER, strange)]) is None


def test_the_copy_of_what_is_too_large_to_be_read_fits_and_still_is_too_large() -> None:
    """A topic limits what is compressed."""
    copy = gathered(Record(1, 12, b"ann", b"x" * 5_000_000, []), "web", 0)
    assert MAX_BYTES < len(copy.value or b"") < 1_200_000
    copy = gathered(Record(1, 12, b"k" * 500_000, b"{}", [("h", b"x" * 500_000)]), "web", 0)
    assert len(copy.key or b"") < 20_000
    assert [name for name, _ in copy.headers] == [HEADER]


def test_a_mapping_of_a_topic_counts_as_what_decides_results() -> None:
    one = load_settings({"interactions": "web,crm", "map": "crm: type=what, customer_id=who; type=t"}, environment={})
    other = load_settings({"interactions": "web,crm", "map": "type=t; crm: customer_id=who, type=what"}, environment={})
    assert one.deciding == other.deciding
    assert one.deciding != replace(one, map=None).deciding
