"""`lifecycle import` against real brokers: what lies on the topic afterwards, record by record."""

import asyncio
import gzip
import json
import re
import subprocess
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from stream.codec.controls import HEADER, TICK
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.partitioner import partition_of
from stream.kafka.topic_plan import plan_topics
from stream.kafka.topics import find_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, interrupt, settings_of, started
from tests.kit.kafka import KafkaBroker, SharedKafka
from tests.kit.times import DAY
from tests.kit.topics import Records, create_topics, read_all

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix)


def native(subject: str, time: int, name: str = "page", **more: Any) -> dict[str, Any]:
    return {"type": name, "time": time, "customer_id": subject, "properties": {}, "context": {}, **more}


def write(path: Path, records: Iterable[dict[str, Any] | str]) -> str:
    lines = (each if isinstance(each, str) else json.dumps(each) for each in records)
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def canonical(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)


def is_tick(record: "ConsumerRecord[bytes | None, bytes | None]") -> bool:
    return dict(record.headers).get(HEADER) == TICK


def ticks(records: Records) -> list[list[int]]:
    """The times of the ticks, by partition."""
    return [
        [json.loads(record.value or b"")["time"] for record in partition if is_tick(record)]
        for partition in records.values()
    ]


def interactions(records: Records) -> list[dict[str, Any]]:
    """All interactions, partition after partition."""
    return [
        json.loads(record.value or b"") for partition in records.values() for record in partition if not is_tick(record)
    ]


async def topic(settings: Settings) -> Records:
    return await read_all(settings.bootstrap, settings.topics.interactions)


async def importing(
    run: Run, settings: Settings, *arguments: str, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(run, "import", *arguments, environment=environment_of(settings), stdin=stdin)


async def imported(run: Run, settings: Settings, *arguments: str, stdin: str | None = None) -> tuple[str, Records]:
    """Import successfully; return its summary, in one line, and what then lies on the topic."""
    done = await importing(run, settings, *arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return " ".join(done.stderr.split()), await topic(settings)


async def test_files_of_every_kind_are_merged_by_time_and_each_partition_ends_with_one_tick(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    given = [native(f"c{n % 40}", T + n * 7919 % 1000 * 1000, id=f"i{n}") for n in range(1000)]
    first = write(tmp_path / "a.jsonl", given)
    second = tmp_path / "b.csv.gz"
    second.write_bytes(gzip.compress(b"customer_id,time,type,properties.total\nc1,2026-01-02,Order Completed,3.5\n"))

    summary, records = await imported(lifecycle, settings, str(second), first)

    assert "1,001 interactions sent" in summary
    assert "from 2026-01-01T00:00:00.000Z to 2026-01-02T00:00:00.000Z;" in summary
    assert "time has passed to 2026-01-02T00:00:00.000Z in 4 partitions" in summary
    expected = [*given, native("c1", T + DAY, "Order Completed", properties={"total": 3.5})]
    sent = interactions(records)
    assert Counter(map(canonical, sent)) == Counter(map(canonical, expected))
    assert ticks(records) == [[T + DAY]] * PARTITIONS
    for number, partition in records.items():
        *before, last = partition
        assert is_tick(last)
        assert last.key is None
        times = [json.loads(record.value or b"")["time"] for record in before]
        assert times == sorted(times)
        assert times  # every partition has some
        for record in before:
            assert record.key == json.loads(record.value or b"")["customer_id"].encode()
            assert partition_of(record.key, PARTITIONS) == number


async def test_interactions_are_put_where_the_producers_put_them_that_the_partitioner_is_of(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    """As librdkafka: the history that is imported meets what its producers send from now on."""
    given = write(tmp_path / "a.jsonl", [native(f"c{n}", T) for n in range(40)])
    _, records = await imported(lifecycle, settings, given, "--partitioner", "crc32")
    homes = [
        (number, zlib.crc32(record.key or b"") % PARTITIONS)
        for number, partition in records.items()
        for record in partition
        if not is_tick(record)
    ]
    assert len(homes) == 40
    assert [number for number, home in homes if number != home] == []


async def test_as_is_keeps_the_order_of_the_files_and_ticks_at_the_latest_time(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    given = [native("c", T + offset, id=str(offset)) for offset in (5, 9, 1, 7)]

    _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", given), "--as-is")

    assert interactions(records) == given
    assert ticks(records) == [[T + 9]] * PARTITIONS


async def test_a_mapping_makes_interactions_of_foreign_columns_from_the_standard_input(
    lifecycle: Run, settings: Settings
) -> None:
    mapping = "customer_id=household,time=day,type='Order Completed',properties.total=sales"

    _, records = await imported(
        lifecycle, settings, "-", "--map", mapping, stdin="household,day,sales\nh1,2026-01-01,3.5\n"
    )

    assert interactions(records) == [native("h1", T, "Order Completed", properties={"total": 3.5})]


async def test_a_segment_call_arrives_in_the_native_format_with_its_time_and_id(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    call = {
        "type": "track",
        "event": "Order Completed",
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2026-01-01T00:00:00Z",
        "properties": {"total": 1},
    }

    _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", [call]))

    [record] = interactions(records)
    assert record == {
        "anonymous_id": "a1",
        "id": "m1",
        "type": "Order Completed",
        "time": T,
        "properties": {"total": 1},
        "context": {},
    }


async def test_records_that_cannot_be_read_are_listed_by_reason_and_the_others_are_sent(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    good = native("c1", T)
    bad = ["{", "[]", "{", "{", "{", json.dumps(native("undefined", T))]
    file = write(tmp_path / "a.jsonl", [good, *bad])

    summary, records = await imported(lifecycle, settings, Path(file).name)

    assert interactions(records) == [good]
    assert "1 interaction sent" in summary
    assert re.search(r"not_json +4 +a\.jsonl:2, a\.jsonl:4, a\.jsonl:5, …", summary)
    assert re.search(r"not_an_object +1 +a\.jsonl:3 +an interaction is a JSON object", summary)
    assert re.search(r"blocked_subject +1 +a\.jsonl:7", summary)


async def test_where_no_record_can_be_read_nothing_is_sent_and_the_exit_code_is_1(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    done = await importing(lifecycle, settings, write(tmp_path / "a.jsonl", ["{", "{"]))

    assert done.returncode == 1
    assert "none of the 2 records could be sent" in done.stderr
    assert "not_json" in done.stderr
    assert not any((await topic(settings)).values())


async def test_a_record_larger_than_the_topic_takes_is_listed_and_the_others_are_sent(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    await create_topics(
        settings.bootstrap,
        settings.topics.interactions,
        partitions=PARTITIONS,
        settings={"max.message.bytes": "2000"},
    )
    small = [native("c1", T + n) for n in range(100)]
    large = native("c1", T, properties={"text": "x" * 2000})
    file = write(tmp_path / "a.jsonl", [large, *small])

    summary, records = await imported(lifecycle, settings, Path(file).name, "--as-is")

    assert interactions(records) == small
    assert "too_large" in summary
    assert "takes messages up to 2000" in summary


@pytest.mark.parametrize(("until", "passed"), [(T + DAY, T + DAY), (T - DAY, T)])
async def test_time_passes_up_to_until_where_that_is_later(
    lifecycle: Run, settings: Settings, tmp_path: Path, until: int, passed: int
) -> None:
    file = write(tmp_path / "a.jsonl", [native("c", T)])

    _, records = await imported(lifecycle, settings, file, "--until", str(until))

    assert ticks(records) == [[passed]] * PARTITIONS


async def test_an_interaction_from_the_future_does_not_move_time_there(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    future = native("c", 4_102_444_800_000)

    _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", [future]))

    assert interactions(records) == [future]
    now = time.time_ns() // 1_000_000
    assert all(T < passed <= now for [passed] in ticks(records))


def test_until_in_the_future_is_refused_unless_the_workers_follow_the_stream(lifecycle: Run) -> None:
    refused = lifecycle("import", "none.jsonl", "--until", "2100-01-01")
    assert refused.returncode == 2
    assert "lies in the future" in refused.stderr
    allowed = lifecycle("import", "none.jsonl", "--until", "2100-01-01", environment={"LIFECYCLE_CLOCK": "stream"})
    assert (allowed.returncode, allowed.stderr) == (1, "none.jsonl: No such file or directory\n")


async def test_where_there_are_no_topics_all_are_created_as_planned(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", [native("c", T)]))

    assert ticks(records) == [[T]] * PARTITIONS
    found = await find_topics(settings)
    assert {plan.name: plan.partitions for plan in plan_topics(settings, found)} == {
        name: topic.partitions for name, topic in found.items()
    }


async def test_a_topic_of_interactions_that_exists_is_taken_as_it_is_and_nothing_else_is_asked_for(
    lifecycle: Run, settings: Settings, tmp_path: Path
) -> None:
    """Who may only send interactions neither sees the other topics nor may create them."""
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=3)

    _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", [native("c", T)]))

    assert ticks(records) == [[T]] * 3
    assert set(await find_topics(settings)) == {settings.topics.interactions}


async def test_an_interrupted_import_says_how_many_arrived_and_moves_no_time(
    settings: Settings, tmp_path: Path
) -> None:
    file = write(tmp_path / "a.jsonl", (native(f"c{n}", T + n) for n in range(5000)))

    async with started(settings, "import", file, "--rate", "100") as command:
        while settings.topics.interactions not in await find_topics(settings):
            await asyncio.sleep(0.05)
        while not any((await topic(settings)).values()):
            pass
        _, summary = await interrupt(command)

    assert command.returncode == 130
    records = await topic(settings)
    said = re.search(r"([\d,]+) interactions? sent", summary)
    assert said is not None
    assert 0 < int(said[1].replace(",", "")) == len(interactions(records)) < 5000
    assert "broken off" in summary
    assert ticks(records) == [[]] * PARTITIONS


@pytest.mark.kafka
@pytest.mark.kafka
async def test_a_broker_that_comes_late_and_goes_in_between_is_waited_for_and_all_arrive_once_in_order(
    topic_prefix: str, tmp_path: Path
) -> None:
    given = [native(f"c{n % 7}", T + n, id=str(n)) for n in range(1500)]
    broker = KafkaBroker()
    settings = settings_of(broker.bootstrap, topic_prefix)
    async with started(settings, "import", write(tmp_path / "a.jsonl", given), "--rate", "500") as command:
        assert command.stderr is not None
        assert f"waiting for Kafka at {broker.bootstrap}" in (await command.stderr.readline()).decode()
        await asyncio.to_thread(broker.start)
        try:
            while settings.topics.interactions not in await find_topics(settings):
                await asyncio.sleep(0.05)
            while not any((await topic(settings)).values()):
                pass
            broker.kill()
            assert b"waiting for Kafka" in await asyncio.wait_for(command.stderr.readline(), 180)
            await asyncio.to_thread(broker.start)
            _, summary = await asyncio.wait_for(command.communicate(), 180)
            records = await topic(settings)
        finally:
            broker.kill()

    assert (command.returncode, "1,500 interactions sent" in summary.decode()) == (0, True)
    assert len(interactions(records)) == 1500
    for partition in records.values():
        numbers = [int(json.loads(each.value or b"")["id"]) for each in partition if not is_tick(each)]
        assert numbers == sorted(set(numbers))
    assert ticks(records) == [[T + 1499]] * PARTITIONS


async def test_the_embedded_broker_which_knows_no_idempotence_gets_everything_too(
    lifecycle: Run, topic_prefix: str, tmp_path: Path
) -> None:
    given = [native(f"c{n % 7}", T + n, id=str(n)) for n in range(500)]
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)

        _, records = await imported(lifecycle, settings, write(tmp_path / "a.jsonl", given))

    assert sorted(int(each["id"]) for each in interactions(records)) == list(range(500))
    assert ticks(records) == [[T + 499]] * PARTITIONS
