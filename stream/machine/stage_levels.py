"""How many customers were in each stage at the end of each day, as figures of one partition.

Only days on which somebody moved say so; another day is as the one before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

from stream.codec.state.figures import Cell
from stream.core.tally import Tally
from stream.machine.figure_days import FigureDays, Made, note

_CUSTOMERS: Final = "customers/"
_SIGNS: Final = {"entered": 1, "left": -1}

Stages = Mapping[tuple[str, str], int]
"""Customers by lifecycle and stage."""


class StageLevels:
    """Keeps them beside the moves that they are made of."""

    def __init__(self, lifecycles: Iterable[str], days: FigureDays) -> None:
        self._figures = days
        self._levels: dict[str, list[int]] = {each: [] for each in lifecycles}
        """By lifecycle the days that say so, ascending."""
        self._unsure: set[str] = set()
        """Lifecycles whose customers may be others than the figures say: they may have been away."""

    def put(self, lifecycle: str, day: int, cell: Cell) -> None:
        """A number was restored."""
        if cell.figure.startswith(_CUSTOMERS):
            note(self._levels[lifecycle], day)
            self._unsure.add(lifecycle)

    def drop(self, lifecycle: str, last: int) -> None:
        """All days up to `last` were let go of."""
        levels = self._levels[lifecycle]
        del levels[: bisect_right(levels, last)]

    def after(self, lifecycle: str, day: int, now: dict[str, int]) -> dict[str, int]:
        """Customers by stage at the end of a day, while no batch is made; `now` are those of this moment."""
        return self._before(lifecycle, bisect_right(self._levels[lifecycle], day), now)

    def add(self, lifecycle: str, tally: Tally, stages: Stages, made: Made) -> None:
        """Take in the moves of a batch, of which `stages` came: one on one day counts on all later ones, too.

        Before the moves are added to the figures. Whoever runs a lifecycle again that was left out for a while has
        fewer customers in it than when it stopped.
        """
        moves = _moves_by_day(tally)
        if not moves:
            return
        days = self._levels[lifecycle]
        before = {stage: count for (of, stage), count in stages.items() if of == lifecycle}
        for moved in moves.values():
            for stage, change in moved.items():
                before[stage] = before.get(stage, 0) - change
        if lifecycle in self._unsure and not made.ahead:
            self._unsure.discard(lifecycle)
            known = self._before(lifecycle, len(days), {})
            level = moves[max(moves)]
            for stage in before.keys() | known.keys():
                level[stage] = level.get(stage, 0) + before.get(stage, 0) - known.get(stage, 0)
        for day in sorted(moves):
            place = bisect_left(days, day)
            if place == len(days) or days[place] != day:
                for stage, count in self._before(lifecycle, place, before).items():
                    self._figures.add(lifecycle, day, _cell(stage), count, made)
                days.insert(place, day)
            for later in days[place:]:
                for stage, change in moves[day].items():
                    if change:
                        self._figures.add(lifecycle, later, _cell(stage), change, made)

    def _before(self, lifecycle: str, place: int, before: dict[str, int]) -> dict[str, int]:
        """Customers by stage before the day that comes to stand at `place` among those that say so.

        `before` are those before the batch: where no day says so, they were there before figures were kept.
        """
        days = self._levels[lifecycle]
        if not days:
            return {stage: count for stage, count in before.items() if count}
        day = days[max(0, place - 1)]
        found: dict[str, int] = {}
        for stage in sorted(_stages_of(self._figures.cells(lifecycle, day))):
            count = self._figures.number(lifecycle, day, _cell(stage))
            if place == 0:  # it is the day after: what happened on it is taken back
                count -= self._figures.number(lifecycle, day, Cell(f"entered/{stage}", "", ""))
                count += self._figures.number(lifecycle, day, Cell(f"left/{stage}", "", ""))
            if count:
                found[stage] = count
        return found

    def settle(self, lifecycle: str, stages: Stages, made: Made) -> None:
        """Find all of them again, from the customers of now back by the moves of each day.

        For a crash may have left a day with the customers of some stages, and without those of others.
        """
        counts = {stage: count for (of, stage), count in stages.items() if of == lifecycle}
        for day in reversed(self._figures.all(lifecycle)):
            cells = self._figures.cells(lifecycle, day)
            moved: dict[str, int] = {}
            for cell, number in cells.items():
                kind, _, stage = cell.figure.partition("/")
                if not cell.by and kind in _SIGNS and stage:
                    moved[stage] = moved.get(stage, 0) + _SIGNS[kind] * number
            if moved:
                note(self._levels[lifecycle], day)
                for stage in sorted({*counts, *_stages_of(cells)}):
                    change = counts.get(stage, 0) - cells.get(_cell(stage), 0)
                    if change:
                        self._figures.add(lifecycle, day, _cell(stage), change, made)
            for stage, change in moved.items():
                counts[stage] = counts.get(stage, 0) - change


def _cell(stage: str) -> Cell:
    return Cell(_CUSTOMERS + stage, "", "")


def _stages_of(cells: Iterable[Cell]) -> set[str]:
    return {cell.figure.removeprefix(_CUSTOMERS) for cell in cells if cell.figure.startswith(_CUSTOMERS)}


def _moves_by_day(tally: Tally) -> dict[int, dict[str, int]]:
    """By day how many customers more are in each stage, or fewer; what is too old counts on the first open day."""
    levels: dict[int, dict[str, int]] = {}
    moves = [(day, source, target, times[0]) for (day, source, target, _segments), times in tally.moves.items()]
    first = tally.latest - tally.open_days + 1
    moves += [(first, source, target, times) for (source, target), times in tally.closed_moves.items()]
    for day, source, target, times in moves:
        level = levels.setdefault(day, {})
        if source:
            level[source] = level.get(source, 0) - times
        if target:
            level[target] = level.get(target, 0) + times
    return levels
