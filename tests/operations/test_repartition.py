"""Repartition on what a real machine wrote: broken off anywhere, taken back, refused."""

import asyncio
from dataclasses import replace

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.codec.controls import tick
from stream.codec.partitioners import home_of
from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.positions import decode_position, encode_position
from stream.errors import LifecycleError, PositionError, SettingsError, TopicError
from stream.kafka.admin import admin_client
from stream.kafka.topics import ensure_topics, find_topics
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.operations.repartition.carrier import Carrier
from stream.operations.repartition.marks import take_back
from stream.operations.repartition.sources import Sources, split
from stream.operations.reset import find_beginnings, reset_partition
from stream.settings import Settings
from tests.cli.on_kafka import PARTITIONS
from tests.cli.resetting import MODEL, T, changelogs, current_stages, order, work
from tests.kit.kafka import SharedKafka
from tests.kit.machines import finish
from tests.kit.topics import add_partitions, create_topics, produce
from tests.operations.repartitioning import (
    MORE,
    assert_carried,
    carry,
    customers,
    ignore,
    of_all,
    prepared,
    renamed,
    waiting,
)

pytestmark = pytest.mark.kafka


class BrokeOff(Exception):
    """As by Ctrl-C, or a machine that is gone."""


@pytest.fixture
async def old(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return await prepared(kafka.bootstrap, topic_prefix)


async def test_everybody_is_at_home_with_all_but_the_offsets_of_before(old: Settings) -> None:
    new = renamed(old)
    await carry(old, new)
    await assert_carried(old, new)
    for changelog in await of_all(new):
        position = decode_position(changelog[positions.KEY])
        assert position.offsets == {new.topics.interactions: 0}
        assert (position.partitions, position.generation, position.since, position.begun) == (MORE, 2, 0, None)
        assert position.carried_to is msgspec.UNSET
    found = await find_topics(new, [old.topics.interactions, new.topics.interactions])
    kept, made = (found[each.topics.interactions].configs for each in (old, new))
    assert kept["message.timestamp.type"] == made["message.timestamp.type"] == "LogAppendTime"
    assert kept["max.message.bytes"] == made["max.message.bytes"]
    assert kept["retention.ms"] == made["retention.ms"]


@pytest.mark.slow
async def test_broken_off_anywhere_no_worker_goes_on_and_another_run_completes_it(old: Settings) -> None:
    """At the first and the last of each kind of step. What is there is never taken for a whole."""
    steps: list[str] = []
    await carry(old, renamed(old, "count."), lambda what, _share: steps.append(what))
    assert {"customers", "current stages", "reading it again"} <= set(steps)
    await take_back(old, PARTITIONS)
    first = steps.index("customers")
    names = [*dict.fromkeys(steps[first:])]
    ends = {len(steps) - 1 - steps[::-1].index(name) for name in names}
    for broken in sorted({steps.index(name) for name in names} | ends):
        new = renamed(old, f"at{broken}.")
        count = 0

        def break_off(_what: str, _share: float, broken: int = broken) -> None:
            nonlocal count
            count += 1
            if count == broken + 1:
                raise BrokeOff

        with pytest.raises(BrokeOff):
            await carry(old, new, break_off)
        if broken > first:
            refused = [each for each in await of_all(new) if not is_refused(new, each)]
            assert refused == []
        await carry(old, new)
        await assert_carried(old, new)
        assert all(is_refused(old, each) for each in await changelogs(old))
        assert not any(is_refused(new, each) for each in await of_all(new))
        assert (await take_back(old, PARTITIONS)) == [new.topics.interactions] * PARTITIONS


def is_refused(settings: Settings, changelog: dict[bytes, bytes]) -> bool:
    """Whether a worker would not go on with this."""
    place = SourcePartition(settings.topics.interactions, 0, settings.partitions)
    machine = PartitionMachine(MODEL, settings, place)
    try:
        finish(machine.restore(dict(changelog)))
    except PositionError as error:
        return "repartition" in str(error)
    return False


async def test_what_is_copied_is_copied_once_though_a_transaction_fails_in_the_middle(
    old: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After all records are there, before the offsets are: all of it is as if it had never been."""
    new = renamed(old)

    async def fail(*_: object) -> None:
        raise BrokeOff

    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaProducer, "send_offsets_to_transaction", fail)
        with pytest.raises(BrokeOff):
            await carry(old, new)
    await carry(old, new)
    await assert_carried(old, new)


async def test_a_second_copier_ends_the_first_and_goes_on_where_that_came(old: Settings) -> None:
    new = renamed(old)
    carrier = await carry(old, new)
    [landed] = await order(old, [90])
    async with carrier.copier() as first, carrier.copier() as second:
        await second.copy(lambda _: None)
        with pytest.raises(KafkaError):
            await first.copy(lambda _: None)
        assert second.copied == 1
    copies = [each for partition in (await waiting(new)).values() for each in partition]
    assert [each.key for each in copies].count(b"a10") == 2
    assert landed.topic == old.topics.interactions


async def test_taken_back_workers_go_on_as_if_nothing_had_been(old: Settings) -> None:
    before = await changelogs(old)
    await carry(old, renamed(old))
    assert await take_back(old, PARTITIONS) == [renamed(old).topics.interactions] * PARTITIONS
    assert [without_given(each) for each in await changelogs(old)] == before
    assert await take_back(old, PARTITIONS) == []


def without_given(changelog: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """A changelog whose position does not say which generation was given to lives elsewhere."""
    position = decode_position(changelog[positions.KEY])
    position.given = msgspec.UNSET
    return {**changelog, positions.KEY: encode_position(position)}


async def test_lives_of_what_was_taken_back_have_names_that_no_later_one_gets(old: Settings) -> None:
    """The first topics have generation 2, so those of a second try have 3, and what a reset makes 4."""
    first, second = renamed(old), renamed(old, "v3.")
    await carry(old, first)
    await take_back(old, PARTITIONS)
    await work(old, 40, customers=40)
    await carry(old, second)
    generations = {decode_position(each[positions.KEY]).generation for each in await of_all(second)}
    assert generations == {3}
    await take_back(old, PARTITIONS)
    for beginning in await find_beginnings(old, PARTITIONS, None):
        await reset_partition(old, beginning, exactly_once=True, now=T)
    assert {decode_position(each[positions.KEY]).generation for each in await changelogs(old)} == {4}


async def test_ticks_wait_for_all_partitions_and_then_move_all_new_ones_no_further_than_the_earliest(
    old: Settings,
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=old.bootstrap) as producer:
        for number in range(PARTITIONS):
            made = tick(T + 1_000 + number)
            await producer.send_and_wait(
                old.topics.interactions, made.value, partition=number, headers=list(made.headers)
            )
    new = renamed(old)
    await carry(old, new)
    for partition in (await waiting(new)).values():
        [told] = [each.value for each in partition if each.key is None]
        assert msgspec.json.decode(told or b"") == {"time": T + 1_000}


async def test_ticks_that_come_in_several_runs_move_the_new_partitions_once_all_old_ones_have_come_so_far(
    old: Settings,
) -> None:
    new = renamed(old)
    carrier = await carry(old, new)
    for number in range(PARTITIONS):
        async with AIOKafkaProducer(bootstrap_servers=old.bootstrap) as producer:
            made = tick(T + 1_000 + number)
            topic = old.topics.interactions
            await producer.send_and_wait(topic, made.value, partition=number, headers=list(made.headers))
        async with carrier.copier() as copier:
            await copier.copy(lambda _: None)
    for partition in (await waiting(new)).values():
        told = [each.value for each in partition if each.key is None]
        assert msgspec.json.decode(told[-1] or b"") == {"time": T + 1_000}


async def test_what_cannot_be_read_is_copied_too_and_becomes_a_dead_letter_there(old: Settings) -> None:
    await produce(old.bootstrap, old.topics.interactions, [Outgoing(b"c1", b"no JSON"), Outgoing(None, b"{}")])
    new = renamed(old)
    await carry(old, new)
    copies = [each.value for partition in (await waiting(new)).values() for each in partition]
    assert {b"no JSON", b"{}"} < set(copies)
    assert len(copies) == 42


async def test_a_worker_that_went_on_meanwhile_is_noticed(old: Settings) -> None:
    new = renamed(old)
    carrier = Carrier(old, new, MODEL, ignore)
    await carrier.look()
    await work(old, 40)
    with pytest.raises(PositionError, match="a worker went on"):
        await carrier.carry()
    await carry(old, new)
    assert (await customers(new)).keys() == (await customers(old)).keys()


async def test_it_is_not_carried_to_two_places(old: Settings) -> None:
    await carry(old, renamed(old))
    with pytest.raises(PositionError, match=r"carried over to .*v2\.interactions before"):
        await Carrier(old, renamed(old, "v3."), MODEL, ignore).look()


async def test_topics_that_are_not_for_it_are_left_alone(old: Settings) -> None:
    """Of another size, or with a state of their own."""
    other = renamed(old, "other.")
    await create_topics(old.bootstrap, other.topics.interactions, partitions=MORE + 1)
    with pytest.raises(TopicError, match=f"with {MORE + 1} partitions and not {MORE}"):
        await Carrier(old, other, MODEL, ignore).look()
    used = renamed(old, "used.", PARTITIONS)
    await ensure_topics(used)
    await order(used, range(40))
    await work(used, 40 + PARTITIONS, customers=40)
    with pytest.raises(PositionError, match="not carried over from here"):
        await Carrier(old, used, MODEL, ignore).look()


async def test_customers_in_strange_places_are_refused_and_a_few_go_home(old: Settings) -> None:
    """With another partitioner than the producers', nearly all would be lost to them."""
    with pytest.raises(SettingsError, match="of 40 customers are in another partition than crc32 gives"):
        await Carrier(replace(old, partitioner="crc32"), renamed(old), MODEL, ignore).look()


async def test_other_settings_than_the_workers_are_refused(old: Settings) -> None:
    with pytest.raises(SettingsError, match="other lifecycles or settings"):
        await Carrier(replace(old, clock="wall"), renamed(old), MODEL, ignore).look()


async def test_what_retention_took_unprocessed_is_said_before_anything_is_done(old: Settings) -> None:
    carrier = Carrier(old, renamed(old), MODEL, ignore)
    await carrier.look()
    firsts = dict.fromkeys(range(PARTITIONS), 1_000)
    with pytest.raises(LifecycleError, match="--keep-states"):
        carrier.sources.require(old, MODEL, firsts)


async def test_topics_that_were_deleted_and_are_made_again_get_all_that_waits(old: Settings) -> None:
    """Though the group that remembers how far was copied is still there."""
    new = renamed(old)
    await carry(old, new)
    await take_back(old, PARTITIONS)
    async with admin_client(new) as admin:
        await admin.delete_topics(list(new.topics.named(figures=False)))
    async with asyncio.timeout(60):
        while await find_topics(new):
            await asyncio.sleep(0.1)
    await carry(old, new)
    await assert_carried(old, new)


def test_a_customer_with_two_lives_goes_on_with_the_one_that_was_active_last() -> None:
    sources = Sources()
    for partition, active in ((0, 5), (1, 9), (2, 7)):
        sources.add(partition, 3, "murmur2", {b"cx": b"\1\0" + bytes(8) + active.to_bytes(8, "little")})
    assert sources.chosen == {b"cx": 1}
    changelog = {b"cx": b"?"}
    homes = [sum(map(len, split(sources, partition, changelog, "murmur2", 5))) for partition in range(3)]
    assert homes == [0, 1, 0]


async def test_where_somebody_added_partitions_in_place_everybody_is_found_again(old: Settings) -> None:
    """Workers refuse what Kafka makes of it: interactions on as many partitions, and the state on fewer."""
    await add_partitions(old.bootstrap, old.topics.interactions, MORE)
    await order(old, range(80, 120))
    new = renamed(old)
    await carry(old, new)
    assert {key: number for key, (number, _) in (await customers(new)).items()} == {
        key: home_of("murmur2", key, MORE, 1) for key in await customers(old)
    }
    by_key: dict[bytes | None, list[int]] = {}
    for number, partition in (await waiting(new)).items():
        for each in partition:
            assert number == home_of("murmur2", each.key or b"", MORE)
            by_key.setdefault(each.key, []).append(each.timestamp)
    assert {len(times) for times in by_key.values()} == {2}
    assert all(times == sorted(times) for times in by_key.values())
    await work(new, 80)
    assert len(await current_stages(new)) == 40


async def test_customers_of_a_topic_that_was_deleted_and_created_again_are_kept(old: Settings) -> None:
    """Workers refuse their positions, which mean nothing in the new one; scores and stages are whole all the same."""
    async with admin_client(old) as admin:
        await admin.delete_topics([old.topics.interactions])
    async with asyncio.timeout(60):
        while old.topics.interactions in await find_topics(old):
            await asyncio.sleep(0.1)
    await ensure_topics(old)
    await order(old, range(80, 90))
    new = renamed(old)
    carrier = Carrier(old, new, MODEL, ignore)
    assert (await carrier.look()).was_recreated
    await carrier.carry()
    assert len(await customers(new)) == 40
    assert sum(map(len, (await waiting(new)).values())) == 10


async def test_a_reset_takes_no_mark_away(old: Settings) -> None:
    """Of states that were carried over, or of those that are half there: a later run would take them for whole."""
    new = renamed(old)

    def break_off(what: str, _share: float) -> None:
        if what == "current stages":
            raise BrokeOff

    with pytest.raises(BrokeOff):
        await carry(old, new, break_off)
    for settings in (old, new):
        [beginning, *_] = await find_beginnings(settings, settings.partitions, None)
        with pytest.raises(PositionError, match="run that again to complete it"):
            await reset_partition(settings, beginning, exactly_once=True, now=T)
    await carry(old, new)
    assert (await customers(new)).keys() == (await customers(old)).keys()
