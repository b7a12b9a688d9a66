"""Lifecycles that are edited between two starts, on real Kafka."""

from collections.abc import Sequence
from functools import partial

import orjson

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.engine.partition_context import MakeMachine
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.lifecycles import funnel
from tests.kit.times import T0
from tests.kit.topics import produce, read_all


def made_with(settings: Settings, threshold: int) -> MakeMachine:
    """Machines of the lifecycle with this threshold."""

    def make(partition: int, topic: SourceTopic) -> PartitionMachine:
        place = SourcePartition(settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(funnel(threshold), settings, place)

    return make


async def visit(settings: Settings, customers: Sequence[str]) -> None:
    """One visit of each."""
    visits = [Interaction(each, None, None, "visit", T0, {}, {}) for each in customers]
    records = [Outgoing(each.subject.encode(), encode_native(each)) for each in visits]
    await produce(settings.bootstrap, settings.topics.interactions, records)


async def moved(settings: Settings) -> dict[str, tuple[str, int]]:
    """By customer who became a qualified lead: why, and at which number of its changes."""
    records = await read_all(settings.bootstrap, settings.topics.stage_changes)
    changes = [orjson.loads(record.value or b"") for partition in records.values() for record in partition]
    return {each["customer_id"]: (each["trigger"]["kind"], each["sequence"]) for each in changes if each["to"] == "mql"}


def _at_least(rig: Rig, inputs: int) -> bool:
    return rig.recorder.inputs >= inputs


async def test_a_file_is_edited_and_edited_again_and_nobody_is_lost(kafka: SharedKafka, topic_prefix: str) -> None:
    """Start, a visit, stop, edit, start, a visit, stop, edit, start: the state opens each time, and moves who may.

    Of two partitions one gets no interaction between the edits, so that what it must keep has no other reason to be
    written. At the last start everybody has ten points, and the threshold is five.
    """
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, partitions=2, clock="stream")
    async with Rig(settings, made_with(settings, 50)) as rig:
        await visit(settings, [f"c{number}" for number in range(20)])
        await rig.recorder.until(lambda: rig.recorder.inputs >= 20 + 2)
    for version, customer in enumerate(["c20", "c21"]):
        async with Rig(settings, made_with(settings, 40 - version)) as rig:
            await rig.recorder.until(lambda: rig.recorder.batches >= 2)  # each partition writes what the edit needs
            await visit(settings, [customer])
            await rig.recorder.until(partial(_at_least, rig, rig.recorder.inputs + 1))
            assert rig.recorder.failures == []
    assert await moved(settings) == {}
    async with Rig(settings, made_with(settings, 5)) as rig:
        await rig.recorder.until(lambda: rig.recorder.inputs >= 22 + 2)
    assert await moved(settings) == {f"c{number}": ("lifecycle", 2) for number in range(22)}
