"""An async iterator of stage changes; `subscribe` makes one."""

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from stream.codec.change_filter import ChangeFilter
from stream.codec.stage_change_reader import SubscribedChange, read_whole_change
from stream.events import Event, report
from stream.kafka.change_consumer import ChangeConsumer, Entered, Record, Start
from stream.kafka.log_throttle import throttle_aiokafka
from stream.kafka.permissions import of_subscriber
from stream.kafka.waiting import stage_change_partitions, when_there
from stream.settings import Settings
from stream.subscription.gap import Gap
from stream.subscription.seen_changes import SeenChanges

log = logging.getLogger(__name__)

OnGap = Callable[[Gap], Awaitable[None] | None]

LOOK_BACK = 1_000
"""Records before a committed position that are read again, to know which changes were seen."""
_WAIT = 1.0


class Messages:
    """How a subscription says what is no change: in the log, else as who shows changes to people does it."""

    def waiting(self, words: str) -> None:
        """For what it waits: a broker, or a topic."""
        report(log.warning, Event.SUBSCRIPTION_WAITS, "{reason}", reason=words)

    def unreadable(self, topic: str, partition: int, offset: int) -> None:
        """A record is not a stage change, and is passed over."""
        report(
            log.warning,
            Event.SUBSCRIPTION_UNREADABLE,
            "{topic}, partition {partition}, offset {offset}: not a stage change",
            topic=topic,
            partition=partition,
            offset=offset,
        )

    def gap(self, gap: Gap) -> None:
        """Changes are missing."""
        report(
            log.warning,
            Event.SUBSCRIPTION_GAP,
            "{reason}",
            reason=str(gap),
            partition=gap.partition,
            offset=gap.offset,
            missing=gap.missing,
        )


class Subscription:
    """Iterate over it once, with `async for`; `async with` around it tells it how the loop ended.

    A change is processed when the loop asks for the next one. Where the loop is left by `break`, `async with` commits
    the last change, for the block ended without an error; without `async with` that change comes again.
    """

    def __init__(
        self,
        settings: Settings,
        wanted: ChangeFilter,
        *,
        group: str | None = None,
        start: Start = "end",
        corrections: bool = True,
        commit_every: int = 1,
        repeats: bool = False,
        on_gap: OnGap | None = None,
        messages: Messages | None = None,
    ) -> None:
        """See `stream.subscription.subscribe`; with `repeats`, what comes again is handed over again."""
        self._settings, self._wanted = settings, wanted
        self._group, self._start, self._corrections = group, start, corrections
        self._commit_every, self._repeats = commit_every, repeats
        self._messages = messages or Messages()
        self._on_gap: OnGap = on_gap or self._messages.gap
        self._changes: AsyncGenerator[SubscribedChange, None] | None = None
        self._seen: dict[int, SeenChanges] = {}
        self._gaps: list[Gap] = []
        self._ended_well = False

    def __aiter__(self) -> AsyncIterator[SubscribedChange]:
        return self._changes or self._read()

    async def __aenter__(self) -> Self:
        self._changes = self._read()  # which without it is held by the loop alone, so that it ends with the loop
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended_well = error is None
        await self.aclose()

    async def aclose(self) -> None:
        """End: the group's other members get our partitions at once."""
        if self._changes is not None:
            await self._changes.aclose()

    def enter(self, partition: Entered) -> int:
        """A partition is ours: of what was seen in it, remember what is not known any more."""
        number, position = partition.partition, partition.position
        if partition.lost != 0:
            self._gaps.append(Gap(number, position, partition.lost))
        known = self._seen.get(number)
        if known is not None and partition.lost is not None and position - partition.lost <= known.position:
            return position  # nobody was here since, and what comes again is known
        self._seen[number] = SeenChanges(partition.note)
        return max(position - LOOK_BACK, 0) if self._group is not None else position

    def note(self, partition: int) -> str:
        """What an heir needs to know of a partition."""
        return self._seen[partition].summary()

    async def _read(self) -> AsyncGenerator[SubscribedChange, None]:
        consumer = await self._start_consumer()
        record: Record | None = None
        try:
            while True:
                records = await consumer.fetch(_WAIT)
                while self._gaps:
                    await self._tell(self._gaps.pop(0))
                now, processed = consumer.round, 0
                for record in records:
                    if consumer.round != now:
                        break
                    change = await self._look_at(record, consumer)
                    if change is not None:
                        consumer.begin()
                        yield change
                    consumer.done(record)
                    processed += change is not None
                    if processed == self._commit_every:
                        processed = 0
                        await consumer.commit()
                await consumer.commit()
        except GeneratorExit:
            if self._ended_well and record is not None:
                consumer.done(record)
                await consumer.commit()
            raise
        finally:
            await consumer.stop()

    async def _start_consumer(self) -> ChangeConsumer:
        throttle_aiokafka()
        grants = of_subscriber(self._settings, self._group)
        partitions = await stage_change_partitions(self._settings, grants, self._messages.waiting)

        async def start() -> ChangeConsumer:
            consumer = ChangeConsumer(self._settings, self._group, self._start, partitions, self)
            await consumer.start()
            return consumer

        return await when_there(start, self._settings.bootstrap, self._messages.waiting)

    async def _look_at(self, record: Record, consumer: ChangeConsumer) -> SubscribedChange | None:
        """The change that a record holds, where the loop is to have it."""
        change = read_whole_change(record.value, record.partition, record.offset)
        is_new = consumer.is_new(record)
        if change is None:
            if is_new:
                self._messages.unreadable(record.topic, record.partition, record.offset)
            return None
        if not self._wanted.concerns(change):
            return None
        seen = self._seen[record.partition]
        sight = seen.see(change)
        seen.position = max(seen.position, record.offset + 1)
        if not is_new or (sight.repeated and not self._repeats):
            return None
        if sight.missing:
            await self._tell(Gap(record.partition, record.offset, sight.missing, change))
        change.correction = sight.correction
        if sight.correction and not self._corrections:
            return None
        return change if self._wanted.includes(change) else None

    async def _tell(self, gap: Gap) -> None:
        answer = self._on_gap(gap)
        if inspect.isawaitable(answer):
            await answer
