"""`lifecycle dead-letters replay` that is killed, interrupted, fenced or repeated replays each once."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import DeadLetter, dead_letter, read, receipt
from stream.errors import BrokerError
from stream.kafka.topics import ensure_topics, find_topics
from stream.operations import replay
from stream.operations.dead_letter_log import ReadingProgress, read_ledger
from stream.operations.replay import Done, Target
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.dead_letters import (
    buy,
    interactions,
    put,
    replayed,
)
from tests.cli.on_kafka import PARTITIONS, interrupt, settings_of, started
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import produce, read_all


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await ensure_topics(settings)
    return settings


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
    target = Target(settings, (await find_topics(settings))[settings.topics.interactions], settings.decoder())
    return target, await read_ledger(settings, ReadingProgress()), lambda _: True


async def test_interactions_and_receipts_are_there_together_or_not_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_many(settings, 10)
    really = replay.send_batches

    async def breaks_off(producer: Any, parts: Any) -> None:
        parts = list(parts)
        if any(part.topic == settings.topics.dead_letters for part in parts):
            raise TimeoutError
        await really(producer, parts)

    monkeypatch.setattr(replay, "send_batches", breaks_off)
    with pytest.raises(BrokerError, match="run it again"):
        await replay.replay(*await prepared(settings), exactly_once=True, progress=ReadingProgress(), done=Done())
    assert await interactions(settings) == []

    monkeypatch.undo()
    done = Done()
    await replay.replay(*await prepared(settings), exactly_once=True, progress=ReadingProgress(), done=done)
    assert done.count == len(await interactions(settings)) == 10


async def test_of_two_at_once_the_later_stops_the_earlier_and_each_is_replayed_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "AT_ONCE", 10)
    await put_many(settings, 100)
    plan = await prepared(settings)
    first_wrote, second_done = asyncio.Event(), asyncio.Event()
    really = replay._Writer.write

    async def slow(self: Any, batch: Any) -> None:
        await really(self, batch)
        first_wrote.set()
        await second_done.wait()

    monkeypatch.setattr(replay._Writer, "write", slow)
    earlier = asyncio.create_task(replay.replay(*plan, exactly_once=True, progress=ReadingProgress(), done=Done()))
    await asyncio.wait_for(first_wrote.wait(), 180)
    monkeypatch.setattr(replay._Writer, "write", really)
    done = Done()
    # The plan is that of the earlier one: what was replayed since is found out once that is fenced.
    await replay.replay(
        *plan[:1], await read_ledger_of(plan), plan[2], exactly_once=True, progress=ReadingProgress(), done=done
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
                record = receipt(letter.source)
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
    found = [read(record, record.partition) for partition in records.values() for record in partition]
    return [each for each in found if isinstance(each, DeadLetter)]
