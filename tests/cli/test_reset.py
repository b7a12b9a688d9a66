"""`lifecycle reset` on what a real machine wrote, and what the next one finds."""

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.records import Outgoing
from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.positions import KEY, Position, decode_position, encode_position
from stream.core.model import model_of
from stream.engine.delivery import Route, Transactional
from stream.errors import PositionError
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topics import ensure_topics
from stream.machine.batch import Batch
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.operations.reset import Beginning, FreshStart, _batches
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, settings_of
from tests.cli.resetting import (
    LIVE_FROM,
    MODEL,
    T,
    changelogs,
    changes,
    changes_end,
    current_stages,
    figures,
    order,
    reset,
    work,
    worked_on,
)
from tests.kit.kafka import SharedKafka
from tests.kit.machines import finish
from tests.kit.topics import read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix)


@pytest.fixture
async def worked(settings: Settings) -> Settings:
    """Topics on which 40 orders were processed; everything after `LIVE_FROM` is published."""
    return await worked_on(settings)


async def test_a_reset_to_the_earliest_leaves_nothing_but_a_position_and_a_replay_makes_all_of_it_again(
    lifecycle: Run, worked: Settings
) -> None:
    before, stages = await changes(worked), await current_stages(worked)
    ends = await changes_end(worked)

    done = await reset(lifecycle, worked, "earliest", "--yes")

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "about 40 records to read" in " ".join(done.stderr.split())
    assert "40 customers forgotten in 4 partitions" in done.stderr
    for number, left in enumerate(await changelogs(worked)):
        assert set(left) == {positions.KEY}
        assert decode_position(left[positions.KEY]) == Position(
            offsets={},
            clock=None,
            partitions=PARTITIONS,
            live_from=LIVE_FROM,
            changes_from={str(number): ends[number]},
            generation=2,
            format=positions.WITH_GENERATION,
        )
    assert await current_stages(worked) == {}
    assert await changes(worked) == before

    await work(worked, 40 + PARTITIONS, customers=40)
    assert await current_stages(worked) == {key: in_generation_2(value) for key, value in stages.items()}
    again = [[*partition, *map(in_generation_2, partition)] for partition in before]
    assert await changes(worked) == again
    ids = await change_ids(worked)
    assert len(ids) == len(set(ids)) == 2 * sum(map(len, before))


async def test_a_reset_takes_back_the_rows_of_figures_and_a_replay_writes_them_again(
    lifecycle: Run, settings: Settings
) -> None:
    """So whoever keeps the latest row of each key has nothing left of what was thrown away."""
    await ensure_topics(settings, figures=True)
    await order(settings, range(40))
    await work(settings, 40 + PARTITIONS, customers=40, figures=True)
    before = await figures(settings)
    orders = [orjson.loads(row) for row in before.values() if b'"figure":"orders"' in row]
    assert sum(row["value"] for row in orders if row["kind"] == "all") == 40

    done = await reset(lifecycle, settings, "earliest", "--yes")

    assert done.returncode == 0, done.stderr
    assert await figures(settings) == {}
    await work(settings, 40 + PARTITIONS, customers=40, figures=True)
    assert await figures(settings) == before


def in_generation_2(change: bytes | None) -> bytes:
    """The same change of a life that began again after a reset."""
    assert change is not None
    return change.replace(b'"born":"', b'"born":"2.')


async def change_ids(settings: Settings) -> list[bytes]:
    records = await read_all(settings.bootstrap, settings.topics.stage_changes)
    return [dict(record.headers)["ce_id"] for partition in records.values() for record in partition]


async def test_a_reset_to_a_time_begins_with_the_first_record_that_arrived_then_or_at_the_end(
    lifecycle: Run, worked: Settings
) -> None:
    ends = [len(partition) for partition in (await interactions(worked)).values()]
    await asyncio.sleep(0.01)  # a broker's clock tells milliseconds
    [later] = await order(worked, [41])

    done = await reset(lifecycle, worked, str(later.timestamp), "--yes")

    assert done.returncode == 0, done.stderr
    read_on = [decode_position(each[positions.KEY]).offsets for each in await changelogs(worked)]
    assert read_on == [{worked.topics.interactions: end} for end in ends]
    assert read_on[later.partition] == {worked.topics.interactions: later.offset}
    await work(worked, 1)
    assert list(await current_stages(worked)) == [b"journey:customer:c1"]


async def interactions(settings: Settings) -> dict[int, list[object]]:
    records = await read_all(settings.bootstrap, settings.topics.interactions)
    return {number: list(partition) for number, partition in records.items()}


async def test_it_is_refused_while_the_group_has_a_member_and_then_nothing_is_touched(
    lifecycle: Run, worked: Settings
) -> None:
    before = await changelogs(worked)
    async with AIOKafkaConsumer(
        worked.topics.interactions,
        bootstrap_servers=worked.bootstrap,
        group_id=worked.group,
        enable_auto_commit=False,
    ):
        done = await reset(lifecycle, worked, "earliest", "--yes")

    assert done.returncode == 1
    assert f"workers of group {worked.group} are running: 1 on 127.0.0.1. Stop them" in done.stderr
    assert await changelogs(worked) == before


async def test_it_asks_and_does_nothing_without_a_yes(lifecycle: Run, worked: Settings) -> None:
    before = await changelogs(worked)

    for answer in ("n\n", ""):
        done = await reset(lifecycle, worked, "earliest", stdin=answer)
        assert done.returncode == 1
        assert "Are all workers stopped" in done.stderr
    assert await changelogs(worked) == before


async def test_a_worker_that_the_group_does_not_know_of_cannot_write_after_a_reset(
    lifecycle: Run, worked: Settings
) -> None:
    source = TopicPartition(worked.topics.interactions, 0)
    zombie = Transactional(Route(worked, source, worked.topics.machine))
    await zombie.start()

    assert (await reset(lifecycle, worked, "earliest", "--yes")).returncode == 0

    with pytest.raises(KafkaError):
        await zombie.write(Batch(state=[Outgoing(b"czombie", b"state")], next_offset=1))
    await zombie.discard()
    assert set((await changelogs(worked))[0]) == {positions.KEY}


async def test_what_no_worker_ever_had_stays_untouched_or_goes_live_now(lifecycle: Run, settings: Settings) -> None:
    await ensure_topics(settings)
    [first] = await order(settings, [1])

    assert (await reset(lifecycle, settings, "earliest", "--yes")).returncode == 0
    assert await changelogs(settings) == [{}] * PARTITIONS

    assert (await reset(lifecycle, settings, "2026-01-01", "--yes")).returncode == 0
    position = decode_position((await changelogs(settings))[first.partition][positions.KEY])
    assert position.offsets == {settings.topics.interactions: 0}
    assert position.live_from is not None
    assert position.live_from >= first.timestamp


async def test_where_the_topic_is_not_there_the_settings_are_doubted(lifecycle: Run, settings: Settings) -> None:
    done = await reset(lifecycle, settings, "earliest", "--yes")

    assert done.returncode == 1
    assert f"topic {settings.topics.interactions} does not exist" in done.stderr


def test_a_time_that_is_none_is_an_error_that_names_what_is_right(lifecycle: Run) -> None:
    done = lifecycle("reset", "--to", "yesterday")

    assert done.returncode == 2
    assert "right is earliest, 2026-11-01" in done.stderr


async def test_the_embedded_broker_goes_back_to_the_earliest_but_knows_no_time(
    lifecycle: Run, topic_prefix: str
) -> None:
    async with EmbeddedBroker() as broker:
        worked = await worked_on(settings_of(broker.bootstrap, topic_prefix))
        stages = await current_stages(worked)

        by_time = await reset(lifecycle, worked, "2026-01-01", "--yes")
        assert by_time.returncode == 1
        assert "cannot find interactions by their time" in by_time.stderr
        assert await current_stages(worked) == stages

        assert (await reset(lifecycle, worked, "earliest", "--yes")).returncode == 0
        assert [set(each) for each in await changelogs(worked)] == [{positions.KEY}] * PARTITIONS
        assert await current_stages(worked) == {}
        await work(worked, 40 + PARTITIONS, customers=40)
        assert await current_stages(worked) == {key: in_generation_2(value) for key, value in stages.items()}


@pytest.mark.parametrize("exclusive", [True, False])
async def test_a_reset_that_broke_off_leaves_the_old_state_or_one_that_every_worker_refuses(
    worked: Settings, monkeypatch: pytest.MonkeyPatch, exclusive: bool
) -> None:
    monkeypatch.setattr("stream.operations.reset._AT_ONCE", 3)
    changelog = max(await changelogs(worked), key=len)
    beginning = Beginning(0, PARTITIONS, None, 0, 40)

    batches = list(_batches(worked, changelog, FreshStart(beginning, T, {}), exclusive=exclusive))

    assert len(batches) > 3
    for batch in batches:
        machine = PartitionMachine(MODEL, worked, SourcePartition(worked.topics.interactions, 0, PARTITIONS))
        for record in batch.state:
            assert record.key is not None
            if record.value is None:
                del changelog[record.key]
            else:
                changelog[record.key] = record.value
        if batch is not batches[-1]:
            with pytest.raises(PositionError, match="lifecycle reset"):
                finish(machine.restore(changelog))
        else:
            finish(machine.restore(changelog))
            assert (machine.next_offset, machine.customers) == (None, 0)

    again = list(_batches(worked, changelog, FreshStart(beginning, T, {}), exclusive=exclusive))
    first, second = (decode_position(each[-1].state[-1].value or b"") for each in (batches, again))
    assert (first.generation, second.generation) == (2, 3)
    first.generation = 3
    assert first == second


async def test_a_small_reset_is_one_transaction(worked: Settings) -> None:
    [changelog, *_] = await changelogs(worked)

    fresh = FreshStart(Beginning(0, PARTITIONS, 7, 7, 40), T, {})
    [batch] = _batches(worked, changelog, fresh, exclusive=True)

    assert batch.next_offset == 7
    assert {record.key for record in batch.state if record.value is None} == set(changelog) - {positions.KEY}
    assert batch.state[-1].key == positions.KEY


def test_a_lifecycle_that_was_dropped_before_leaves_no_current_stages() -> None:
    """Only its layout still names it."""
    dropped = CustomerCodec(model_of([load("nurture").lifecycle]))
    position = Position(offsets={}, partitions=PARTITIONS, lifecycles={"journey": "00"})
    changelog = {b"cada": b"", KEY: encode_position(position), **dict(dropped.layout_records())}
    fresh = FreshStart(Beginning(0, PARTITIONS, 7, 7, 40), T, {})
    [batch] = _batches(Settings(), changelog, fresh, exclusive=True)
    assert {each.key for each in batch.latest} == {b"journey:customer:ada", b"nurture:customer:ada"}


@pytest.mark.parametrize("offset", [None, 7])
def test_where_the_states_are_lost_a_reset_begins_a_generation_that_was_never_there(offset: int | None) -> None:
    """As after their topic was deleted: how often they were reset is lost, too, but not the changes with their ids."""
    fresh = FreshStart(Beginning(0, PARTITIONS, offset, offset or 0, 40), T, {"0": 12})
    [batch] = _batches(Settings(), {}, fresh, exclusive=True)
    [record] = batch.state
    position = decode_position(record.value or b"")
    assert position.generation == T // 1000
    assert position.changes_from == {"0": 12}
    [after] = _batches(Settings(), {positions.KEY: record.value or b""}, fresh, exclusive=True)
    assert decode_position(after.state[-1].value or b"").generation == T // 1000 + 1


def test_where_nothing_was_ever_published_there_is_no_generation_to_begin() -> None:
    fresh = FreshStart(Beginning(0, PARTITIONS, 7, 7, 40), T, {"0": 0})
    [batch] = _batches(Settings(), {}, fresh, exclusive=True)
    assert decode_position(batch.state[-1].value or b"").generation == 1
