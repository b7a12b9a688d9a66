"""What recovered partitions know of edits is one line of log, however many partitions there are."""

import logging

import pytest

from stream.engine.edit_log import Edits
from stream.settings import Settings
from tests.engine.rig import Rig
from tests.engine.toy import Toy
from tests.kit.kafka import SharedKafka

WAS, IS = "a" * 16, "b" * 16


def toy(edited: dict[str, str | None]) -> Toy:
    """Its state was written before an edit."""
    made = Toy()
    made.edited = edited
    return made


@pytest.fixture(autouse=True)
def _level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "stream.engine")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [message for message in caplog.messages if message.startswith("lifecycle ")]


def test_an_edit_is_said_once_for_all_partitions_with_both_digests(caplog: pytest.LogCaptureFixture) -> None:
    edits = Edits({"shop": IS, "more": IS})
    for partition in (2, 0, 1, 7):
        edits.recovered(partition, toy({"shop": WAS} if partition < 7 else {"more": None}))
    edits.say()
    edits.say()
    assert said(caplog) == [
        "lifecycle more is new to the states of partitions 7",
        f"lifecycle shop was edited since partitions 0-2 were last written (digest {WAS}, now {IS})",
    ]


def test_a_partition_that_recovers_again_says_it_again_only_where_another_had_it_in_between(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A partition may start over every few seconds while Kafka is unwell."""
    edits = Edits({"shop": IS})
    for _ in range(3):
        edits.recovered(0, toy({"shop": WAS}))
        edits.say()
    assert len(said(caplog)) == 1
    edits.given_up([0])
    edits.recovered(0, toy({"shop": WAS}))
    edits.say()
    assert len(said(caplog)) == 2


def test_a_machine_that_knows_of_no_edit_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    edits = Edits({"shop": IS})
    edits.recovered(0, toy({}))
    edits.recovered(1, Toy())
    edits.say()
    assert said(caplog) == []


async def test_a_worker_whose_partitions_recover_one_after_the_other_says_it_when_the_last_has(
    kafka: SharedKafka, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """And each assignment names the partitions added and given up."""
    settings = Settings(bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=6)
    async with Rig(settings, lambda _partition, _topic: toy({"shop": WAS})) as rig:
        await rig.recorder.until(lambda: len(rig.recorder.recovered_partitions) == 6)
        await rig.supervisor.pause()
        rig.supervisor.assign([0, 1, 5])
    assert said(caplog) == [
        f"lifecycle shop was edited since partitions 0-5 were last written (digest {WAS}, now None)"
    ]
    assert [message for message in caplog.messages if "given up" in message] == [
        "this worker has partitions 0-5: added 0-5, given up none",
        "this worker has partitions 0-1, 5: added none, given up 2-4",
        "the worker ends: given up partitions 0-1, 5",
    ]
