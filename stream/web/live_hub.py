"""The one consumer of stage changes that all live readers of a worker share, for as long as there are any.

It reads every partition, keeps the latest changes in memory, and hands each to those that listen. Readers that come
back after a moment find what they missed in memory; `live_history` reads what is older.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice

from aiokafka.errors import KafkaError

from stream.errors import BrokerError, LifecycleError
from stream.events import Event, report
from stream.kafka.change_consumer import ChangeConsumer, Entered, Start
from stream.kafka.log_throttle import Throttle
from stream.kafka.permissions import of_tail
from stream.kafka.waiting import stage_change_partitions
from stream.settings import Settings
from stream.web.live_events import LiveEvent, event_of, with_id
from stream.web.live_positions import Positions
from stream.web.live_readers import LiveReaders

log = logging.getLogger(__name__)

RECENT_BYTES = 8 << 20
"""Of the latest changes that are kept in memory."""
_LOOK_BACK = 2_000
"""Records of all partitions that are read at the start, for readers that come back from another worker."""
LINGER_SECONDS = 30.0
"""For so long after the last reader left the consumer stays."""
_WAIT = 1.0
_AGAIN_SECONDS = 1.0
_READ_BY_THEMSELVES = 4
"""Readers that read older changes from Kafka at a time; others wait."""
_BREATH = 32
"""Events after which connections get their turn to write."""


class RecentChanges:
    """The latest events, in the order in which they were sent, bounded."""

    def __init__(self, offsets: list[int]) -> None:
        """By partition, the offset from which on nothing is missing."""
        self.complete_from = offsets
        self._events: deque[LiveEvent] = deque()
        self._bytes = 0

    def add(self, event: LiveEvent) -> None:
        self._events.append(event)
        self._bytes += len(event.body)
        while self._bytes > RECENT_BYTES:
            oldest = self._events.popleft()
            self._bytes -= len(oldest.body)
            self.complete_from[oldest.partition] = oldest.offset + 1

    def has_all_since(self, offsets: list[int]) -> bool:
        """Whether what stands at or behind these offsets is there."""
        return all(wanted >= first for wanted, first in zip(offsets, self.complete_from, strict=True))

    def after(self, number: int) -> Iterator[LiveEvent]:
        """Those after the event of this number."""
        if not self._events:
            return iter(())
        return islice(self._events, max(0, number + 1 - self._events[0].number), None)


class LiveHub:
    """Shared by all readers of this worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.positions: Positions | None = None
        """Of what was handed to those that listen; None until Kafka said where the partitions end."""
        self.first_live: list[int] = []
        """By partition, the offset at which the log ended when this began: what is new for who asks for now."""
        self.recent = RecentChanges([])
        self.refused: str | None = None
        """Why Kafka does not let us read stage changes."""
        self.readers = LiveReaders()
        self.moved = asyncio.Condition()
        """Notified whenever `positions` may have moved."""
        self._users = 0
        self._number = 0
        self._anew = False
        """The topic was created again."""
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._stopping: asyncio.TimerHandle | None = None
        self.catching_up = asyncio.Semaphore(_READ_BY_THEMSELVES)
        """Held by who reads from Kafka what is no longer in memory."""
        self._partitions = 0
        self._consumer: ChangeConsumer | None = None
        self._throttle = Throttle()

    def enter(self, partition: Entered) -> int:
        """As `Keeper`: where a partition begins."""
        if self.positions is not None:  # we come back after an error
            if partition.lost != 0:
                self.cut_off_all()
            self._anew = self._anew or partition.lost is None
            return partition.position
        self.first_live.append(partition.position)
        begin = max(partition.first, partition.position - _LOOK_BACK // self._partitions)
        self.recent.complete_from.append(begin)
        return begin

    def note(self, partition: int) -> str:  # noqa: ARG002 nothing is committed
        """As `Keeper`: nothing."""
        return ""

    def cut_off_all(self) -> None:
        """End every connection: changes are missing, of which each reader hears when it comes back."""
        for reader in list(self.readers):
            reader.cut_off()

    @contextlib.contextmanager
    def used(self) -> Iterator[None]:
        """While a reader is there the consumer runs."""
        self._users += 1
        if self._stopping is not None:
            self._stopping.cancel()
            self._stopping = None
        if self._stopped or self._task is None:
            self._task, self._stopped, self.refused = asyncio.create_task(self._run(self._task)), False, None
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._stopping = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._stop)

    def _stop(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def settled(self, seconds: float) -> None:
        """Return when it is known whether Kafka lets us read, at the latest after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self.moved:
                await self.moved.wait_for(lambda: self.positions is not None or self.refused is not None)

    async def close(self) -> None:
        """End the consumer."""
        if self._stopping is not None:
            self._stopping.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            while True:
                try:
                    await self._read()
                except BrokerError as error:
                    self._tell(error)
                    self.refused = str(error)
                except (KafkaError, LifecycleError, OSError) as error:
                    self._tell(error)
                await self._notify()
                await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            self.positions = None

    def _tell(self, error: Exception) -> None:
        kept = self._throttle.passes("live")
        if kept is not None:
            report(
                log.warning,
                Event.LIVE_CHANGES_WAIT,
                "live stage changes wait: {reason}",
                reason=str(error) or type(error).__name__,
                kept_back=kept,
            )

    async def _read(self) -> None:
        if self.positions is None or self._anew:
            self.positions, self.recent, self.first_live, self._anew = None, RecentChanges([]), [], False
        self._partitions = await stage_change_partitions(self.settings, of_tail(self.settings), self._waits)
        self.refused = None
        consumer = ChangeConsumer(self.settings, None, self._start(), self._partitions, self)
        await consumer.start()
        self._consumer = consumer
        try:
            topic = await consumer.topic_id()
            if self.positions is not None and self.positions.topic != topic:
                self.cut_off_all()
                self._anew = True
            while not self._anew:
                records = await consumer.fetch(_WAIT)
                if self.positions is None and len(self.first_live) == self._partitions:
                    self.positions = Positions(topic, self.recent.complete_from)
                for place, record in enumerate(records):
                    self._number += 1
                    event = event_of(record, self._number)
                    consumer.done(record)
                    if event is not None:
                        self._send(event)
                    if not place % _BREATH:
                        await self._notify()
                        await asyncio.sleep(0)
                if self.positions is not None:
                    for partition, offset in (await consumer.handed_out()).items():  # behind transaction markers
                        self.positions.advance(partition, offset)
                await self._notify()
        finally:
            self._consumer = None
            await consumer.stop()

    def _start(self) -> Start:
        found: Mapping[int, int] = {} if self.positions is None else dict(enumerate(self.positions.offsets))
        return found or "end"

    def _waits(self, words: str) -> None:
        self._tell(BrokerError(words))

    def _send(self, event: LiveEvent) -> None:
        assert self.positions is not None
        self.positions.advance(event.partition, event.offset + 1)
        self.recent.add(event)
        sent = b""
        for reader in list(self.readers.that_want(event.change)):
            sent = sent or with_id(event.body, self.positions.id)
            reader.push(sent)

    async def _notify(self) -> None:
        async with self.moved:
            self.moved.notify_all()

    async def ends(self) -> list[int] | None:
        """By partition, the offset behind the last record that can be read; None where Kafka does not say."""
        if self._consumer is None:
            return None
        try:
            return await self._consumer.ends()
        except KafkaError:
            return None
