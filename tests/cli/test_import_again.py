"""An import that is run twice, or killed and begun again, on a real broker with real workers: each row counts once."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from stream.cli.terminal.amounts import amount
from stream.codec.import_rows import HEADER
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.keys import CUSTOMER
from stream.core.exact import number_of_fact
from stream.core.model import model_of
from stream.kafka.topics import find_topics
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, settings_of, started
from tests.engine.rig import Rig
from tests.kit.damage import Damage, damage
from tests.kit.kafka import SharedKafka
from tests.kit.times import DAY
from tests.kit.topics import Records, read_all

T = 1_767_225_600_000 - 400 * DAY
MODEL = model_of(
    [parse("lifecycle: shop\nfacts: {orders: {count: buy}}\nstages: {in: {}}\n", "a.yaml").lifecycle], None
)


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix)


def a_year(path: Path, count: int) -> str:
    """Orders of nine customers over a year, in no order; every second one has an id."""
    days = [number * 7919 % count * 365 // count for number in range(count)]
    orders = (
        {"customer_id": f"c{number % 9}", "type": "buy", "time": T + day * DAY, "id": f"o{number}"}
        for number, day in enumerate(days)
    )
    lines = (
        json.dumps({key: value for key, value in order.items() if key != "id" or number % 2})
        for number, order in enumerate(orders)
    )
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


async def imported(run: Run, settings: Settings, *arguments: str) -> str:
    done = await asyncio.to_thread(run, "import", *arguments, environment=environment_of(settings))
    assert done.returncode == 0, done.stderr
    return " ".join(done.stderr.split())


async def topic(settings: Settings) -> Records:
    return await read_all(settings.bootstrap, settings.topics.interactions)


def rows(records: Iterable[Any]) -> list[bytes]:
    """The headers of the rows among records, in order."""
    return [dict(record.headers)[HEADER] for record in records if HEADER in dict(record.headers)]


def spread(records: Records) -> list[bytes]:
    return [row for partition in records.values() for row in rows(partition)]


async def orders_of(settings: Settings) -> Counter[str]:
    """How many orders each customer has, once workers have read all that is there."""
    machines: dict[int, PartitionMachine] = {}

    def make(number: int, topic_of: Any) -> PartitionMachine:
        machine = PartitionMachine(MODEL, settings, SourcePartition(settings.topics.interactions, number, *topic_of))
        machines[number] = machine
        return machine

    ends = {number: each[-1].offset + 1 for number, each in (await topic(settings)).items() if each}
    async with Rig(settings, make) as rig:
        await rig.recorder.until(
            lambda: all(_position(machines.get(number)) >= end for number, end in ends.items()), 60
        )
        assert rig.recorder.failures == []
    counts: Counter[str] = Counter()
    for machine in machines.values():
        for number in range(9):
            customer = machine.customer(CUSTOMER + f"c{number}".encode())
            if customer is not None:
                counts[customer.id] += number_of_fact(customer.lives["shop"], 0)
    return counts


def _position(machine: PartitionMachine | None) -> int:
    return 0 if machine is None else machine.next_offset or 0


def once(count: int) -> Counter[str]:
    return Counter(f"c{number % 9}" for number in range(count))


async def test_an_import_that_is_run_twice_counts_each_row_once_and_says_how_many_were_known(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    """What the topic has is not sent again; what is sent again all the same, workers know, with and without ids."""
    file = a_year(tmp_path / "orders.jsonl", 180)
    first = await imported(lifecycle, settings, file)
    assert "180 interactions sent" in first
    assert "earlier run" not in first
    assert await orders_of(settings) == once(180)

    again = await imported(lifecycle, settings, file)
    assert "0 interactions sent" in again
    assert "180 rows found on the topic from an earlier run, and not sent again" in again
    assert "time has passed to" in again
    assert len(spread(await topic(settings))) == 180

    forced = await imported(lifecycle, settings, file, "--no-resume")
    assert "180 interactions sent" in forced
    assert Counter(Counter(spread(await topic(settings))).values()) == {2: 180}
    assert await orders_of(settings) == once(180)

    # Retention deletes all of one partition: these rows are sent again, and known by workers.
    gone = await topic(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap)
    await admin.start()
    number = next(number for number, records in gone.items() if rows(records))
    last = gone[number][-1].offset + 1
    await admin.delete_records({TopicPartition(settings.topics.interactions, number): RecordsToDelete(last)})
    await admin.close()
    lost = len(set(rows(gone[number])))
    assert 0 < lost < 180
    summary = await imported(lifecycle, settings, file)
    assert f"{amount(lost, 'interaction')} sent" in summary
    assert f"{180 - lost} rows found on the topic" in summary
    assert await orders_of(settings) == once(180)

    # Given together with another file it is still the same; the other one counts.
    other = a_year(tmp_path / "other.jsonl", 1)
    assert "1 interaction sent" in await imported(lifecycle, settings, other, file)
    assert await orders_of(settings) == once(180) + once(1)


async def test_a_batch_that_cannot_be_read_does_not_keep_an_import_from_being_made_or_repeated(
    kafka: SharedKafka, lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    """It may be one of the import itself: what it held is sent again."""
    file = a_year(tmp_path / "orders.jsonl", 180)
    await imported(lifecycle, settings, file)
    before = await topic(settings)
    number = next(number for number, records in before.items() if rows(records))
    first, after = damage(kafka, settings.topics.interactions, number, 0, Damage.BIT)
    lost = sum(first <= record.offset < after for record in before[number])

    summary = await imported(lifecycle, settings, file)

    assert f"{amount(lost, 'interaction')} sent" in summary
    assert f"{180 - lost} rows found on the topic from an earlier run" in summary


@pytest.mark.parametrize("order", [[], ["--as-is"]], ids=["sorted", "as-is"])
async def test_an_import_that_was_killed_goes_on_where_it_broke_off(
    lifecycle: Run, settings: Settings, tmp_path: Path, order: list[str]
) -> None:
    """SIGKILL in the middle, and the same command again: each row is on the topic once, in order, and counts once."""
    count = 900
    file = a_year(tmp_path / "orders.jsonl", count)
    async with started(settings, "import", file, "--rate", "150", *order) as command:
        while settings.topics.interactions not in await find_topics(settings):
            await asyncio.sleep(0.05)
        while not spread(await topic(settings)):
            pass
        command.kill()
        await command.wait()
    before = await topic(settings)
    written = len(spread(before))
    assert 0 < written < count

    summary = await imported(lifecycle, settings, file, *order)

    said = re.search(r"([\d,]+) rows found on the topic", summary)
    assert said is not None
    assert int(said[1]) >= written
    after = await topic(settings)
    assert Counter(Counter(spread(after)).values()) == {1: count}
    for number, records in after.items():
        places = [tuple(map(int, row.split(b":")[1:])) for row in rows(records)]
        assert places == sorted(places)
        assert rows(records)[: len(rows(before[number]))] == rows(before[number])
    assert len(after) == PARTITIONS
    assert await orders_of(settings) == once(count)
