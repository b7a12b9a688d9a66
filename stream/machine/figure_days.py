"""The figures of each day of one partition: what is committed, and what the batch at hand has changed of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from stream.codec.state.figures import Cell

Day = dict[Cell, int]
"""The figures of one day."""
Place = tuple[str, int, Cell]
"""One number: lifecycle, day, counted from 1970-01-01, and which it is."""


class Made:
    """What a batch changes."""

    def __init__(self, ahead: AbstractSet[Place]) -> None:
        self.ahead = ahead
        """What has it already."""
        self.written: dict[Place, None] = {}
        """In the order in which they were first changed."""


class FigureDays:
    """Numbers by lifecycle, day and cell."""

    def __init__(self, lifecycles: Iterable[str]) -> None:
        self._days: dict[str, dict[int, Day]] = {each: {} for each in lifecycles}
        self._changed: dict[tuple[str, int], Day] = {}
        self._order: dict[str, list[int]] = {each: [] for each in self._days}
        """The days that have figures, ascending, those of the batch at hand too."""
        self._cells: dict[Cell, Cell] = {}
        """Each cell once, however many days have it."""

    def put(self, lifecycle: str, day: int, cell: Cell, number: int) -> None:
        """A committed number."""
        days = self._days[lifecycle]
        of = days.get(day)
        if of is None:
            of = days[day] = {}
            note(self._order[lifecycle], day)
        of[self._cells.setdefault(cell, cell)] = number

    def commit(self) -> None:
        """The batch at hand is committed."""
        for (lifecycle, day), cells in self._changed.items():
            days = self._days[lifecycle]
            of = days.get(day)
            if of is None:
                of = days[day] = {}
            of.update(cells)
        self._changed = {}

    def committed(self, lifecycle: str, first: int, last: int) -> list[tuple[int, Day]]:
        """The committed figures of the days from `first` to `last`, ascending, and of the day before which has any."""
        days, order = self._days.get(lifecycle, {}), self._order.get(lifecycle, [])
        begin = max(0, bisect_left(order, first) - 1)
        return [(day, days[day]) for day in order[begin : bisect_right(order, last)] if day in days]

    def committed_days(self, lifecycle: str) -> list[int]:
        """The days that have committed figures, ascending."""
        days = self._days.get(lifecycle, {})
        return [day for day in self._order.get(lifecycle, []) if day in days]

    def all(self, lifecycle: str) -> list[int]:
        """The days that have figures, ascending, those of the batch at hand too; not to be changed."""
        return self._order[lifecycle]

    def cells(self, lifecycle: str, day: int) -> Day:
        """The figures of a day, as the batch at hand has them by now."""
        return self._days[lifecycle].get(day, {}) | self._changed.get((lifecycle, day), {})

    def number(self, lifecycle: str, day: int, cell: Cell) -> int:
        """One number, as the batch at hand has it by now; 0 where there is none."""
        changed = self._changed.get((lifecycle, day))
        if changed is not None and cell in changed:
            return changed[cell]
        of = self._days[lifecycle].get(day)
        return 0 if of is None else of.get(cell, 0)

    def add(self, lifecycle: str, day: int, cell: Cell, change: int, made: Made) -> None:
        """The batch at hand changes a number, unless that has it already."""
        if (lifecycle, day, cell) in made.ahead:
            return
        number = self.number(lifecycle, day, cell) + change
        cell = self._cells.setdefault(cell, cell)
        changed = self._changed.get((lifecycle, day))
        if changed is None:
            changed = self._changed[lifecycle, day] = {}
            note(self._order[lifecycle], day)
        changed[cell] = number
        made.written[lifecycle, day, cell] = None

    def drop(self, lifecycle: str, last: int) -> list[tuple[int, list[Cell]]]:
        """Let go of all days up to `last`; returns which, and their cells."""
        order, days = self._order[lifecycle], self._days[lifecycle]
        gone: list[tuple[int, list[Cell]]] = []
        count = bisect_right(order, last)
        for day in order[:count]:
            cells = [*days.pop(day, {}), *self._changed.pop((lifecycle, day), {})]
            gone.append((day, [*dict.fromkeys(cells)]))
        del order[:count]
        return gone


NONE_AHEAD: Final[frozenset[Place]] = frozenset()


def note(days: list[int], day: int) -> None:
    """Insert a day into ascending ones, once."""
    place = bisect_left(days, day)
    if place == len(days) or days[place] != day:
        days.insert(place, day)
