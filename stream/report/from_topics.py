"""Rows from Kafka: interactions as they were sent, and the stage changes that workers made of them.

Partition after partition, up to where each ends when its reading begins; what a transaction took back is not read.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Final, Protocol

from aiokafka import TopicPartition

from stream.codec.controls import control_of
from stream.codec.dead_letter_reasons import Rejected
from stream.codec.fields import AHEAD
from stream.codec.records import Headers
from stream.kafka.log_reader import LogReader
from stream.kafka.permissions import Grant, Operation, require
from stream.kafka.topics import require_partitions
from stream.report.change_rows import ChangeRows
from stream.report.interaction_rows import InteractionRows
from stream.settings import Settings

_AT_ONCE: Final = 8 << 20
"""Bytes of stage changes that are read together."""

_Records = list[tuple[bytes | None, int, Headers]]


class _Read(Protocol):
    """Takes records of one partition after another; `last`: it is at its end."""

    def __call__(self, records: _Records, *, last: bool) -> None: ...


Progress = Callable[[str, int, int], object]
"""Hears of a topic how many records were read, of about how many."""


async def read_topics(
    settings: Settings, interactions: InteractionRows, changes: ChangeRows, progress: Progress
) -> dict[str, int]:
    """Read both topics to their ends; returns by reason how many interactions could not be read.

    Raises TopicError where a topic does not exist, BrokerError where we may not read it, and KafkaError.
    """
    names = settings.topics
    wanted = [names.interactions, names.stage_changes]
    await require(settings, [Grant(Operation.READ, name) for name in wanted])
    counts = await require_partitions(settings, wanted, "it is made by the first worker")
    rejected: dict[str, int] = {}
    async with LogReader(settings) as log:
        for topic, read in (
            (names.interactions, _interactions(settings, interactions, rejected)),
            (names.stage_changes, _changes(changes)),
        ):
            tps = [TopicPartition(topic, number) for number in range(counts[topic])]
            spans = await log.spans(tps)
            whole = sum(end - begin for begin, end in spans.values())
            done = 0
            for tp, (begin, end) in spans.items():
                async with aclosing(log.read(tp, begin, end)) as batches:
                    async for records in batches:
                        read([(each.value, each.timestamp, each.headers) for each in records], last=False)
                        progress(topic, done + log.position - begin, whole)
                read([], last=True)
                done += end - begin
    return rejected


def _interactions(settings: Settings, rows: InteractionRows, rejected: dict[str, int]) -> _Read:
    decoder = settings.decoder()

    def read(records: _Records, *, last: bool) -> None:  # noqa: ARG001 - nothing waits
        for value, timestamp, headers in records:
            if headers and control_of(headers) is not None:
                continue
            interaction = decoder.decode(value, timestamp, headers)
            if isinstance(interaction, Rejected):
                rejected[interaction.reason] = rejected.get(interaction.reason, 0) + 1
                continue
            if interaction.time > timestamp + AHEAD:
                interaction.time = timestamp
            rows.add(interaction)

    return read


def _changes(rows: ChangeRows) -> _Read:
    kept: list[bytes] = []
    size = 0

    def read(records: _Records, *, last: bool) -> None:
        nonlocal size
        for value, _timestamp, _headers in records:
            if value is not None:
                kept.append(value)
                size += len(value)
        if kept and (last or size >= _AT_ONCE):
            rows.add_lines(b"\n".join(kept))
            kept.clear()
            size = 0

    return read
