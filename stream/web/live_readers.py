"""Who listens to live stage changes now: each change goes to those that want it, into a queue that is bounded."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator

from stream.codec.change_filter import ChangeFilter
from stream.codec.stage_change_reader import StageChangeValue

QUEUE_BYTES = 256 << 10
"""What may wait for one reader; beside it up to 200 KB in its connection. One that is slower is cut off."""
_CHUNK_BYTES = 64 << 10
"""What is written to a connection at a time."""


class LiveReader:
    """One connection that listens."""

    def __init__(self, wanted: ChangeFilter, cut_off: Callable[[], None]) -> None:
        """`cut_off` ends the connection at once."""
        self.wanted = wanted
        self.is_cut_off = False
        self._end = cut_off
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()

    def push(self, event: bytes) -> None:
        """An event for it; too many, and it is cut off."""
        if self.is_cut_off:
            return
        if self._bytes + len(event) > QUEUE_BYTES:
            self.cut_off()
        else:
            self._queue.append(event)
            self._bytes += len(event)
            self._wake.set()

    def cut_off(self) -> None:
        """End its connection: by the id of its last event it goes on in a new one."""
        self.is_cut_off = True
        self._queue.clear()
        self._end()
        self._wake.set()

    def wake(self) -> None:
        """Let `take` return."""
        self._wake.set()

    async def take(self, seconds: float) -> bytes:
        """What waits, at most a chunk; empty where nothing came for so long, or it was woken."""
        if not self._queue:
            self._wake.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                return b""
        taken = []
        size = 0
        while self._queue and size < _CHUNK_BYTES:
            taken.append(self._queue.popleft())
            size += len(taken[-1])
        self._bytes -= size
        return b"".join(taken)


class LiveReaders:
    """All of them, by what they want: a filter that many have is asked once for each change."""

    def __init__(self) -> None:
        self._by_filter: dict[ChangeFilter, set[LiveReader]] = {}
        self._of_anyone: set[ChangeFilter] = set()
        """Filters that name no customer."""
        self._of_customer: defaultdict[str, set[ChangeFilter]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(map(len, self._by_filter.values()))

    def __iter__(self) -> Iterator[LiveReader]:
        for readers in self._by_filter.values():
            yield from readers

    def add(self, reader: LiveReader) -> None:
        """From now on it gets what it wants."""
        wanted = reader.wanted
        self._by_filter.setdefault(wanted, set()).add(reader)
        for filters in self._indexed(wanted):
            filters.add(wanted)

    def remove(self, reader: LiveReader) -> None:
        """It gets nothing more."""
        readers = self._by_filter.get(reader.wanted)
        if readers is None:
            return
        readers.discard(reader)
        if not readers:
            del self._by_filter[reader.wanted]
            for filters in self._indexed(reader.wanted):
                filters.discard(reader.wanted)
            for customer in reader.wanted.customers:
                if not self._of_customer[customer]:
                    del self._of_customer[customer]

    def that_want(self, change: StageChangeValue) -> Iterator[LiveReader]:
        """Those that are to get this change."""
        for filters in (self._of_anyone, self._of_customer.get(change.subject, ())):
            for wanted in filters:
                if wanted.includes(change):
                    yield from self._by_filter[wanted]

    def _indexed(self, wanted: ChangeFilter) -> Iterator[set[ChangeFilter]]:
        if not wanted.customers:
            yield self._of_anyone
        for customer in wanted.customers:
            yield self._of_customer[customer]
