"""What a reset will cost, found before it is done: who is lost, who is poorer, and what is published again."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.codec.record_block import first_of
from stream.codec.state import positions
from stream.codec.state.keys import kind_of
from stream.codec.state.positions import Position, decode_position
from stream.codec.state.spans import span_of
from stream.core.interaction import MAX_TIME
from stream.errors import StateError, UnreadableError
from stream.kafka.changelog import ChangelogProgress, read_changelog
from stream.kafka.clients import client_options
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import count_partitions
from stream.kafka.unreadable import time_of
from stream.operations.reset import Beginning
from stream.settings import Settings

_LOOK_AGAIN = 0.2


@dataclass
class Outlook:
    """Over all partitions. Times are epoch milliseconds."""

    oldest: int | None = None
    """When the first of the interactions that will be read arrived; None where there are none."""
    customers: int = 0
    lost: int = 0
    """Customers of whom no interaction will be read."""
    poorer: int = 0
    """Customers of whom the beginning will not be read, but something later."""
    unreadable: int = 0
    """Customers of whom it is not known."""
    changes: int = 0
    """Stage changes published since `oldest`, at most: each transaction counts for one more."""
    live_from: int | None = None
    """The earliest; None: all changes are published."""
    skipped: dict[int, int] = field(default_factory=dict)
    """By partition: interactions that retention deleted before they were applied."""


async def look_ahead(settings: Settings, beginnings: Sequence[Beginning], progress: Callable[[float], None]) -> Outlook:
    """Read all customers; `progress` hears of the share that is done. Raises KafkaError."""
    outlook = Outlook()
    kept: dict[int, Position] = {}
    for index, beginning in enumerate(beginnings):
        tp = TopicPartition(settings.topics.customers, beginning.partition)
        reading = ChangelogProgress()
        task = asyncio.create_task(read_changelog(settings, tp, reading))
        try:
            while not (await asyncio.wait([task], timeout=_LOOK_AGAIN))[0]:
                progress((index + (reading.share if reading.end else 0)) / len(beginnings))
        finally:
            task.cancel()
        changelog = task.result()
        _count(outlook, beginning, changelog)
        position = _position(changelog)
        if position is not None:
            kept[beginning.partition] = position
            at = position.offsets.get(settings.topics.interactions)
            if at is not None and at < beginning.first:
                outlook.skipped[beginning.partition] = beginning.first - at
    outlook.live_from = min((each.live_from or 0 for each in kept.values()), default=0) or None
    outlook.oldest = await _oldest(settings, beginnings)
    if outlook.oldest is not None and kept:
        outlook.changes = await _published_since(settings, outlook.oldest, kept)
    return outlook


def _count(outlook: Outlook, beginning: Beginning, changelog: dict[bytes, bytes]) -> None:
    for key, value in changelog.items():
        if kind_of(key) is None:
            continue
        outlook.customers += 1
        try:
            span = span_of(value)
        except StateError:  # a reset is what helps then, so this must not stop it
            outlook.unreadable += 1
            continue
        if span.last < beginning.first:
            outlook.lost += 1
        elif span.first is not None and span.first < beginning.first:
            outlook.poorer += 1


def _position(changelog: dict[bytes, bytes]) -> Position | None:
    value = changelog.get(positions.KEY)
    try:
        return None if value is None else decode_position(value)
    except StateError:
        return None


async def _oldest(settings: Settings, beginnings: Sequence[Beginning]) -> int | None:
    """When the first record that will be read arrived, over all partitions."""
    times: list[int] = []
    async with LogReader(settings) as log:
        for beginning in beginnings:
            tp = TopicPartition(settings.topics.interactions, beginning.partition)
            end = min(beginning.end, await log.readable_end(tp))
            try:
                async with aclosing(log.read(tp, beginning.first, end)) as batches:
                    async for records in batches:
                        if records:
                            times.append(first_of(records).timestamp)
                            break
            except UnreadableError as error:  # a reset may be what somebody wants then, so this must not stop it
                time = time_of(error.data)
                if time is not None:
                    times.append(time)
    return min(times, default=None)


async def _published_since(settings: Settings, time: int, kept: dict[int, Position]) -> int:
    """Offsets of stage-changes from `time` on that belong to the present states; a worker may ask for no more."""
    topic = settings.topics.stage_changes
    count = (await count_partitions(settings, topic)).get(topic, 0)
    tps = [TopicPartition(topic, number) for number in range(count)]
    async with AIOKafkaConsumer(
        **client_options(settings), isolation_level="read_committed", enable_auto_commit=False
    ) as consumer:
        consumer.assign(tps)
        begins = await consumer.beginning_offsets(tps)
        ends = await consumer.end_offsets(tps)
        if not any((await consumer.offsets_for_times(dict.fromkeys(tps, MAX_TIME))).values()):
            found = await consumer.offsets_for_times(dict.fromkeys(tps, time))
            begins = {tp: ends[tp] if (at := found[tp]) is None else at.offset for tp in tps}
    of_state = [
        min((each.changes_from.get(str(tp.partition), ends[tp]) if each.changes_from else 0) for each in kept.values())
        for tp in tps
    ]
    return sum(max(0, ends[tp] - max(begins[tp], begun)) for tp, begun in zip(tps, of_state, strict=True))
