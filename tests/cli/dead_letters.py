"""Dead letters as an engine makes them: machines with a bug, and without."""

import asyncio
import json
import subprocess
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import DeadLetter, dead_letter, read
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.records import Outgoing, SourceRecords
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Batch, RecordFailed
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import environment_of
from tests.engine.rig import Rig
from tests.kit.machines import Record
from tests.kit.topics import produce, read_all

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LADDER = """
lifecycle: ladder
scores: {value: {}}
signals: {bought: {each: buy, add: {value: 10}}}
stages: {none: {}, one: {}, two: {}, three: {}}
transitions:
  - {from: none, to: one, when: value >= 10}
  - {from: one, to: two, when: value >= 20}
  - {from: two, to: three, when: value >= 30}
"""
"""One purchase, one stage: a purchase that counts twice is seen in stage, score and sequence."""
MODEL = model_of([parse(LADDER, "ladder.yaml").lifecycle], forget_after=None)
UNBLOCKED = {"LIFECYCLE_BLOCKED": "nobody"}


class Buggy:
    """A machine that fails on what says `bug`, until that is isolated."""

    def __init__(self, machine: PartitionMachine) -> None:
        self._machine = machine
        self._isolated: set[int] = set()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the machine's own."""
        return getattr(self._machine, name)

    def run(
        self, records: SourceRecords, next_offset: int, *, wall: int, caught_up: bool
    ) -> Generator[None, None, Batch]:
        for record in records:
            if b"bug" in (record.value or b"") and record.offset not in self._isolated:
                raise RecordFailed(record.offset, ZeroDivisionError("a bug"))
        return (yield from self._machine.run(records, next_offset, wall=wall, caught_up=caught_up))

    def isolate(self, *, offsets: Iterable[int] = (), keys: Iterable[bytes] = ()) -> None:
        self._isolated.update(offsets)
        self._machine.isolate(offsets=offsets, keys=keys)


async def work(settings: Settings, *, buggy: bool = False, unblocked: bool = False) -> None:
    """Let an engine take all interactions that there are, and stop. Nothing is left to take when this returns."""
    blocked = frozenset({"nobody"}) if unblocked else settings.blocked
    settings = replace(settings, blocked=blocked)

    def machine(partition: int, topic: SourceTopic) -> Any:
        made = PartitionMachine(MODEL, settings, SourcePartition(settings.topics.interactions, partition, *topic))
        return Buggy(made) if buggy else made

    async with Rig(settings, machine, fenced_wait=1.0) as rig:
        async with asyncio.timeout(180):
            while {each.lag for each in rig.supervisor.status().partitions} != {0}:
                await asyncio.sleep(0.05)


def buy(customer: str, *, more: str = "", headers: Sequence[tuple[str, bytes]] = ()) -> Outgoing:
    """A purchase without an id of its own: nothing but the receipts keeps it from counting twice."""
    interaction = Interaction(customer, None, None, "buy", T, {"note": more} if more else {}, {})
    return Outgoing(customer.encode(), encode_native(interaction), headers)


async def send(settings: Settings, *records: Outgoing) -> None:
    """One after the other, so that their order is that of their times."""
    for record in records:
        await produce(settings.bootstrap, settings.topics.interactions, [record])


async def dead_letters_of(settings: Settings) -> list[DeadLetter]:
    """All dead letters, replayed ones too, in the order of their addresses."""
    records = await read_all(settings.bootstrap, settings.topics.dead_letters)
    found = [read(record, record.partition) for partition in records.values() for record in partition]
    return [each for each in found if isinstance(each, DeadLetter)]


async def address_of(settings: Settings, reason: str) -> str:
    """The address of the latest dead letter with that reason."""
    return str([each for each in await dead_letters_of(settings) if each.reason == reason][-1].address)


async def stands(settings: Settings, customer: str) -> tuple[str, int, float] | None:
    """A customer's stage, sequence and score."""
    records = await read_all(settings.bootstrap, settings.topics.current_stages)
    key = f"ladder:customer:{customer}".encode()
    said = [json.loads(each.value or b"") for part in records.values() for each in part if each.key == key]
    return (said[-1]["to"], said[-1]["sequence"], said[-1]["scores"]["value"]) if said else None


async def called(
    run: Run, settings: Settings, *arguments: str, stdin: str | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run `lifecycle dead-letters`."""
    return await asyncio.to_thread(
        run, "dead-letters", *arguments, environment=environment_of(settings) | environment, stdin=stdin
    )


async def replayed(run: Run, settings: Settings, *arguments: str, **environment: str) -> str:
    """Run `replay --yes`, which must succeed; what it says."""
    done = await called(run, settings, "replay", "--yes", *arguments, **environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


async def interactions(settings: Settings) -> list[Any]:
    records = await read_all(settings.bootstrap, settings.topics.interactions)
    return [record for partition in records.values() for record in partition]


async def put(settings: Settings, record: Record, *, topic: str | None = None, partition: int = 0) -> None:
    """The dead letter of a record on which our code failed."""
    rejected = Rejected(Reason.UNPROCESSABLE, "failed twice")
    letter = dead_letter(record, rejected, topic or settings.topics.interactions, partition)
    await produce(settings.bootstrap, settings.topics.dead_letters, [letter])
