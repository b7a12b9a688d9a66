"""Which customer's deadline comes next. A deadline that moves later stays where it was until its time."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush


class Schedule:
    """Keys by time.

    A key may be due later than it is scheduled, never earlier: whoever takes it looks, and puts it back for then, so
    that deadlines are fired in the order of their times.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, bytes]] = []
        self._times: dict[bytes, int] = {}

    def load(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Begin with these, in one go."""
        self._heap = list(entries)
        heapify(self._heap)
        self._times = {key: time for time, key in self._heap}

    def put(self, key: bytes, time: int | None) -> None:
        """The key's next deadline is at `time`, or there is none."""
        if time is None:
            return  # what is scheduled is looked at when its time comes
        known = self._times.get(key)
        if known is None or time < known:
            self._times[key] = time
            heappush(self._heap, (time, key))

    def next(self) -> int | None:
        """The earliest time at which a key may be due."""
        heap, times = self._heap, self._times
        while heap and times.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def take(self, until: int) -> tuple[int, bytes] | None:
        """Remove and return the first key that may be due up to and including `until`, with its scheduled time."""
        time = self.next()
        if time is None or time > until:
            return None
        first = heappop(self._heap)
        del self._times[first[1]]
        return first

    def __len__(self) -> int:
        return len(self._times)
