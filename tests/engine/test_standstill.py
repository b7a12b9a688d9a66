"""A worker that stands still, as a machine that is suspended does, and goes on."""

import asyncio
import json
import threading
import time
from typing import Any

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.records import Outgoing
from stream.core.model import model_of
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.engine.rig import Rig
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all

pytestmark = pytest.mark.kafka

MODEL = model_of(
    [
        parse(
            """
lifecycle: quiet
stages: {new: {}, quiet: {}}
transitions: [{from: new, to: quiet, when: idle >= 4s}]
""",
            "quiet.yaml",
        ).lifecycle
    ]
)


async def test_a_deadline_that_passed_meanwhile_waits_for_the_interactions_that_came_meanwhile(
    kafka: SharedKafka, topic_prefix: str
) -> None:
    """An answer of before, which says that nothing waits, is read only afterwards."""
    settings = Settings(bootstrap=kafka.bootstrap, topic_prefix=topic_prefix, app=topic_prefix, partitions=1)
    topic = settings.topics.interactions
    place = lambda number, of: SourcePartition(topic, number, *of)  # noqa: E731 as the rig wants it
    async with Rig(settings, lambda n, of: PartitionMachine(MODEL, settings, place(n, of))) as rig:
        await rig.recorder.until(lambda: rig.recorder.batches >= 1, 60)
        begun = time.time()
        await produce(settings.bootstrap, topic, [seen(begun)])
        await rig.recorder.until(lambda: rig.recorder.inputs >= 2, 60)
        await asyncio.sleep(max(0.0, begun + 1.5 - time.time()))

        later = begun + 3.0
        other = threading.Thread(target=send_at, args=(settings, later))
        other.start()
        time.sleep(begun + 6.5 - time.time())  # noqa: ASYNC251 nothing of this worker runs
        other.join()
        await rig.recorder.until(lambda: rig.recorder.inputs >= 4, 60)
    [changes] = (await read_all(settings.bootstrap, settings.topics.stage_changes)).values()
    told: list[dict[str, Any]] = [json.loads(each.value or b"") for each in changes]
    assert [(each["to"], each["at"] >= round((later + 4) * 1_000)) for each in told] == [
        ("new", False),
        ("quiet", True),
    ]


def seen(moment: float) -> Outgoing:
    return Outgoing(b"ann", json.dumps({"type": "page", "customer_id": "ann", "time": round(moment * 1_000)}).encode())


def send_at(settings: Settings, moment: float) -> None:
    """In a thread of its own, with clients of its own."""
    time.sleep(moment - time.time())
    asyncio.run(produce(settings.bootstrap, settings.topics.interactions, [seen(time.time())]))
