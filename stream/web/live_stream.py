"""One reader's stream: what it missed, and then what comes, without gap or repeat between the two."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiokafka.errors import KafkaError

from stream.events import Event, report
from stream.kafka.log_throttle import Throttle
from stream.web.live_events import event_of, gap, heartbeat, with_id
from stream.web.live_history import History
from stream.web.live_hub import LiveHub
from stream.web.live_positions import Positions
from stream.web.live_query import LiveQuery
from stream.web.live_readers import LiveReader

log = logging.getLogger(__name__)

Chunks = AsyncGenerator[bytes, None]

HEARTBEAT_SECONDS = 15.0
_AHEAD_SECONDS = 5.0
"""After so long without what a reader already had, Kafka is asked whether it still is."""
_AGAIN_SECONDS = 1.0
_AT_ONCE = 64
"""Events that are written together while a reader catches up."""
_throttle = Throttle()


class LiveStream:
    """What is written to one connection, in chunks; ends where the reader is cut off, or the worker stops."""

    def __init__(
        self, hub: LiveHub, query: LiveQuery, reader: LiveReader, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self._hub, self._query, self._reader = hub, query, reader
        self._heartbeat = heartbeat_seconds
        self._mine = Positions("0", [])
        """Where the reader stands while it catches up."""
        self._resumed = 0
        """So many partitions are read from where the reader stood; what is missing there is a gap."""
        self._is_listening = self._is_ending = False

    def end(self) -> None:
        """Let the stream end in order, at once."""
        self._is_ending = True
        self._reader.wake()

    @property
    def _goes_on(self) -> bool:
        return not self._is_ending and not self._reader.is_cut_off

    async def chunks(self) -> Chunks:
        """Until the reader is cut off, or the worker stops."""
        hub, reader = self._hub, self._reader
        try:
            async with aclosing(self._missed()) as missed:
                async for chunk in missed:
                    if not self._goes_on:
                        return
                    yield chunk
            while self._is_listening and self._goes_on:
                chunk = await reader.take(self._heartbeat)
                if chunk:
                    yield chunk
                elif self._goes_on:
                    yield heartbeat(None if hub.positions is None else hub.positions.id)
        finally:
            hub.readers.remove(reader)
            if reader.is_cut_off:
                _tell_cut_off()

    async def _missed(self) -> Chunks:
        """What the reader does not have yet; after the last chunk it listens, or the stream ends."""
        while (live := self._worker()) is None:
            if not self._goes_on or self._hub.refused is not None:
                return
            yield b"" if await self._moved() else heartbeat(None)
        for first in self._begin(live):
            yield first
        number = 0
        while self._goes_on and (live := self._worker()) is not None and live.topic == self._mine.topic:
            if _is_ahead(self._mine.offsets, live.offsets):
                steps = self._until_the_worker_is_there()
            elif self._hub.recent.has_all_since(self._mine.offsets):
                found, number = self._recent(number)
                if not found:
                    self._hub.readers.add(self._reader)
                    self._is_listening = True
                    return
                yield found
                continue
            else:
                steps = self._from_kafka(list(live.offsets))
            async with aclosing(steps):
                async for chunk in steps:
                    yield chunk

    def _worker(self) -> Positions | None:
        """What the worker has read so far; None: not known yet."""
        return self._hub.positions

    def _begin(self, live: Positions) -> list[bytes]:
        """Find where to begin; the first chunks say so."""
        partitions = len(live.offsets)
        resume = self._query.resume
        if resume is None:
            since_now = [max(each) for each in zip(live.offsets, self._hub.first_live, strict=True)]
            self._mine = Positions(live.topic, since_now if self._query.since == "now" else [0] * partitions)
        elif resume.topic != live.topic or len(resume.offsets) > partitions:
            self._mine = Positions(live.topic, [0] * partitions)
            reason = "the id is of another topic, or of one that was deleted and created again; this one follows whole"
            return [gap(self._mine.id, None, None, reason)]
        else:
            self._resumed = len(resume.offsets)
            self._mine = Positions(live.topic, resume.offsets + [0] * (partitions - self._resumed))
        return [with_id(b"\n", self._mine.id)]

    def _recent(self, number: int) -> tuple[bytes, int]:
        """What is wanted of the latest changes, after the event of this number; nothing: there is no more."""
        mine, wanted, found = self._mine, self._query.wanted, []
        for event in self._hub.recent.after(number):
            number = event.number
            if event.offset >= mine.offsets[event.partition]:
                mine.advance(event.partition, event.offset + 1)
                if wanted.includes(event.change):
                    found.append(with_id(event.body, mine.id))
                    if len(found) == _AT_ONCE:
                        break
        return b"".join(found), number

    async def _from_kafka(self, end: list[int]) -> Chunks:
        """What is wanted of the changes from where the reader stands up to these offsets."""
        hub, mine = self._hub, self._mine
        while not await self._may_read():
            yield heartbeat(mine.id)
        history = History(hub.settings, mine.offsets, end)
        said = time.monotonic()
        try:
            async with aclosing(history.batches()) as batches:
                async for records in batches:
                    while history.entered:
                        entered = history.entered.pop()
                        mine.advance(entered.partition, entered.position)
                        if entered.lost and entered.partition < self._resumed:
                            missing = (entered.position - entered.lost, entered.position - 1)
                            yield gap(mine.id, entered.partition, missing, "the topic no longer keeps these")
                    found = []
                    for record in records:
                        mine.advance(record.partition, record.offset + 1)
                        event = event_of(record, 0)
                        if event is not None and self._query.wanted.includes(event.change):
                            found.append(with_id(event.body, mine.id))
                    if found or time.monotonic() - said > self._heartbeat:
                        yield b"".join(found) or heartbeat(mine.id)
                        said = time.monotonic()
            for partition, offset in enumerate(end):
                mine.advance(partition, offset)
        except (KafkaError, OSError):
            await asyncio.sleep(_AGAIN_SECONDS)
            yield heartbeat(mine.id)
        finally:
            hub.catching_up.release()

    async def _until_the_worker_is_there(self) -> Chunks:
        """Wait for what the reader already had of another worker; where Kafka has it no more, say so."""
        hub, mine = self._hub, self._mine
        try:
            async with asyncio.timeout(min(_AHEAD_SECONDS, self._heartbeat)):
                while self._goes_on and hub.positions is not None and _is_ahead(mine.offsets, hub.positions.offsets):
                    await self._moved()
        except TimeoutError:
            yield heartbeat(mine.id)
            ends = await hub.ends()
            gone = [number for number, offset in enumerate(mine.offsets) if ends and offset > ends[number]]
            if gone:
                offsets = [0 if number in gone else offset for number, offset in enumerate(mine.offsets)]
                self._mine = Positions(mine.topic, offsets)
                for number in gone:
                    reason = "the topic does not reach this offset; what it keeps of the partition follows whole"
                    yield gap(self._mine.id, number, None, reason)

    async def _may_read(self) -> bool:
        """Whether it is our turn to read from Kafka; for some time it is waited for."""
        try:
            async with asyncio.timeout(self._heartbeat):
                return await self._hub.catching_up.acquire()
        except TimeoutError:
            return False

    async def _moved(self) -> bool:
        """Wait until the worker has read more; False: it has not for as long as a heartbeat."""
        try:
            async with asyncio.timeout(self._heartbeat), self._hub.moved:
                await self._hub.moved.wait()
        except TimeoutError:
            return False
        return True


def _is_ahead(mine: list[int], worker: list[int]) -> bool:
    return any(offset > read for offset, read in zip(mine, worker, strict=True))


def _tell_cut_off() -> None:
    kept = _throttle.passes("cut off")
    if kept is not None:
        report(
            log.warning,
            Event.LIVE_READER_CUT_OFF,
            "a reader of live stage changes was cut off: it does not read as fast as they come",
            kept_back=kept,
        )
