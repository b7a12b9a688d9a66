"""Keys in the order of a number, for many keys in few bytes: sorted runs, merged where they are read.

Each entry takes eight bytes for its number and eight for a reference to its key, which is kept elsewhere anyway. A run
is sorted once it is full, or when somebody reads, and a full one is never touched again, so nothing here ever takes
long.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from heapq import merge
from math import gcd
from typing import Final

RUN: Final = 4_096
"""Entries of a full run: sorting them takes two milliseconds."""

Entry = tuple[float, bytes]
"""A number and a key. Entries are ordered by both, so that the order is the same everywhere."""

_GOLDEN: Final = 0.6180339887
"""Steps of this share of a whole come near a place again as late as any can: Weyl's sequence of the golden ratio."""
_DOUBLES: Final = "d"
"""They hold a time in milliseconds exactly, too."""


class SortedRuns:
    """Entries, some of which may be there twice."""

    def __init__(self) -> None:
        self._runs: list[tuple[array[float], list[bytes]]] = []
        self._numbers: array[float] = array(_DOUBLES)
        self._keys: list[bytes] = []
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self._runs) * RUN + len(self._keys)

    def add(self, number: float, key: bytes) -> None:
        """Add an entry."""
        self._numbers.append(number)
        self._keys.append(key)
        self._is_sorted = False
        if len(self._keys) == RUN:
            self._sort()
            self._runs.append((self._numbers, self._keys))
            self._numbers, self._keys = array(_DOUBLES), []

    def ascending(self, after: Entry | None = None) -> Iterator[Entry]:
        """Every entry that comes after `after`, each once."""
        return _once(merge(*(_up(*run, after) for run in self._all())))

    def descending(self, after: Entry | None = None) -> Iterator[Entry]:
        """The same in the other order: every entry that is smaller than `after`."""
        return _once(merge(*(_down(*run, after) for run in self._all()), reverse=True))

    def spread(self) -> Iterator[Entry]:
        """Every entry that is there now, in an order of which each beginning is spread evenly over all of them.

        Entries that are added meanwhile may come, and one may come twice for it.
        """
        size = len(self)
        step = max(1, round(size * _GOLDEN))
        while gcd(step, size) > 1:
            step += 1
        place = 0
        for _ in range(size):
            run, inside = divmod(place, RUN)
            numbers, keys = self._runs[run] if run < len(self._runs) else (self._numbers, self._keys)
            yield numbers[inside], keys[inside]
            place = (place + step) % size

    def _all(self) -> list[tuple["array[float]", list[bytes]]]:
        if not self._is_sorted:
            self._sort()
        return [*self._runs, (self._numbers, self._keys)]

    def _sort(self) -> None:
        entries = sorted(zip(self._numbers, self._keys, strict=True))
        self._numbers = array(_DOUBLES, [number for number, _key in entries])
        self._keys = [key for _number, key in entries]
        self._is_sorted = True


def _place(numbers: "array[float]", keys: list[bytes], entry: Entry) -> int:
    """Where the entry belongs in a run; before an equal one."""
    low, high = bisect_left(numbers, entry[0]), bisect_right(numbers, entry[0])
    return bisect_left(keys, entry[1], low, high)


def _up(numbers: "array[float]", keys: list[bytes], after: Entry | None) -> Iterator[Entry]:
    index = 0 if after is None else _place(numbers, keys, after)
    while index < len(keys):
        entry = (numbers[index], keys[index])
        if after is None or entry > after:
            yield entry
        index += 1


def _down(numbers: "array[float]", keys: list[bytes], after: Entry | None) -> Iterator[Entry]:
    index = len(keys) if after is None else _place(numbers, keys, after)
    while index > 0:
        index -= 1
        yield (numbers[index], keys[index])


def _once(entries: Iterator[Entry]) -> Iterator[Entry]:
    before: Entry | None = None
    for entry in entries:
        if entry != before:
            yield entry
        before = entry
