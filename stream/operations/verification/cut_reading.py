"""Find the state that is verified: the last position of a partition, once that is past what had arrived at the start.

While workers run, some interactions always wait. Those that arrive after the verification began do not count; those
that were there must be in the state, and for that the changelog is followed for a while.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from aiokafka import TopicPartition

from stream.codec.state import positions
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import FIGURE, LAYOUT
from stream.codec.state.positions import Position, decode_position
from stream.core.model import Model
from stream.errors import PositionError, SettingsError
from stream.kafka.group_offsets import SEEN_EVERYWHERE, group_offset, lost_state
from stream.kafka.log_reader import LogReader
from stream.operations.verification.comparison import Cut
from stream.operations.verification.findings import Behind
from stream.settings import Settings

_LOOK_AGAIN = 0.2
"""Seconds."""


class InteractionsLog(NamedTuple):
    """One partition of interactions, as it was when the verification began."""

    tp: TopicPartition
    partitions: int
    """Of the topic."""
    first: int
    """The earliest offset that is kept."""
    end: int
    """The offset after the last record, one of an open transaction included."""


class Wait:
    """How long workers may still need, over all partitions."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    async def a_little(self) -> bool:
        """Let a moment pass; False where the time is over."""
        if self.left <= 0:
            return False
        began = time.monotonic()
        await asyncio.sleep(min(_LOOK_AGAIN, self.left))
        self.left -= time.monotonic() - began
        return True


class CutReader:
    """Reads one partition of the changelog."""

    def __init__(self, settings: Settings, model: Model, source: InteractionsLog, *, exactly_once: bool) -> None:
        self.early: set[bytes] = set()
        """Keys that were written ahead of the cut, which happens without transactions only."""
        self.tail: int | None = None
        """Where the changelog goes on after the cut."""
        self._settings, self._topics = settings, settings.topics
        self._model = model
        self._source = source
        self._exactly_once = exactly_once
        self._customers: dict[bytes, bytes] = {}
        self._layouts: list[bytes] = []
        self._position: bytes | None = None
        self._ahead: list[tuple[bytes, bytes | None]] = []

    async def read(self, log: LogReader, wait: Wait, waiting: Callable[[Behind], None]) -> tuple[Cut, Behind | None]:
        """The cut, and what it lacks of what had arrived; `waiting` hears of that while workers go on.

        Raises LifecycleError where the position does not fit topic or settings.
        """
        while True:
            await self._follow(log)
            if self._position is None:
                await self._require_new(log)
            kept = None if self._position is None else decode_position(self._position)
            at = None if kept is None else kept.offsets.get(self._source.tp.topic)
            position = self._begun(kept)
            behind = await self._behind(log, at)
            if behind is None:
                break
            waiting(behind)
            if not await wait.a_little():
                break
        return self._cut(position), behind

    async def _require_new(self, log: LogReader) -> None:
        """Raises PositionError where workers have processed something: then their state is gone.

        Unless it came since it was looked for, with the first transaction of a worker that has only begun.
        """
        offset = await group_offset(self._settings, self._source.tp)
        if not offset:
            return
        await asyncio.sleep(SEEN_EVERYWHERE)
        await self._follow(log)
        if self._position is None:
            raise PositionError(lost_state(self._settings, self._topics.customers, self._source.tp, offset))

    async def _follow(self, log: LogReader) -> None:
        """Apply what was written meanwhile.

        Every transaction ends with its position. Without transactions customers may stand there before theirs.
        Figures are not verified.
        """
        async for records in log.read(TopicPartition(self._topics.customers, self._source.tp.partition), self.tail):
            for record in records:
                if record.key == positions.KEY:
                    self._position = record.value
                    _apply(self._customers, self._ahead)
                    self._ahead = []
                elif record.key is not None and record.key[:1] == LAYOUT:
                    if record.value is not None:
                        self._layouts.append(record.value)
                elif record.key is not None and record.key[:1] != FIGURE:
                    self._ahead.append((record.key, record.value))
        self.tail = log.position

    async def _behind(self, log: LogReader, at: int | None) -> Behind | None:
        """What had arrived and lies at `at` or later; transaction markers at the end are nothing."""
        tp, _, first, end = self._source
        begin = max(first, at or 0)
        if begin >= end:
            return None
        readable = min(end, await log.readable_end(tp))
        if readable == end and not await log.has_records(tp, begin, end):
            return None
        return Behind(tp.partition, at, end, end - begin, readable < end)

    def _begun(self, position: Position | None) -> Position:
        """The position, complete where no worker has begun there yet. Raises LifecycleError where it does not fit."""
        tp, count, first, _ = self._source
        topic = tp.topic
        if position is None:
            return Position(offsets={topic: first}, partitions=count, begun=first, since=first)
        if position.partitions == 0:
            raise PositionError(f"a `lifecycle reset` of {topic}, partition {tp.partition}, broke off; run it again")
        if position.carried_to == topic:
            raise PositionError(
                f"a `lifecycle repartition` to {topic} is under way, or broke off: what is there is not whole"
            )
        if position.partitions != count:
            raise PositionError(
                f"topic {topic} has {count} partitions, the state was written with {position.partitions}"
            )
        if not position.lifecycles:  # after a reset
            begun = position.offsets.get(topic, first)
            position.offsets, position.begun, position.since = {topic: begun}, begun, begun
        if topic not in position.offsets:
            raise SettingsError(
                f"the state was made of {', '.join(position.offsets)}, not of {topic}: are topic_prefix and "
                "interactions as the workers have them?"
            )
        return position

    def _cut(self, position: Position) -> Cut:
        offset = position.offsets[self._source.tp.topic]
        if not self._exactly_once:
            codec = CustomerCodec(self._model)
            for layout in self._layouts:
                codec.learn(layout)
            self.early = {key for key, value in self._ahead if value and codec.decode(key, value).offset >= offset}
        _apply(self._customers, [each for each in self._ahead if each[0] not in self.early])
        return Cut(position, offset, self._customers, self._layouts)


def _apply(customers: dict[bytes, bytes], records: list[tuple[bytes, bytes | None]]) -> None:
    for key, value in records:
        if value is None:
            customers.pop(key, None)
        else:
            customers[key] = value
