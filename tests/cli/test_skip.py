"""A batch of interactions that cannot be read, and `lifecycle skip`: on a real broker whose log is damaged."""

import asyncio
import logging
import subprocess
from collections.abc import Callable, Iterable, Mapping

import pytest
from aiokafka import AIOKafkaProducer

from stream.codec.interactions import encode_native
from stream.codec.lifecycle_files import load
from stream.core.interaction import Interaction
from stream.core.step import model_of
from stream.engine import partition as partitions
from stream.engine.lookout import SourceTopic
from stream.engine.machine import PartitionMachine
from stream.engine.partition import State
from stream.engine.place import Place
from stream.engine.quiet import quiet_loop
from stream.engine.topics import ensure_topics
from stream.settings import Settings
from tests.cli.on_kafka import environment_of
from tests.engine.rig import Rig
from tests.kit.damage import Damage, damage
from tests.kit.kafka import KafkaBroker
from tests.kit.topics import read_all

Run = Callable[..., "subprocess.CompletedProcess[str]"]

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
MODEL = model_of([load("journey").lifecycle])
SIZE = 50
"""Interactions in a batch."""


@pytest.fixture
def settings(kafka: KafkaBroker, topic_prefix: str) -> Settings:
    return Settings(
        bootstrap=kafka.bootstrap,
        topic_prefix=topic_prefix,
        app=f"{topic_prefix}app",
        partitions=2,
        lifecycles=("journey",),
        live_from=T - 1,
    )


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "_READ_AGAIN", 0.2)


def environment(settings: Settings) -> dict[str, str]:
    return {
        **environment_of(settings),
        "LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles),
        "LIFECYCLE_LIVE_FROM": str(settings.live_from),
    }


def machine(settings: Settings) -> Callable[[int, SourceTopic], PartitionMachine]:
    def make(partition: int, topic: SourceTopic) -> PartitionMachine:
        place = Place(settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(MODEL, settings, place)

    return make


def orders(numbers: Iterable[int]) -> list[Interaction]:
    return [Interaction(f"c{n}", None, f"order-{n}", "Order Completed", T + n, {}, {}) for n in numbers]


async def write_batches(settings: Settings, partition: int, *batches: Iterable[Interaction]) -> None:
    """Each of them as one batch, one after another."""
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for interactions in batches:
            batch = producer.create_batch()
            for each in interactions:
                fits = batch.append(timestamp=None, key=each.subject.encode(), value=encode_native(each))
                assert fits is not None
            await (await producer.send_batch(batch, settings.topics.interactions, partition=partition))


async def three_batches(settings: Settings) -> None:
    """In each of two partitions, so that the second one of partition 0 can be damaged."""
    await ensure_topics(settings)
    for partition in range(2):
        start = partition * 1_000
        await write_batches(
            settings, partition, *(orders(range(at, at + SIZE)) for at in range(start, start + 3 * SIZE, SIZE))
        )


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.02)


def states(rig: Rig) -> list[State]:
    return [each.state for each in rig.engine.status().partitions]


def positions(rig: Rig) -> list[int | None]:
    return [each.position for each in rig.engine.status().partitions]


async def call(run: Run, settings: Settings, *arguments: str, **given: str) -> tuple[int, str]:
    """A command's exit code, and what it said, in one line."""
    done = await asyncio.to_thread(run, *arguments, environment=environment(settings), stdin=given.get("stdin"))
    return done.returncode, " ".join((done.stdout + done.stderr).split())


async def dead_letters(settings: Settings) -> list[tuple[bytes | None, Mapping[str, bytes]]]:
    read = await read_all(settings.bootstrap, settings.topics.dead_letters)
    return [(record.value, dict(record.headers)) for records in read.values() for record in records]


@pytest.mark.parametrize("how", Damage)
async def test_a_batch_that_cannot_be_read_holds_up_only_what_comes_behind_it_until_it_is_skipped(
    kafka: KafkaBroker, settings: Settings, lifecycle: Run, caplog: pytest.LogCaptureFixture, how: Damage
) -> None:
    quiet_loop(asyncio.get_running_loop())  # as a worker does
    await three_batches(settings)
    assert damage(kafka, settings.topics.interactions, 0, SIZE, how) == (SIZE, 2 * SIZE)
    with caplog.at_level(logging.INFO):
        async with Rig(settings, machine(settings), fenced_wait=0.2) as rig:
            await until(lambda: states(rig) == [State.BLOCKED, State.RUNNING] and positions(rig) == [SIZE, 3 * SIZE])
            assert [each.lag for each in rig.engine.status().partitions] == [2 * SIZE, 0]
            marks = rig.engine.marks()
            await until(lambda: rig.engine.marks()[0] != marks[0])  # so that the watchdog sees it live
            [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
            topic = settings.topics.interactions
            assert line.startswith(f"partition 0 is blocked: topic {topic}, partition 0, offsets 50 to 99: ")
            assert "`lifecycle skip 0 50`" in line
            assert ("checksum" if how is Damage.BIT else "codec 5") in line
            assert "waits for Kafka" not in caplog.text
            assert (rig.recorder.failures, rig.engine.failure) == ([], None)

            code, said = await call(lifecycle, settings, "skip", "0", "50", stdin="y\n")

            assert code == 0, said
            assert "offsets 50 to 99" in said
            assert "partition 0 goes on at offset 100" in said
            await until(lambda: states(rig) == [State.RUNNING, State.RUNNING] and positions(rig)[0] == 3 * SIZE)
            assert rig.engine.failure is None
    [(value, headers)] = await dead_letters(settings)
    assert (headers["lifecycle_reason"], headers["lifecycle_offset"]) == (b"unreadable", b"50")
    assert value is not None
    assert value[:8] == (50).to_bytes(8, "big")
    assert b"order-75" in value
    current = await read_all(settings.bootstrap, settings.topics.current_stages)
    customers = {record.key for records in current.values() for record in records if record.key}
    expected = [*range(50), *range(100, 150), *range(1_000, 1_150)]
    assert customers == {b"journey:customer:c%d" % n for n in expected}
    code, said = await call(lifecycle, settings, "verify")
    assert (code, "dead letters verified 1" in said) == (0, True), said
    code, said = await call(lifecycle, settings, "dead-letters", "replay", "--all", "--yes")
    assert "a whole batch that could not be read" in said
