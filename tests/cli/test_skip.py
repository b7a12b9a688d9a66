"""A batch of interactions that cannot be read, and `lifecycle skip`: on a real broker whose log is damaged."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from stream.engine import partition as partitions
from stream.engine.status import PartitionState as State
from stream.errors import StateError
from stream.kafka.log_throttle import quiet_loop
from stream.settings import Settings
from tests.cli.batches import (
    SIZE,
    call,
    machine,
    positions,
    settings_in_batches,
    states,
    three_batches,
    until,
    write_bad,
)
from tests.cli.commands import Run
from tests.engine.rig import Rig
from tests.kit.damage import Damage, damage
from tests.kit.kafka import SharedKafka
from tests.kit.topics import read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_in_batches(kafka.bootstrap, topic_prefix)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "_READ_AGAIN", 0.2)


async def dead_letters(settings: Settings) -> list[tuple[bytes | None, Mapping[str, bytes]]]:
    read = await read_all(settings.bootstrap, settings.topics.dead_letters)
    return [(record.value, dict(record.headers)) for records in read.values() for record in records]


@pytest.mark.parametrize("how", [Damage.BIT, Damage.CODEC])
async def test_a_batch_that_cannot_be_read_holds_up_only_what_comes_behind_it_until_it_is_skipped(
    kafka: SharedKafka, settings: Settings, lifecycle: Run, caplog: pytest.LogCaptureFixture, how: Damage
) -> None:
    quiet_loop(asyncio.get_running_loop())  # as a worker does
    await three_batches(settings)
    assert damage(kafka, settings.topics.interactions, 0, SIZE, how) == (SIZE, 2 * SIZE)
    with caplog.at_level(logging.INFO):
        async with Rig(settings, machine(settings), fenced_wait=0.2) as rig:
            await until(lambda: states(rig) == [State.BLOCKED, State.RUNNING] and positions(rig) == [SIZE, 3 * SIZE])
            assert [each.lag for each in rig.supervisor.status().partitions] == [2 * SIZE, 0]
            before = rig.supervisor.progress_tokens()
            await until(lambda: rig.supervisor.progress_tokens()[0] != before[0])  # so that the watchdog sees it live
            [line] = [
                record.getMessage()
                for record in caplog.records
                if record.levelno == logging.ERROR and record.name.startswith("stream.")
            ]
            topic = settings.topics.interactions
            assert line.startswith(f"partition 0 is blocked: topic {topic}, partition 0, offsets 50 to 99: ")
            assert "`lifecycle skip 0 50`" in line
            assert ("checksum" if how is Damage.BIT else "codec 5") in line
            assert "waits for Kafka" not in caplog.text
            assert (rig.recorder.failures, rig.supervisor.failure) == ([], None)

            code, said = await call(lifecycle, settings, "skip", "0", "50", stdin="y\n")

            assert code == 0, said
            assert "offsets 50 to 99" in said
            assert "partition 0 goes on at offset 100" in said
            await until(lambda: states(rig) == [State.RUNNING, State.RUNNING] and positions(rig)[0] == 3 * SIZE)
            assert rig.supervisor.failure is None
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


async def test_what_the_broker_itself_cannot_hand_out_is_skipped_as_far_as_it_reaches(
    kafka: SharedKafka, settings: Settings, lifecycle: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """It answers with an error, and finds no offset behind it up to the next one that its index has: a batch's last."""
    quiet_loop(asyncio.get_running_loop())
    await three_batches(settings)
    damage(kafka, settings.topics.interactions, 0, SIZE, Damage.LENGTH)
    async with Rig(settings, machine(settings), fenced_wait=0.2) as rig:
        await until(lambda: states(rig) == [State.BLOCKED, State.RUNNING] and positions(rig) == [SIZE, 3 * SIZE])
        assert "offset 50: the batch cannot be read, for the broker itself finds it damaged" in caplog.text
        assert "waits for Kafka" not in caplog.text
        code, said = await call(lifecycle, settings, "skip", "0", "50", "--yes")
        assert (code, "offsets 50 to 148: the batch cannot be read" in said) == (0, True), said
        await until(lambda: states(rig) == [State.RUNNING, State.RUNNING] and positions(rig)[0] == 3 * SIZE)
    [(value, headers)] = await dead_letters(settings)
    assert (value, headers["lifecycle_reason"], headers["lifecycle_until"]) == (b"", b"unreadable", b"149")
    code, said = await call(lifecycle, settings, "verify")
    assert (code, f"customers verified {4 * SIZE + 1}" in said) == (0, True), said


async def test_nothing_is_skipped_but_what_a_partition_stands_before(
    kafka: SharedKafka, settings: Settings, lifecycle: Run
) -> None:
    await three_batches(settings)
    damage(kafka, settings.topics.interactions, 0, SIZE, Damage.CODEC)
    topic = settings.topics.interactions
    code, said = await call(lifecycle, settings, "skip", "0", "50", "--yes")
    assert (code, "interactions from offset 0 on are not processed yet" in said) == (1, True), said
    async with Rig(settings, machine(settings)) as rig:
        await until(lambda: states(rig) == [State.BLOCKED, State.RUNNING] and positions(rig) == [SIZE, 3 * SIZE])
    for arguments, words in (
        (("0", "49"), "offset 49 is done with already; it goes on at 50"),
        (("0", "51"), "It is this that can be skipped now, not what is at 51"),
        (("1", "150"), f"topic {topic}, partition 1 ends at 150, and all before that can be read"),
        (("2", "0"), f"topic {topic} has no partition 2"),
    ):
        code, said = await call(lifecycle, settings, "skip", *arguments, "--yes")
        assert (code, words in said) == (1, True), said
    code, said = await call(lifecycle, settings, "skip", "0", "50", stdin="n\n")
    assert (code, "Aborted" in said) == (1, True), said
    assert await dead_letters(settings) == []


async def test_whatever_is_read_says_where_it_cannot_be(
    kafka: SharedKafka, settings: Settings, lifecycle: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Stage changes, dead letters and customer records; by commands, and by a worker that has lost its state."""
    await three_batches(settings)
    topics = settings.topics
    await write_bad(settings)
    async with Rig(settings, machine(settings)) as rig:
        await until(lambda: positions(rig) == [3 * SIZE + 1, 3 * SIZE])
    for topic, arguments in (
        (topics.stage_changes, ("tail", "--from-beginning")),
        (topics.dead_letters, ("dead-letters", "list")),
        (topics.customers, ("verify",)),
    ):
        damage(kafka, topic, 0, 0, Damage.BIT)
        code, said = await call(lifecycle, settings, *arguments)
        assert code == (2 if arguments == ("verify",) else 1), said
        assert f"topic {topic}, partition 0, offset" in said
        assert "its checksum is wrong" in said
    async with Rig(settings, machine(settings)) as rig:
        await asyncio.wait_for(rig.supervisor.wait_failed(), 180)
        assert isinstance(rig.supervisor.failure, StateError)
        assert f"topic {topics.customers}, partition 0, offsets 0 to " in str(rig.supervisor.failure)
        assert "lifecycle reset" in str(rig.supervisor.failure)
    assert "waits for Kafka" not in caplog.text
