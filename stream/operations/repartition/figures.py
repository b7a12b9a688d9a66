"""The figures of the old partitions as those of the new ones: their sum over partitions stays what it is, on every day.

A partition's figures go to the one of its number, modulo the new count, since they say of days what happened on them.
How many customers were in a stage is another matter: on the days before they are where they were counted, and from the
latest day on where the customers are now. Without I/O.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from stream.codec.figures import row
from stream.codec.records import Outgoing
from stream.codec.state.figures import Cell, figure_key, figure_value, read_figure_key, read_figure_value
from stream.codec.state.keys import FIGURE
from stream.core.model import Model

_CUSTOMERS = "customers/"

Cells = dict[tuple[str, int, Cell], int]
"""Numbers of one partition by lifecycle, day and which they are."""
Stages = Counter[tuple[str, str]]
"""Customers of one partition by lifecycle and stage."""


def read_cells(model: Model, changelog: Mapping[bytes, bytes]) -> Cells:
    """The figures of a partition, but those of which the file says something else by now. Raises StateError."""
    marks = {(of.id, each.name): each.mark for of in model.lifecycles if of.figures for each in of.figures.figures}
    cells: Cells = {}
    for key, value in changelog.items():
        if key[:1] == FIGURE:
            lifecycle, day, cell = read_figure_key(key)
            number, _, mark = read_figure_value(value)
            if mark == marks.get((lifecycle, cell.figure), mark):
                cells[lifecycle, day, cell] = number
    return cells


def spread(old: Mapping[int, Cells], before: Mapping[int, Stages], after: Mapping[int, Stages]) -> dict[int, Cells]:
    """The figures of each new partition.

    `old` are those of each old one, `before` the customers of each old one, and `after` those of each new one.
    """
    new: dict[int, Cells] = {number: {} for number in after}
    for number, cells in old.items():
        into = new[number % len(new)]
        for place, value in cells.items():
            if not place[2].figure.startswith(_CUSTOMERS):
                into[place] = into.get(place, 0) + value
    for lifecycle in sorted({lifecycle for cells in old.values() for lifecycle, _, _ in cells}):
        days = sorted({day for cells in old.values() for of, day, _ in cells if of == lifecycle})
        levels = {number: _Levels(lifecycle, cells, before[number]) for number, cells in old.items()}
        stages = {stage for of in (*before.values(), *after.values()) for of_, stage in of if of_ == lifecycle}
        stages |= {stage for each in levels.values() for stage in each.stages}
        for number, cells in new.items():
            own = [each for source, each in levels.items() if source % len(new) == number]
            said = {days[0], *(day for each in own for day in each.days)}
            for day in sorted(said - {days[-1]}):
                for stage in stages:
                    cells[lifecycle, day, _cell(stage)] = sum(each.at(day, stage) for each in own)
            for stage in stages:
                cells[lifecycle, days[-1], _cell(stage)] = after[number][lifecycle, stage]
    return new


class _Levels:
    """How many customers an old partition had in the stages of a lifecycle at the end of each day."""

    def __init__(self, lifecycle: str, cells: Cells, now: Stages) -> None:
        self._cells = {(day, cell): value for (of, day, cell), value in cells.items() if of == lifecycle}
        self._now = {stage: count for (of, stage), count in now.items() if of == lifecycle}
        said = [(day, cell.figure) for day, cell in self._cells if cell.figure.startswith(_CUSTOMERS)]
        self.days = sorted({day for day, _ in said})
        self.stages = {figure.removeprefix(_CUSTOMERS) for _, figure in said}

    def at(self, day: int, stage: str) -> int:
        """Where no day says so, they were there all the time; before the first that does, all but what moved on it."""
        if not self.days:
            return self._now.get(stage, 0)
        latest = max((each for each in self.days if each <= day), default=None)
        if latest is not None:
            return self._cells.get((latest, _cell(stage)), 0)
        first = self.days[0]
        entered, left = (self._cells.get((first, Cell(f"{what}/{stage}", "", "")), 0) for what in ("entered", "left"))
        return self._cells.get((first, _cell(stage)), 0) - entered + left


def _cell(stage: str) -> Cell:
    return Cell(_CUSTOMERS + stage, "", "")


def records(model: Model, cells: Cells) -> Iterable[Outgoing]:
    """As a new changelog keeps them: with all in them before its first interaction."""
    marks = {(of.id, each.name): each.mark for of in model.lifecycles if of.figures for each in of.figures.figures}
    for (lifecycle, day, cell), number in cells.items():
        value = figure_value(number, 0, marks.get((lifecycle, cell.figure), ""))
        yield Outgoing(figure_key(lifecycle, day, cell), value)


def rows(model: Model, partition: int, cells: Cells) -> Iterable[Outgoing]:
    """As they are told on the topic of figures."""
    versions = {each.id: each.version for each in model.lifecycles}
    money = {
        (of.id, each.name) for of in model.lifecycles if of.figures for each in of.figures.figures if each.is_money
    }
    for (lifecycle, day, cell), number in cells.items():
        if lifecycle in versions:
            millionths = (lifecycle, cell.figure) in money
            yield row(lifecycle, versions[lifecycle], partition, day, cell, number, millionths=millionths)
