"""Which customer's deadline is next. A deadline that moves to a later time stays in its old position until then."""

from collections.abc import Iterable
from typing import Final

from librt.vecs import append, pop, vec
from mypy_extensions import i64

from stream.machine.slot import NEVER, Slot

_ROOT: Final[i64] = 0


class Schedule:
    """Slots by time, those of one time by key: a binary heap.

    A customer may be due later than it is scheduled, never earlier: the caller that pops it looks, and puts it back
    with the later time, so that deadlines are fired in the order of their times.
    """

    def __init__(self) -> None:
        self.earliest: i64 = NEVER
        """Nobody is due before this time."""
        self._times = vec[i64]()
        self._slots: list[Slot] = []
        """Of each time, at the same place, whose it is: it counts only while the slot names it, too."""

    def load(self, slots: Iterable[Slot]) -> None:
        """Replace all entries by these slots, with the times that they name."""
        self._times, self._slots = vec[i64](), []
        for slot in slots:
            self._times = append(self._times, slot.scheduled)
            self._slots.append(slot)
        place: i64 = len(self._slots) // 2
        while place > 0:
            place -= 1
            self._sink(place)
        self._settle()

    def put(self, slot: Slot, time: i64) -> None:
        """The customer's next deadline is at `time`."""
        if time >= slot.scheduled:
            return
        slot.scheduled = time
        self._times = append(self._times, time)
        self._slots.append(slot)
        self._rise(len(self._slots) - 1)
        self.earliest = min(self.earliest, time)

    def next(self) -> int | None:
        """The earliest time at which somebody may be due."""
        self._settle()
        return self.earliest if self._slots else None

    def pop(self, until: i64) -> tuple[int, Slot] | None:
        """Remove and return the first that may be due up to and including `until`, with its scheduled time."""
        if self.earliest > until:
            return None
        self._settle()
        time = self.earliest
        if time > until:
            return None
        slot = self._slots[0]
        self._drop_first()
        slot.scheduled = NEVER
        self._settle()
        return time, slot

    def __len__(self) -> int:
        return sum(1 for place, slot in enumerate(self._slots) if slot.scheduled == self._times[place])

    def _settle(self) -> None:
        """Drop entries from the top that a later `put` of the same slot superseded."""
        while self._slots and self._slots[0].scheduled != self._times[0]:
            self._drop_first()
        self.earliest = self._times[0] if self._slots else NEVER

    def _drop_first(self) -> None:
        self._times, time = pop(self._times)
        slot = self._slots.pop()
        if self._slots:
            self._times[0] = time
            self._slots[0] = slot
            self._sink(_ROOT)

    def _rise(self, place: i64) -> None:
        """Move an entry towards the top, to where none above it is later."""
        times, slots = self._times, self._slots
        time, slot = times[place], slots[place]
        while place > 0:
            above = (place - 1) >> 1
            if times[above] < time or (times[above] == time and slots[above].key <= slot.key):
                break
            times[place] = times[above]
            slots[place] = slots[above]
            place = above
        times[place] = time
        slots[place] = slot

    def _sink(self, place: i64) -> None:
        """Move an entry away from the top, to where none below it is earlier."""
        times, slots = self._times, self._slots
        time, slot = times[place], slots[place]
        count: i64 = len(slots)
        while True:
            below = 2 * place + 1
            if below >= count:
                break
            other = below + 1
            if other < count and (
                times[other] < times[below] or (times[other] == times[below] and slots[other].key < slots[below].key)
            ):
                below = other
            if times[below] > time or (times[below] == time and slots[below].key >= slot.key):
                break
            times[place] = times[below]
            slots[place] = slots[below]
            place = below
        times[place] = time
        slots[place] = slot
