"""`lifecycle dead-letters replay`: whatever happens to it, each dead letter is processed once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.interactions import Reason, Rejected
from stream.engine import replaying
from stream.engine.batch import Outgoing
from stream.engine.dead_letters import DeadLetter, Receipt, dead_letter, read, receipt
from stream.engine.embedded import EmbeddedBroker
from stream.engine.letter_reading import Progress, read_ledger
from stream.engine.replaying import Done, Target
from stream.engine.topics import ensure_topics, find_topics
from stream.errors import BrokerError
from stream.settings import Settings
from tests.cli.letters import (
    LADDER,
    UNBLOCKED,
    Run,
    address_of,
    buy,
    called,
    letters_of,
    replayed,
    send,
    stands,
    work,
)
from tests.cli.on_kafka import PARTITIONS, interrupt, settings_of, started
from tests.kit.kafka import KafkaBroker
from tests.kit.machines import Record
from tests.kit.topics import create_topics, produce, read_all

ONCE = ("one", 2, 10.0)
"""Stage, sequence and score after one purchase."""
TWICE = ("two", 3, 20.0)


@pytest.fixture
async def settings(kafka: KafkaBroker, topic_prefix: str) -> Settings:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await ensure_topics(settings)
    return settings


async def interactions(settings: Settings) -> list[Any]:
    records = await read_all(settings.bootstrap, settings.topics.interactions)
    return [record for partition in records.values() for record in partition]


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
    for name, value in (("LIFECYCLES", str(file)), ("WEB_PORT", "0"), ("SESSION_TIMEOUT", "2s")):
        monkeypatch.setenv(f"LIFECYCLE_{name}", value)
    await send(settings, buy("guest"))
    async with started(settings, "worker"), asyncio.timeout(60):
        while not await letters_of(settings):
            await asyncio.sleep(0.1)

    await replayed(lifecycle, settings, "--key", "guest", **UNBLOCKED)
    await replayed(lifecycle, settings, "--key", "guest", **UNBLOCKED)
    await send(settings, buy("guest"))  # the end of what is to be processed
    monkeypatch.setenv(*next(iter(UNBLOCKED.items())))
    async with started(settings, "worker"), asyncio.timeout(60):
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
    [at] = [record for each in records.values() for record in each if isinstance(read(record), Receipt)]
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
    addresses = {each.origin.partition: str(each.address).encode() for each in await letters_of(settings)}

    await replayed(lifecycle, settings, "--all", **UNBLOCKED)

    for partition, records in (await read_all(settings.bootstrap, topic)).items():
        first, again = records
        assert (again.key, again.value) == (first.key, first.value)
        assert again.headers == (*first.headers, ("lifecycle_replay_of", addresses[partition]))


async def test_where_the_topic_keeps_producers_times_it_has_its_old_one(
    lifecycle: Run, kafka: KafkaBroker, topic_prefix: str
) -> None:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await create_topics(settings.bootstrap, settings.topics.interactions, partitions=PARTITIONS)
    await ensure_topics(settings)
    value = b'{"type": "buy", "customer_id": "guest"}'
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        await producer.send_and_wait(settings.topics.interactions, value, b"guest", timestamp_ms=1_700_000_000_000)
    await work(settings)

    await replayed(lifecycle, settings, "--all", **UNBLOCKED)

    assert [record.timestamp for record in await interactions(settings)] == [1_700_000_000_000] * 2


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


async def put(
    settings: Settings, record: Record, *, topic: str | None = None, partition: int = 0, reason: Reason | None = None
) -> None:
    rejected = Rejected(reason or Reason.UNPROCESSABLE, "failed twice")
    letter = dead_letter(record, rejected, topic or settings.topics.interactions, partition)
    await produce(settings.bootstrap, settings.topics.dead_letters, [letter])


async def test_a_record_that_is_a_dead_letter_twice_is_replayed_once(lifecycle: Run, settings: Settings) -> None:
    """As after a reset, or a crash without transactions."""
    for _ in range(2):
        await put(settings, Record(7, 1, b"bob", buy("bob").value))
    assert "1 dead letter to replay" in await replayed(lifecycle, settings, "--all")
    await put(settings, Record(7, 1, b"bob", buy("bob").value))
    assert "no dead letters to replay" in await replayed(lifecycle, settings, "--all")
    assert len(await interactions(settings)) == 1
    # A topic that was deleted and created anew begins its offsets again.
    await put(settings, Record(7, 2, b"bob", buy("bob").value))
    assert "1 dead letter to replay" in await replayed(lifecycle, settings, "--all")


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
        assert "Shall it be done?" in done.stderr
    dry = await called(lifecycle, settings, "replay", "--all", "--dry-run")
    assert dry.returncode == 0
    assert "1 dead letter to replay" in dry.stderr
    assert await interactions(settings) == []

    assert (await called(lifecycle, settings, "replay", "--all", stdin="y\n")).returncode == 0
    assert len(await interactions(settings)) == 1


async def put_many(settings: Settings, count: int) -> None:
    """Dead letters of so many customers."""
    await produce(
        settings.bootstrap,
        settings.topics.dead_letters,
        (
            dead_letter(
                Record(number, 1, b"c%d" % number, buy(f"c{number}").value),
                Rejected(Reason.UNPROCESSABLE, "failed twice"),
                settings.topics.interactions,
                number % PARTITIONS,
            )
            for number in range(count)
        ),
    )


@pytest.mark.parametrize("by", ["kill -9", "Ctrl-C"])
async def test_one_that_is_ended_in_the_middle_and_run_again_replays_each_once(
    lifecycle: Run, settings: Settings, by: str
) -> None:
    count = 20_000
    await put_many(settings, count)
    async with started(settings, "dead-letters", "replay", "--all", "--yes") as command:
        while not await interactions(settings):
            assert command.returncode is None
        if by == "Ctrl-C":
            _, told = await interrupt(command)
            assert command.returncode == 130
            assert "Traceback" not in told
            assert told.endswith(" dead letters replayed\n")
        else:
            command.kill()
            await command.wait()
    done = len(await interactions(settings))
    assert 0 < done < count

    await replayed(lifecycle, settings, "--all")

    keys = [record.key for record in await interactions(settings)]
    assert len(keys) == count
    assert set(keys) == {b"c%d" % number for number in range(count)}
    assert "no dead letters to replay" in await replayed(lifecycle, settings, "--all")


async def prepared(settings: Settings) -> tuple[Any, ...]:
    """What `replay` is called with."""
    target = Target(settings, (await find_topics(settings))[settings.topics.interactions])
    return target, await read_ledger(settings, Progress()), lambda _: True


async def test_interactions_and_receipts_are_there_together_or_not_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_many(settings, 10)
    really = replaying._Writer._send

    async def breaks_off(self: Any, topic: str, records: Any) -> None:
        if topic == settings.topics.dead_letters:
            raise TimeoutError
        await really(self, topic, records)

    monkeypatch.setattr(replaying._Writer, "_send", breaks_off)
    with pytest.raises(BrokerError, match="run it again"):
        await replaying.replay(*await prepared(settings), exactly_once=True, progress=Progress(), done=Done())
    assert await interactions(settings) == []

    monkeypatch.undo()
    done = Done()
    await replaying.replay(*await prepared(settings), exactly_once=True, progress=Progress(), done=done)
    assert done.count == len(await interactions(settings)) == 10


async def test_of_two_at_once_the_later_stops_the_earlier_and_each_is_replayed_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "AT_ONCE", 10)
    await put_many(settings, 100)
    plan = await prepared(settings)
    first_wrote, second_done = asyncio.Event(), asyncio.Event()
    really = replaying._Writer.write

    async def slow(self: Any, batch: Any) -> None:
        await really(self, batch)
        first_wrote.set()
        await second_done.wait()

    monkeypatch.setattr(replaying._Writer, "write", slow)
    earlier = asyncio.create_task(replaying.replay(*plan, exactly_once=True, progress=Progress(), done=Done()))
    await asyncio.wait_for(first_wrote.wait(), 30)
    monkeypatch.setattr(replaying._Writer, "write", really)
    done = Done()
    # The plan is that of the earlier one: what was replayed since is found out once that is fenced.
    await replaying.replay(
        *plan[:1], await read_ledger_of(plan), plan[2], exactly_once=True, progress=Progress(), done=done
    )
    second_done.set()
    with pytest.raises(BrokerError, match="another replay"):
        await earlier

    assert done.count == 90
    keys = [record.key for record in await interactions(settings)]
    assert len(keys) == len(set(keys)) == 100


async def read_ledger_of(plan: tuple[Any, ...]) -> Any:
    """The plan's ledger as it was before anything was replayed."""
    ledger = plan[1]
    return type(ledger)(ledger.topic, dict(ledger.ends))


async def test_a_worker_with_an_open_transaction_hides_no_receipt(lifecycle: Run, settings: Settings) -> None:
    """What is committed behind an open transaction is waited for, not overlooked."""
    await put_many(settings, 4)
    topic = settings.topics.dead_letters
    async with AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.app}-worker"
    ) as worker:
        await worker.begin_transaction()
        for partition in range(PARTITIONS):
            await worker.send_and_wait(topic, b"x", b"x", partition=partition)
        async with (
            AIOKafkaProducer(
                bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.app}-earlier"
            ) as earlier,
            earlier.transaction(),
        ):
            for letter in await uncommitted_letters(settings):
                builder = earlier.create_batch()
                record = receipt(letter.origin)
                builder.append(timestamp=None, key=None, value=None, headers=list(record.headers))
                await (await earlier.send_batch(builder, topic, partition=letter.address.partition))
        replaying_now = asyncio.create_task(replayed(lifecycle, settings, "--all"))
        await asyncio.sleep(3)
        assert not replaying_now.done()
        await worker.abort_transaction()
        assert "4 left out: replayed before" in await replaying_now
    assert await interactions(settings) == []


async def uncommitted_letters(settings: Settings) -> list[DeadLetter]:
    records = await read_all(settings.bootstrap, settings.topics.dead_letters, isolation="read_uncommitted")
    found = [read(record) for partition in records.values() for record in partition]
    return [each for each in found if isinstance(each, DeadLetter)]


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
        async with asyncio.timeout(30):
            while await stands(settings, "bob") != ONCE:
                await asyncio.sleep(0.1)
