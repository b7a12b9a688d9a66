"""Which customer's deadline is next. A deadline that moves to a later time stays in its old position until then."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Final

NEVER: Final = 1 << 62


class Schedule:
    """Keys by time.

    A key may be due later than it is scheduled, never earlier: the caller that pops it looks, and puts it back with
    the later time, so that deadlines are fired in the order of their times.
    """

    def __init__(self) -> None:
        self.earliest = NEVER
        """No key is due before this time."""
        self._heap: list[tuple[int, bytes]] = []
        self._times: dict[bytes, int] = {}

    def load(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Replace all entries by these."""
        self._heap = list(entries)
        heapify(self._heap)
        self._times = {key: time for time, key in self._heap}
        self._settle()

    def put(self, key: bytes, time: int) -> None:
        """The key's next deadline is at `time`."""
        known = self._times.get(key)
        if known is None or time < known:
            self._times[key] = time
            heappush(self._heap, (time, key))
            self.earliest = min(self.earliest, time)

    def next(self) -> int | None:
        """The earliest time at which a key may be due."""
        self._settle()
        return self.earliest if self._heap else None

    def pop(self, until: int) -> tuple[int, bytes] | None:
        """Remove and return the first key that may be due up to and including `until`, with its scheduled time."""
        if self.earliest > until:
            return None
        self._settle()
        if self.earliest > until:
            return None
        first = heappop(self._heap)
        del self._times[first[1]]
        self._settle()
        return first

    def __len__(self) -> int:
        return len(self._times)

    def _settle(self) -> None:
        """Drop entries from the top that a later `put` of the same key superseded."""
        heap, times = self._heap, self._times
        while heap and times.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        self.earliest = heap[0][0] if heap else NEVER
