"""`lifecycle dead-letters replay`: to the old place, as it was, and processed once."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.dead_letters import Receipt, read
from stream.codec.records import Outgoing
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.dead_letters import (
    LADDER,
    UNBLOCKED,
    address_of,
    buy,
    called,
    dead_letters_of,
    interactions,
    put,
    replayed,
    send,
    stands,
    work,
)
from tests.cli.on_kafka import PARTITIONS, settings_of, started
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import create_topics, read_all

ONCE = ("one", 2, 10.0)
"""Stage, sequence and score after one purchase."""
TWICE = ("two", 3, 20.0)


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await ensure_topics(settings)
    return settings


async def test_what_a_bug_made_unprocessable_is_processed_once_by_a_worker_without_it(
    lifecycle: Run, settings: Settings
) -> None:
    await send(settings, buy("bob", more="bug"))
    await work(settings, buggy=True)
    assert await stands(settings, "bob") is None

    said = await replayed(lifecycle, settings, "--reason", "unprocessable")
    assert "1 dead letter to replay" in said
    assert "only workers with the error mended" in said
    assert "1 dead letter replayed" in said
    await work(settings)
    assert await stands(settings, "bob") == ONCE

    again = await replayed(lifecycle, settings, "--all")
    assert "no dead letters to replay" in again
    assert "1 left out: replayed before" in again
    await work(settings)
    assert await stands(settings, "bob") == ONCE
    await send(settings, buy("bob"))
    await work(settings)
    assert await stands(settings, "bob") == TWICE


async def test_a_real_worker_processes_what_a_setting_blocked(
    lifecycle: Run, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ladder.yaml"
    file.write_text(LADDER, encoding="utf-8")
    settings = replace(settings, lifecycles=(str(file),))
    for name, value in (("WEB_PORT", "0"), ("SESSION_TIMEOUT", "2s")):
        monkeypatch.setenv(f"LIFECYCLE_{name}", value)
    await send(settings, buy("guest"))
    async with started(settings, "worker"), asyncio.timeout(180):
        while not await dead_letters_of(settings):
            await asyncio.sleep(0.1)

    await replayed(lifecycle, settings, "--key", "guest", **UNBLOCKED)
    await replayed(lifecycle, settings, "--key", "guest", **UNBLOCKED)
    await send(settings, buy("guest"))  # the end of what is to be processed
    monkeypatch.setenv(*next(iter(UNBLOCKED.items())))
    async with started(settings, "worker"), asyncio.timeout(180):
        while await stands(settings, "guest") != TWICE:
            await asyncio.sleep(0.1)


async def test_a_replayed_one_is_listed_only_where_it_is_asked_for(lifecycle: Run, settings: Settings) -> None:
    await send(settings, buy("bob", more="bug"), buy("guest"))
    await work(settings, buggy=True)
    address = await address_of(settings, "unprocessable")
    await replayed(lifecycle, settings, "--address", address)

    listed = await called(lifecycle, settings, "list")
    assert [line.split()[2] for line in listed.stdout.splitlines()] == ["blocked_subject"]
    assert listed.stderr.endswith("1 dead letter: 1 blocked_subject; not listed: 1 that were replayed\n")
    [line] = (await called(lifecycle, settings, "list", "--replayed", "--json")).stdout.splitlines()
    assert json.loads(line)["address"] == address
    assert json.loads(line)["replayed"] >= json.loads(line)["time"]
    shown = await called(lifecycle, settings, "show", address)
    assert "replayed  2" in shown.stdout
    records = await read_all(settings.bootstrap, settings.topics.dead_letters)
    [at] = [
        record for each in records.values() for record in each if isinstance(read(record, record.partition), Receipt)
    ]
    missing = await called(lifecycle, settings, "show", f"{at.partition}-{at.offset}")
    assert missing.returncode == 1
    assert "is the receipt for the replay of" in missing.stderr


async def test_it_comes_back_to_its_partition_with_key_headers_and_value(lifecycle: Run, settings: Settings) -> None:
    """Also where the sender's partitioner was another than ours: then a customer's home is elsewhere, too."""
    topic = settings.topics.interactions
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for partition in range(PARTITIONS):
            value = buy("guest", more=str(partition)).value
            await producer.send_and_wait(topic, value, b"k", partition=partition, headers=[("trace", b"1")])
    await work(settings)
    addresses = {each.source.partition: str(each.address).encode() for each in await dead_letters_of(settings)}

    await replayed(lifecycle, settings, "--all", **UNBLOCKED)

    for partition, records in (await read_all(settings.bootstrap, topic)).items():
        first, again = records
        assert (again.key, again.value) == (first.key, first.value)
        assert again.headers == (*first.headers, ("lifecycle_replay_of", addresses[partition]))


async def test_where_the_topic_keeps_producers_times_it_has_its_old_one_while_that_is_safe(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str
) -> None:
    """Retention goes by it: what is sent with a time of last year may be gone before a worker reads it."""
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS)
    await ensure_topics(settings)
    now = time.time_ns() // 1_000_000
    hour, year = now - 3_600_000, now - 365 * 86_400_000
    for offset, timestamp in enumerate((hour, year, -1)):
        await put(settings, Record(offset, timestamp, b"bob", buy("bob").value))

    await replayed(lifecycle, settings, "--all")

    times = [record.timestamp for record in await interactions(settings)]
    assert times[0] == hour
    assert all(time >= now for time in times[1:])


async def test_one_that_fails_again_is_a_new_dead_letter_that_says_so(lifecycle: Run, settings: Settings) -> None:
    await send(settings, buy("bob", more="bug"))
    await work(settings, buggy=True)
    first = await address_of(settings, "unprocessable")
    await replayed(lifecycle, settings, "--all")
    await work(settings, buggy=True)

    second = await address_of(settings, "unprocessable")
    assert second != first
    shown = await called(lifecycle, settings, "show", second)
    assert f"header    lifecycle_replay_of: {first}\n" in shown.stdout

    await replayed(lifecycle, settings, "--all")
    await work(settings)
    assert await stands(settings, "bob") == ONCE


async def test_what_workers_would_only_reject_again_is_left_out_in_words(lifecycle: Run, settings: Settings) -> None:
    await send(settings, Outgoing(b"a", b"{"), Outgoing(b"a", b'{"type": "buy"}'), buy("guest"))
    await work(settings)
    await put(settings, Record(0, 1, b"a", b"x" * 1_200_000))
    await put(settings, Record(0, 1, b"a", buy("a").value), topic="others")
    await put(settings, Record(0, 1, b"a", buy("a").value), partition=PARTITIONS)
    before = len(await interactions(settings))

    done = await called(lifecycle, settings, "replay", "--all", "--yes")

    assert done.returncode == 1
    for words in (
        "no dead letters to replay",
        "1 left out: it would be rejected again as not_json (",
        "1 left out: it would be rejected again as no_subject (",
        "1 left out: it would be rejected again as blocked_subject (",
        "1 left out: its value was cut off, so the sender has to send it again",
        f"1 left out: it comes from another topic than {settings.topics.interactions}; name that by",
        f"1 left out: {settings.topics.interactions} has its partition no more",
    ):
        assert words in done.stderr
    assert len(await interactions(settings)) == before


@pytest.mark.parametrize("arguments", [[], ["--all", "--key", "bob"]])
def test_a_filter_or_all_is_needed(lifecycle: Run, arguments: list[str]) -> None:
    done = lifecycle("dead-letters", "replay", *arguments)

    assert done.returncode == 2
    assert "either --all or at least one of" in " ".join(done.stderr.replace("│", " ").split())


async def test_it_asks_and_does_nothing_without_a_yes_or_on_a_dry_run(lifecycle: Run, settings: Settings) -> None:
    await put(settings, Record(7, 1, b"bob", buy("bob").value))

    for answer in ("n\n", ""):
        done = await called(lifecycle, settings, "replay", "--all", stdin=answer)
        assert done.returncode == 1
        assert "1 dead letter to replay" in done.stderr
        assert "Continue?" in done.stderr
    dry = await called(lifecycle, settings, "replay", "--all", "--dry-run")
    assert dry.returncode == 0
    assert "1 dead letter to replay" in dry.stderr
    assert await interactions(settings) == []

    assert (await called(lifecycle, settings, "replay", "--all", stdin="y\n")).returncode == 0
    assert len(await interactions(settings)) == 1


async def test_large_and_odd_ones_are_replayed_as_they_were(lifecycle: Run, settings: Settings) -> None:
    large = [buy(f"c{number}", more="x" * size) for number, size in enumerate((1_000_000, 1_040_000, 600_000, 600_000))]
    for number, each in enumerate([*large, Outgoing(None, buy("keyless").value)]):
        await put(settings, Record(number, 1, each.key, each.value))
    await put(settings, Record(99, 1, b"k", buy("huge", more="x" * 1_048_400).value))

    said = await replayed(lifecycle, settings, "--all")

    assert "5 dead letters to replay" in said
    assert "1 left out: it is larger than the 1048588 bytes" in said
    found = [(record.key, record.value) for record in await interactions(settings)]
    wanted = [*((each.key, each.value) for each in large), (None, buy("keyless").value)]
    assert sorted(found, key=str) == sorted(wanted, key=str)


async def test_the_embedded_broker_replays_too(lifecycle: Run, topic_prefix: str) -> None:
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        await ensure_topics(settings)
        await send(settings, buy("bob", more="bug"))
        await work(settings, buggy=True)

        assert "1 dead letter replayed" in await replayed(lifecycle, settings, "--all")
        assert "replayed before" in await replayed(lifecycle, settings, "--all")
        await work(settings)
        assert len(await interactions(settings)) == 2
        async with asyncio.timeout(180):
            while await stands(settings, "bob") != ONCE:
                await asyncio.sleep(0.1)
