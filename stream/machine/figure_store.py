"""The figures of one partition: what they are on each day, and what a batch changes of them.

Days are kept as long as they may still change (see OPEN_DAYS); the rows that were written of older ones stay.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Final

from stream.codec.figures import row
from stream.codec.packed_records import NO_HEADERS, PackedRecords
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
from stream.machine.batch import Batch
from stream.machine.figure_days import NONE_AHEAD, Day, FigureDays, Made, Place
from stream.machine.stage_levels import StageLevels

MAX_SEGMENTS: Final = 1_000
"""Values of one fact that are kept apart on one day; what others do is together under OTHER."""
_AT_ONCE: Final = 200
"""Numbers between two turns of the caller's event loop."""
_BYTES: Final = 400
"""Of a number, about: its record in the changelog and its row."""
_OF_MOVES: Final = 4
"""Numbers, about, that come by themselves for each segment."""


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
        self._figures = FigureDays(self.sets)
        self._levels = StageLevels(self.sets, self._figures)
        self._segments: dict[tuple[str, int, str], set[str]] = {}
        """By lifecycle, day and fact: the segments that are kept apart."""
        self._ahead: set[Place] = set()
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
                self._figures.put(lifecycle, day, cell, figure)
                self._levels.put(lifecycle, day, cell)
                if cell.segment not in ("", NO_VALUE, OTHER):
                    self._segments.setdefault((lifecycle, day, cell.by), set()).add(cell.segment)
                if position is None or until > position:
                    self.repeated_until = max(until, self.repeated_until or until)
                    self._ahead.add((lifecycle, day, cell))
            if number % 1_000 == 0:
                yield

    def tallies(self) -> Tallies:
        """What a batch begins with."""
        return {
            lifecycle: Tally(of, next(reversed(self._figures.all(lifecycle)), FIRST_DAY), self._open_days)
            for lifecycle, of in self.sets.items()
        }

    def commit(self) -> None:
        """The batch at hand is committed."""
        self._figures.commit()

    def days(self, lifecycle: str, first: int, last: int) -> list[tuple[int, Day]]:
        """The committed figures of the days from `first` to `last`, ascending, and of the day before which has any."""
        return self._figures.committed(lifecycle, first, last)

    def first_day(self, lifecycle: str) -> int | None:
        """The first day that has committed figures and can still change."""
        return next(iter(self._figures.committed_days(lifecycle)), None)

    def latest_day(self, lifecycle: str) -> int | None:
        """The latest day that has committed figures."""
        return next(reversed(self._figures.committed_days(lifecycle)), None)

    def customers_after(self, lifecycle: str, day: int, now: dict[str, int]) -> dict[str, int]:
        """Customers by stage at the end of a day, while no batch is made; `now` are those of this moment."""
        return self._levels.after(lifecycle, day, now)

    def size(self, tallies: Tallies) -> int:
        """Bytes, about, of what will be written of the tallies."""
        size = 0
        for tally in tallies.values():
            numbers = len(tally.figures.figures) + _OF_MOVES
            size += (len(tally.segments) + len(tally.days)) * numbers * _BYTES
        return size

    def take(
        self, tallies: Tallies, stages: Mapping[tuple[str, str], int], batch: Batch
    ) -> Generator[None, None, None]:
        """Add what a batch tallied, and put the changelog's records and the rows for whoever reads figures into it.

        Yields so that the caller's event loop gets a turn.

        `stages` are the customers by lifecycle and stage after the batch.
        """
        next_offset, state, rows = batch.next_offset, batch.state, batch.figures
        repeats = self.repeated_until is not None
        made = Made(self._ahead)
        for lifecycle, tally in tallies.items():
            if not repeats:  # first: what they were before is found by the moves of before
                self._levels.add(lifecycle, tally, stages, made)
            for number, (day, cell, change) in enumerate(self._changes(lifecycle, tally)):
                self._figures.add(lifecycle, day, cell, change, made)
                if number % _AT_ONCE == 0:
                    yield
        if self.repeated_until is not None and next_offset >= self.repeated_until:
            self.repeated_until, self._ahead, made.ahead = None, set(), NONE_AHEAD
            for lifecycle in tallies:
                self._levels.settle(lifecycle, stages, made)
        for key in self._outdated:
            state.add(key, None, NO_HEADERS)
        self._outdated = []
        for written, (lifecycle, day, cell) in enumerate(made.written, 1):
            number = self._figures.number(lifecycle, day, cell)
            mark = self._marks.get((lifecycle, cell.figure), "")
            state.add(figure_key(lifecycle, day, cell), figure_value(number, next_offset, mark), NO_HEADERS)
            millionths = (lifecycle, cell.figure) in self._millionths
            version = self._versions[lifecycle]
            rows.append(row(lifecycle, version, self._partition, day, cell, number, millionths=millionths))
            if written % _AT_ONCE == 0:
                yield
        for lifecycle, tally in tallies.items():
            self._close(lifecycle, tally.latest - self._open_days, state)

    def _close(self, lifecycle: str, last: int, state: PackedRecords) -> None:
        """Let go of all days up to `last`, and say so in the changelog."""
        for day, cells in self._figures.drop(lifecycle, last):
            for cell in cells:
                state.add(figure_key(lifecycle, day, cell), None, NO_HEADERS)
            for fact in self.sets[lifecycle].by:
                self._segments.pop((lifecycle, day, fact.name), None)
        self._levels.drop(lifecycle, last)

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
