"""The figures of one partition: what they are on each day, and what a batch changes of them.

Days are kept as long as they may still change (see OPEN_DAYS); the rows that were written of older ones stay.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from stream.codec.figures import row
from stream.codec.records import Outgoing
from stream.codec.state.figures import (
    NO_VALUE,
    OTHER,
    Cell,
    figure_key,
    figure_value,
    read_figure_key,
    read_figure_value,
)
from stream.core.figures import SegmentFact, Segments
from stream.core.model import Model
from stream.core.tally import FIRST_DAY, OPEN_DAYS, Tallies, Tally

MAX_SEGMENTS: Final = 1_000
"""Values of one fact that are kept apart on one day; what others do is together under OTHER."""
_CUSTOMERS: Final = "customers/"

Day = dict[Cell, int]
"""The figures of one day."""


class FigureStore:
    """Adds up what happens, lifecycle by lifecycle."""

    def __init__(self, model: Model, partition: int, open_days: int = OPEN_DAYS) -> None:
        """`open_days`: back from the latest one, those that can still change."""
        self.sets = {each.id: each.figures for each in model.lifecycles if each.figures is not None}
        self.other = 0
        """Changes of segments that were too many to be kept apart, since this was last read."""
        self.repeated_until: int | None = None
        """Without transactions, after a crash: figures hold already what is before this source offset."""
        self._versions = {each.id: each.version for each in model.lifecycles}
        self._partition = partition
        self._open_days = open_days
        self._days: dict[str, dict[int, Day]] = {each: {} for each in self.sets}
        self._changed: dict[tuple[str, int], Day] = {}
        """By lifecycle and day: what the batch at hand has changed."""
        self._order: dict[str, list[int]] = {each: [] for each in self.sets}
        """The days that have figures, ascending."""
        self._levels: dict[str, list[int]] = {each: [] for each in self.sets}
        """Those of them that say how many customers were in each stage at their end."""
        self._segments: dict[tuple[str, int, str], set[str]] = {}
        """By lifecycle, day and fact: the segments that are kept apart."""
        self._cells: dict[Cell, Cell] = {}
        """Each cell once, however many days have it."""
        self._unsure: set[str] = set()
        """Lifecycles whose customers by stage may be others than the figures say: they may have been away."""
        self._ahead: set[tuple[str, int, Cell]] = set()
        """What `repeated_until` is about."""
        self._marks = {(lifecycle, each.name): each.mark for lifecycle, of in self.sets.items() for each in of.figures}
        self._outdated: list[bytes] = []
        """Keys of figures as they were before the file said something else of them."""
        self._millionths = {
            (lifecycle, figure.name) for lifecycle, of in self.sets.items() for figure in of.figures if figure.is_money
        }

    def __bool__(self) -> bool:
        """There are lifecycles with figures."""
        return bool(self.sets)

    def restore(self, changelog: Mapping[bytes, bytes], position: int | None) -> Generator[None, None, None]:
        """Take over the figures of a changelog, of which the position was `position`. Raises StateError."""
        for number, (key, value) in enumerate(changelog.items()):
            lifecycle, day, cell = read_figure_key(key)
            if lifecycle in self.sets:  # of others there may be some again, when their file is back
                figure, until, mark = read_figure_value(value)
                if mark != self._marks.get((lifecycle, cell.figure), mark):
                    self._outdated.append(key)
                    continue
                self._put(self._days[lifecycle], lifecycle, day, cell, figure)
                if position is None or until > position:
                    self.repeated_until = max(until, self.repeated_until or until)
                    self._ahead.add((lifecycle, day, cell))
            if number % 1_000 == 0:
                yield
        self._unsure = {lifecycle for lifecycle, days in self._levels.items() if days}

    def _put(self, days: dict[int, Day], lifecycle: str, day: int, cell: Cell, number: int) -> None:
        of = days.get(day)
        if of is None:
            of = days[day] = {}
            _note(self._order[lifecycle], day)
        if cell.figure.startswith(_CUSTOMERS):
            _note(self._levels[lifecycle], day)
        of[self._cells.setdefault(cell, cell)] = number
        if cell.segment not in ("", NO_VALUE, OTHER):
            self._segments.setdefault((lifecycle, day, cell.by), set()).add(cell.segment)

    def tallies(self) -> Tallies:
        """What a batch begins with."""
        return {
            lifecycle: Tally(of, self._order[lifecycle][-1] if self._order[lifecycle] else FIRST_DAY, self._open_days)
            for lifecycle, of in self.sets.items()
        }

    def commit(self) -> None:
        """The batch at hand is committed."""
        for (lifecycle, day), cells in self._changed.items():
            days = self._days[lifecycle]
            of = days.get(day)
            if of is None:
                of = days[day] = {}
            of.update(cells)
        self._changed = {}

    def days(self, lifecycle: str, first: int, last: int) -> list[tuple[int, Day]]:
        """The committed figures of the days from `first` to `last`, ascending, and of the day before which has any."""
        days, order = self._days.get(lifecycle, {}), self._order.get(lifecycle, [])
        begin = max(0, bisect_left(order, first) - 1)
        return [(day, days[day]) for day in order[begin : bisect_right(order, last)] if day in days]

    def first_day(self, lifecycle: str) -> int | None:
        """The first day that has committed figures and can still change."""
        days = self._days.get(lifecycle, {})
        return next((day for day in self._order.get(lifecycle, []) if day in days), None)

    def latest_day(self, lifecycle: str) -> int | None:
        """The latest day that has committed figures."""
        days = self._days.get(lifecycle, {})
        return next((day for day in reversed(self._order.get(lifecycle, [])) if day in days), None)

    def customers_after(self, lifecycle: str, day: int, now: dict[str, int]) -> dict[str, int]:
        """Customers by stage at the end of a day, while no batch is made; `now` are those of this moment."""
        return self._level_before(lifecycle, bisect_right(self._levels[lifecycle], day), now)

    def take(
        self, tallies: Tallies, stages: Mapping[tuple[str, str], int], next_offset: int
    ) -> tuple[list[Outgoing], list[Outgoing]]:
        """Add what a batch tallied; returns the changelog's records, and the rows for whoever reads figures.

        `stages` are the customers by lifecycle and stage after the batch, `next_offset` is where it ends.
        """
        repeats = self.repeated_until is not None
        made = _Made(self._ahead)
        for lifecycle, tally in tallies.items():
            if not repeats:  # first: what they were before is found by the moves of before
                self._add_levels(lifecycle, _levels(tally), stages, made)
            for day, cell, change in self._changes(lifecycle, tally):
                self._add(lifecycle, day, cell, change, made)
        if self.repeated_until is not None and next_offset >= self.repeated_until:
            self.repeated_until, self._ahead, made.ahead = None, set(), _NONE
            for lifecycle in tallies:
                self._settle_levels(lifecycle, stages, made)
        state = [Outgoing(key, None) for key in self._outdated]
        self._outdated = []
        rows: list[Outgoing] = []
        for lifecycle, day, cell in made.written:
            number = self._changed[lifecycle, day][cell]
            mark = self._marks.get((lifecycle, cell.figure), "")
            state.append(Outgoing(figure_key(lifecycle, day, cell), figure_value(number, next_offset, mark)))
            millionths = (lifecycle, cell.figure) in self._millionths
            version = self._versions[lifecycle]
            rows.append(row(lifecycle, version, self._partition, day, cell, number, millionths=millionths))
        for lifecycle, tally in tallies.items():
            state += self._close(lifecycle, tally.latest - self._open_days)
        return state, rows

    def _close(self, lifecycle: str, last: int) -> list[Outgoing]:
        """Let go of all days up to `last`; returns what says so in the changelog."""
        order, days = self._order[lifecycle], self._days[lifecycle]
        gone: list[Outgoing] = []
        count = bisect_right(order, last)
        for day in order[:count]:
            cells = [*days.pop(day, {}), *self._changed.pop((lifecycle, day), {})]
            gone += [Outgoing(figure_key(lifecycle, day, cell), None) for cell in dict.fromkeys(cells)]
            for fact in self.sets[lifecycle].by:
                self._segments.pop((lifecycle, day, fact.name), None)
        del order[:count]
        levels = self._levels[lifecycle]
        del levels[: bisect_right(levels, last)]
        return gone

    def _number(self, lifecycle: str, day: int, cell: Cell) -> int:
        changed = self._changed.get((lifecycle, day))
        if changed is not None and cell in changed:
            return changed[cell]
        of = self._days[lifecycle].get(day)
        return 0 if of is None else of.get(cell, 0)

    def _add(self, lifecycle: str, day: int, cell: Cell, change: int, made: "_Made") -> None:
        if (lifecycle, day, cell) in made.ahead:
            return
        number = self._number(lifecycle, day, cell) + change
        cell = self._cells.setdefault(cell, cell)
        changed = self._changed.get((lifecycle, day))
        if changed is None:
            changed = self._changed[lifecycle, day] = {}
            _note(self._order[lifecycle], day)
        changed[cell] = number
        made.written[lifecycle, day, cell] = None

    def _changes(self, lifecycle: str, tally: Tally) -> Iterator[tuple[int, Cell, int]]:
        """Day, cell and change: of everybody, and of each segment."""
        by = tally.figures.by
        names = [figure.name for figure in tally.figures.figures]
        for day, by_segments in tally.days.items():
            for segments, values in by_segments.items():
                cells = self._segment_cells(lifecycle, day, by, segments)
                for name, value in zip(names, values, strict=True):
                    if value:
                        for fact, segment in cells:
                            yield day, Cell(name, fact, segment), value
        for (day, source, target, segments), (times, stayed) in tally.moves.items():
            numbers = [(f"moved/{source}/{target}", times)]
            if source:
                numbers += [(f"left/{source}", times), (f"stayed/{source}", stayed)]
            if target:
                numbers.append((f"entered/{target}", times))
            for fact, segment in self._segment_cells(lifecycle, day, by, segments):
                for name, value in numbers:
                    yield day, Cell(name, fact, segment), value

    def _segment_cells(
        self, lifecycle: str, day: int, by: tuple[SegmentFact, ...], segments: Segments
    ) -> list[tuple[str, str]]:
        """Fact and segment of each cell that a customer counts in."""
        cells = [("", "")]
        for fact, value in zip(by, segments, strict=True):
            segment = NO_VALUE if value is None else "=" + value
            if value is not None:
                known = self._segments.setdefault((lifecycle, day, fact.name), set())
                if segment not in known:
                    if len(known) >= MAX_SEGMENTS:
                        segment = OTHER
                        self.other += 1
                    else:
                        known.add(segment)
            cells.append((fact.name, segment))
        return cells

    def _add_levels(
        self,
        lifecycle: str,
        levels: dict[int, dict[str, int]],
        stages: Mapping[tuple[str, str], int],
        made: "_Made",
    ) -> None:
        """Customers in each stage at the end of each day: a move on one day counts on all later ones, too.

        Whoever runs a lifecycle again that was left out for a while has fewer customers in it than when it stopped.
        """
        if not levels:
            return
        days = self._levels[lifecycle]
        before = {stage: count for (of, stage), count in stages.items() if of == lifecycle}
        for moved in levels.values():
            for stage, change in moved.items():
                before[stage] = before.get(stage, 0) - change
        if lifecycle in self._unsure and not made.ahead:
            self._unsure.discard(lifecycle)
            known = self._level_before(lifecycle, len(days), {})
            level = levels[max(levels)]
            for stage in before.keys() | known.keys():
                level[stage] = level.get(stage, 0) + before.get(stage, 0) - known.get(stage, 0)
        for day in sorted(levels):
            place = bisect_left(days, day)
            if place == len(days) or days[place] != day:
                for stage, count in self._level_before(lifecycle, place, before).items():
                    self._add(lifecycle, day, Cell(_CUSTOMERS + stage, "", ""), count, made)
                days.insert(place, day)
            for later in days[place:]:
                for stage, change in levels[day].items():
                    if change:
                        self._add(lifecycle, later, Cell(_CUSTOMERS + stage, "", ""), change, made)

    def _level_before(self, lifecycle: str, place: int, before: dict[str, int]) -> dict[str, int]:
        """Customers by stage before the day that comes to stand at `place` among those that say so.

        `before` are those before the batch: where no day says so, they were there before figures were kept.
        """
        days = self._levels[lifecycle]
        if not days:
            return {stage: count for stage, count in before.items() if count}
        day = days[max(0, place - 1)]
        stages = {
            cell.figure.removeprefix(_CUSTOMERS)
            for cells in (self._days[lifecycle].get(day, {}), self._changed.get((lifecycle, day), {}))
            for cell in cells
            if cell.figure.startswith(_CUSTOMERS)
        }
        found: dict[str, int] = {}
        for stage in sorted(stages):
            count = self._number(lifecycle, day, Cell(_CUSTOMERS + stage, "", ""))
            if place == 0:  # it is the day after: what happened on it is taken back
                count -= self._number(lifecycle, day, Cell(f"entered/{stage}", "", ""))
                count += self._number(lifecycle, day, Cell(f"left/{stage}", "", ""))
            if count:
                found[stage] = count
        return found

    def _settle_levels(self, lifecycle: str, stages: Mapping[tuple[str, str], int], made: "_Made") -> None:
        """Customers in each stage at the end of each day, from those of now back by the moves of each day.

        For a crash may have left a day with the customers of some stages, and without those of others.
        """
        counts = {stage: count for (of, stage), count in stages.items() if of == lifecycle}
        days, levels = self._order[lifecycle], self._levels[lifecycle]
        for day in reversed(days):
            cells = self._days[lifecycle].get(day, {}) | self._changed.get((lifecycle, day), {})
            moved: dict[str, int] = {}
            for cell, number in cells.items():
                kind, _, stage = cell.figure.partition("/")
                if not cell.by and kind in _SIGNS and stage:
                    moved[stage] = moved.get(stage, 0) + _SIGNS[kind] * number
            if moved:
                _note(levels, day)
                known = {cell.figure.removeprefix(_CUSTOMERS) for cell in cells if cell.figure.startswith(_CUSTOMERS)}
                for stage in sorted({*counts, *known}):
                    cell = Cell(_CUSTOMERS + stage, "", "")
                    change = counts.get(stage, 0) - cells.get(cell, 0)
                    if change:
                        self._add(lifecycle, day, cell, change, made)
            for stage, change in moved.items():
                counts[stage] = counts.get(stage, 0) - change


_SIGNS: Final = {"entered": 1, "left": -1}
_NONE: Final[frozenset[tuple[str, int, Cell]]] = frozenset()


class _Made:
    """What a batch changes."""

    def __init__(self, ahead: AbstractSet[tuple[str, int, Cell]]) -> None:
        self.ahead = ahead
        """What has it already."""
        self.written: dict[tuple[str, int, Cell], None] = {}


def _levels(tally: Tally) -> dict[int, dict[str, int]]:
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


def _note(days: list[int], day: int) -> None:
    place = bisect_left(days, day)
    if place == len(days) or days[place] != day:
        days.insert(place, day)
