"""`lifecycle doctor`: what it says of a topic on which producers do what they do in the wild."""

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.partitioners import home_of
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import environment_of, settings_of
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics

COUNT = 4


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    made = replace(settings_of(kafka.bootstrap, topic_prefix), lifecycles=("metrics",))
    await create_topics(made.bootstrap, made.topics.interactions, partitions=COUNT)
    return made


async def write(
    settings: Settings,
    values: Iterable[tuple[str | None, bytes]],
    *,
    partitioner: str = "murmur2",
    codec: str | None = None,
    idempotent: bool = False,
) -> None:
    """Each with its key, where a producer with this partitioner puts it."""
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, compression_type=codec, enable_idempotence=idempotent
    ) as producer:
        for key, value in values:
            partition = 0 if key is None else home_of(partitioner, key.encode(), COUNT)
            await producer.send(settings.topics.interactions, value, key and key.encode(), partition=partition)
        await producer.flush()


def visit(customer: str, **fields: object) -> bytes:
    record = {"type": "page_view", "customer_id": customer, "time": int(time.time() * 1_000) - 60_000, **fields}
    return json.dumps(record).encode()


async def doctor(run: Run, settings: Settings, *arguments: str) -> tuple[int, str]:
    environment = environment_of(settings) | {"COLUMNS": "100"}
    done = await asyncio.to_thread(run, "doctor", *arguments, environment=environment)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


async def examined(run: Run, settings: Settings, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, printed = await doctor(run, settings, "--json", *arguments)
    return code, json.loads(printed)


async def test_a_topic_that_is_as_it_should_be_needs_no_change(lifecycle: Run, settings: Settings) -> None:
    await write(settings, [(f"c{n}", visit(f"c{n}")) for n in range(40)], codec="lz4", idempotent=True)
    code, found = await examined(lifecycle, settings)
    assert (code, found["advice"]) == (0, [])
    assert (found["records"], found["interactions"]) == (40, 40)
    assert found["formats"] == {"native": 40}
    assert found["codecs"] == {"lz4": 40}
    assert found["idempotent"] == found["records_in_batches"] == 40
    assert found["keys"] == {"customer_id": 40, "none": 0, "other": 0}
    assert found["partitioners"]["murmur2"] == 40 > found["partitioners"]["crc32"]
    assert found["names"] == {"page_view": 40}
    assert 59_000 < found["median_delay_ms"] < 600_000
    code, printed = await doctor(lifecycle, settings)
    assert code == 0
    assert "native 100 %" in printed
    assert "murmur2 explains 100 % of the keyed records (Java" in printed
    assert "All of it can be used." in printed


async def test_what_producers_of_other_habits_do_is_said_with_what_to_set(lifecycle: Run, settings: Settings) -> None:
    customers = [f"c{n}" for n in range(40)]
    await write(settings, [(each, visit(each)) for each in customers], partitioner="crc32")
    segment = {"type": "track", "event": "Hand Waved", "userId": "c1", "messageId": "m1"}
    odd = [
        b"\0\0\0\0\x8e" + visit("c1"),
        b"\0\0\0\0\x8e\x02\x0ahello",
        json.dumps({"schema": None, "payload": json.loads(visit("c1", time=int(time.time())))}).encode(),
        json.dumps(segment).encode(),
        json.dumps({"distinct_id": "c1", "event": "visit"}).encode(),
        visit("c1", time=int(time.time() * 1_000) + 3_600_000),
        visit("c1", properties={"a": float("nan")}),
    ]
    await write(settings, [(None, each) for each in odd], codec="gzip")
    code, found = await examined(lifecycle, settings)
    assert code == 1
    assert found["records"] == 47
    assert found["formats"] == {
        "native": 42,
        "native, behind a schema registry's bytes": 1,
        "of no known format, behind a schema registry's bytes": 1,
        "native, in Kafka Connect's envelope": 1,
        "Segment": 1,
        "of no known format": 1,
    }
    assert found["codecs"] == {"none": 40, "gzip": 7}
    assert {reason: each["records"] for reason, each in found["rejected"].items()} == {
        "not_json": 1,
        "no_event_name": 1,
    }
    assert found["flaws"] == {"time_unit": 1, "not_a_number": 1}
    assert found["unknown_names"] == {"Hand Waved": 1}
    assert found["ahead"] == 1
    assert found["partitioners"]["crc32"] == 40
    assert found["misplaced"] > 10
    advice = "\n".join(found["advice"])
    for words in (
        "schema registry (schema 142)",
        "map = ",
        "set `partitioner` to crc32",
        "no lifecycle knows",
        "Hand Waved (1)",
        "a producer's clock is off",
        "send milliseconds",
        "NaN",
    ):
        assert words in advice
    code, printed = await doctor(lifecycle, settings)
    assert code == 1
    assert all(" ".join(each.split()) in " ".join(printed.split()) for each in found["advice"])


async def test_only_the_latest_records_are_looked_at(lifecycle: Run, settings: Settings) -> None:
    await write(settings, [(f"c{n}", visit(f"c{n}")) for n in range(200)])
    _, found = await examined(lifecycle, settings, "--records", "40")
    assert found["records"] == 40


async def test_an_empty_topic_and_one_that_is_not_there(lifecycle: Run, settings: Settings) -> None:
    code, printed = await doctor(lifecycle, settings)
    assert code == 0
    assert "The topic is empty." in printed
    gone = replace(settings, topic_prefix=f"{settings.topic_prefix}no-")
    done = await asyncio.to_thread(lifecycle, "doctor", environment=environment_of(gone))
    assert done.returncode == 1
    assert "does not exist" in done.stderr


async def test_an_import_warns_where_live_interactions_lie_on_other_partitions(
    lifecycle: Run, settings: Settings
) -> None:
    customers = [f"c{n}" for n in range(40)]
    rows = b"".join(visit(each) + b"\n" for each in customers).decode()

    async def said() -> str:
        environment = environment_of(settings)
        done = await asyncio.to_thread(lifecycle, "import", "-", "--no-resume", stdin=rows, environment=environment)
        assert done.returncode == 0, done.stderr
        return " ".join(done.stderr.split())

    assert "partitions than" not in await said()
    assert "partitions than" not in await said()  # its own rows lie where it would send them
    await write(settings, [(each, visit(each)) for each in customers], partitioner="crc32")
    assert "lie on other partitions than this import gives their customers" in (warned := await said())
    assert "set `partitioner` to crc32" in warned
