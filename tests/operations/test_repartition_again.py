"""Repartition, run again after whatever came between: nothing is copied twice, or lost without a word."""

import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import DeleteGroupsRequest

from stream.codec.controls import tick
from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import decode_position
from stream.core.interaction import Interaction
from stream.errors import PositionError
from stream.kafka.admin import admin_client
from stream.kafka.permissions import copying_group
from stream.kafka.topics import ensure_topics, find_topics
from stream.operations.repartition.carrier import Carrier
from stream.operations.repartition.marks import take_back
from stream.operations.repartition.topics import Wanted
from stream.operations.verification.findings import Findings
from stream.operations.verification.verifier import VerificationScope, Verifier
from stream.settings import Settings
from tests.cli.on_kafka import PARTITIONS, settings_of
from tests.cli.resetting import MODEL, T, order, work
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce
from tests.operations.repartitioning import assert_carried, carry, ignore, of_all, prepared, renamed, waiting

pytestmark = pytest.mark.kafka


class BrokeOff(Exception):
    """As by Ctrl-C, or a machine that is gone."""


@pytest.fixture
async def old(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return await prepared(kafka.bootstrap, topic_prefix)


async def break_off(*_: object) -> None:
    raise BrokeOff


async def copied_again(old: Settings, new: Settings) -> int:
    """How many records the new topic of interactions has after another run."""
    carrier = Carrier(old, new, MODEL, ignore)
    assert (await carrier.look()).is_done
    async with carrier.copier() as copier:
        await copier.copy(lambda _: None)
    return sum(map(len, (await waiting(new)).values()))


async def test_no_worker_goes_on_before_the_new_topic_has_its_settings(
    old: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a run that ends just there is never completed, and senders would tell the times of the topic for ever."""
    new = renamed(old)
    with monkeypatch.context() as patched:
        patched.setattr(Wanted, "finish", break_off)
        with pytest.raises(BrokeOff):
            await carry(old, new)
    await carry(old, new)
    await assert_carried(old, new)
    [found] = (await find_topics(new, [new.topics.interactions])).values()
    assert found.configs["message.timestamp.type"] == "LogAppendTime"


async def test_a_topic_that_was_made_before_gets_the_times_of_what_is_copied_all_the_same(old: Settings) -> None:
    """As where an administrator makes the topics, and nobody else may."""
    new = renamed(old)
    await ensure_topics(new)
    await carry(old, new)
    await assert_carried(old, new)
    [found] = (await find_topics(new, [new.topics.interactions])).values()
    assert found.configs["message.timestamp.type"] == "LogAppendTime"


async def test_where_kafka_forgot_how_far_it_was_copied_nothing_is_copied_twice(old: Settings) -> None:
    """It forgets the offsets of a group that nobody is in after a week."""
    new = renamed(old)
    await carry(old, new)
    group = copying_group(new)
    async with admin_client(new) as admin:
        answer: Any = await admin._send_request(DeleteGroupsRequest([group]), await admin.find_coordinator(group))
        assert answer.results == [(group, 0)]
    with pytest.raises(PositionError, match="forgot how far"):
        await copied_again(old, new)
    assert sum(map(len, (await waiting(new)).values())) == 40


async def test_what_retention_took_before_it_was_copied_is_said_and_the_rest_is_copied(old: Settings) -> None:
    new = renamed(old)
    await carry(old, new)
    landed = await order(old, range(40))
    [number] = {each.partition for each in landed if each.partition == landed[0].partition}
    first = min(each.offset for each in landed if each.partition == number)
    lost = 3
    async with admin_client(old) as admin:
        await admin.delete_records({TopicPartition(old.topics.interactions, number): RecordsToDelete(first + lost)})
    carrier = Carrier(old, new, MODEL, ignore)
    await carrier.look()
    async with carrier.copier() as copier:
        await copier.copy(lambda _: None)
        assert copier.lost == lost
        assert copier.copied == 40 - lost


async def test_a_run_that_looked_before_another_one_went_on_changes_nothing(old: Settings) -> None:
    """Such as one that waits for an answer while somebody else answers, and workers go on."""
    new = renamed(old)
    stale = Carrier(old, new, MODEL, ignore)
    await stale.look()
    await carry(old, new)
    await work(new, 40, customers=40)
    before = await of_all(new)
    with pytest.raises(PositionError, match="another run"):
        await stale.carry()
    assert await of_all(new) == before
    assert await copied_again(old, new) == 40


async def test_what_was_taken_back_while_it_was_copied_is_not_gone_on_with(
    old: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers may have processed since what is copied there already."""
    new = renamed(old)
    with monkeypatch.context() as patched:
        patched.setattr(Carrier, "_check", break_off)
        with pytest.raises(BrokeOff):
            await carry(old, new)
    await take_back(old, PARTITIONS)
    with pytest.raises(PositionError, match="taken back"):
        await Carrier(old, new, MODEL, ignore).look()
    await carry(old, renamed(old, "v3."))
    await assert_carried(old, renamed(old, "v3."))


async def test_where_taking_it_back_broke_off_nothing_more_is_copied(old: Settings) -> None:
    new = renamed(old)
    await carry(old, new)
    await take_back(old, 1)
    with pytest.raises(PositionError, match="taken back"):
        await Carrier(old, new, MODEL, ignore).look()


async def test_what_was_given_up_is_not_copied_and_what_is_open_still_waits(old: Settings) -> None:
    """Transactions of a sender."""
    new, topic = renamed(old), old.topics.interactions
    open_one = AIOKafkaProducer(bootstrap_servers=old.bootstrap, transactional_id=f"{old.topic_prefix}open")
    await open_one.start()
    async with AIOKafkaProducer(bootstrap_servers=old.bootstrap, transactional_id=f"{old.topic_prefix}gone") as gone:
        for number in range(PARTITIONS):
            await gone.begin_transaction()
            await gone.send_and_wait(topic, b"given up", partition=number)
            await gone.abort_transaction()
    try:
        await open_one.begin_transaction()
        await open_one.send_and_wait(topic, b"open", partition=1)
        await carry(old, new)
        await assert_carried_but_open(old, new)
        await open_one.commit_transaction()
    finally:
        await open_one.stop()
    assert await copied_again(old, new) == 41


async def assert_carried_but_open(old: Settings, new: Settings) -> None:
    copies = [each.value for partition in (await waiting(new)).values() for each in partition]
    assert len(copies) == 40
    assert b"given up" not in copies


async def test_what_is_as_large_as_the_topic_takes_is_copied_later_too(old: Settings) -> None:
    """One that its sender compressed, and more than one batch takes of many that cannot be."""
    new, topic = renamed(old), old.topics.interactions
    async with admin_client(old) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": "20000"})])
    await carry(old, new)
    async with AIOKafkaProducer(bootstrap_servers=old.bootstrap, compression_type="lz4") as producer:
        await producer.send_and_wait(topic, b"x" * 500_000, b"key")
        for _ in range(100):
            await producer.send(topic, random.randbytes(1_000), b"key")
    assert await copied_again(old, new) == 141


async def test_a_tick_counts_though_a_partition_had_come_further_before(old: Settings) -> None:
    """As where an import ended, and workers were stopped before all partitions had heard of it."""
    far = Interaction("c1", None, "far", "page", T + 5_000, {}, {})
    [landed] = await produce(
        old.bootstrap, old.topics.interactions, [Outgoing(far.subject.encode(), encode_native(far))]
    )
    await work(old, 41)
    async with AIOKafkaProducer(bootstrap_servers=old.bootstrap) as producer:
        for number in {*range(PARTITIONS)} - {landed.partition}:
            made = tick(T + 1_000)
            await producer.send_and_wait(
                old.topics.interactions, made.value, partition=number, headers=list(made.headers)
            )
    new = renamed(old)
    await carry(old, new)
    for partition in (await waiting(new)).values():
        assert [orjson.loads(each.value or b"") for each in partition] == [{"time": T + 1_000}]


async def test_where_no_worker_ever_ran_what_is_old_is_not_published_later(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    """The first start of the application, if nothing else says so, is when its new partitions were made."""
    settings = replace(settings_of(kafka.bootstrap, topic_prefix), forget_after=None)
    await ensure_topics(settings)
    await order(settings, range(40))
    new = renamed(settings)
    await carry(settings, new)
    for changelog in await of_all(new):
        position = decode_position(changelog[positions.KEY])
        assert position.live_from is not None
        assert position.live_from > 1_700_000_000_000


async def test_what_is_half_carried_is_not_verified(old: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    new = renamed(old)
    with monkeypatch.context() as patched:
        patched.setattr(Carrier, "_check", break_off)
        with pytest.raises(BrokeOff):
            await carry(old, new)
    scope = VerificationScope(partitions=(), subjects=None, exactly_once=True, wait=0.0)
    with pytest.raises(PositionError, match="under way, or broke off"):
        await Verifier(new, MODEL, scope, Findings(show=1), ignore).run()
