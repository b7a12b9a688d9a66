"""By how much the figures of lifecycles changed: what is gathered while inputs are applied, by day and segment."""

from collections.abc import Mapping
from typing import Final

from stream.core.customer import Life
from stream.core.durations import DAY
from stream.core.figures import FigureSet, Segments
from stream.core.interaction import MIN_TIME
from stream.core.stage_change import StageChange, Value

FIRST_DAY: Final = MIN_TIME // DAY - 1
"""Before every day on which anything happens."""
OPEN_DAYS: Final = 800
"""Days back from the latest one of a partition that can still change: two years, and more than two months.

What comes for an older one changes nothing, so that there is an end to what is kept.
"""


class Tally:
    """By how much the figures of one lifecycle changed, by day and segments."""

    def __init__(self, figures: FigureSet, latest: int = FIRST_DAY, open_days: int = OPEN_DAYS) -> None:
        """`latest`: the latest day that had any until now."""
        self.figures = figures
        self.open_days = open_days
        self.latest = latest
        """The latest day that has any."""
        self.days: dict[int, dict[Segments, list[int]]] = {}
        """By day, counted from 1970-01-01, and segments: a change for each figure."""
        self.moves: dict[tuple[int, str, str, Segments], list[int]] = {}
        """By day, stage left, stage entered (empty: none) and segments: how many, and how long they stayed, in ms."""
        self.segments: set[tuple[int, int, str | None]] = set()
        """Day, place of the fact and value of each segment that changed: as many numbers there are of each figure."""
        self.closed = 0
        """Changes of days that cannot change any more."""
        self.closed_moves: dict[tuple[str, str], int] = {}
        """Moves on such days: they count in how many are in a stage alone."""

    def add(self, day: int, segments: Segments, figure: int, value: int) -> None:
        """A figure changed."""
        by_segments = self.days.get(day)
        if by_segments is None:
            if not self._is_open(day):
                self.closed += 1
                return
            by_segments = self.days[day] = {}
        values = by_segments.get(segments)
        if values is None:
            values = by_segments[segments] = [0] * len(self.figures.figures)
            self._note(day, segments)
        values[figure] += value

    def _note(self, day: int, segments: Segments) -> None:
        for place, value in enumerate(segments):
            self.segments.add((day, place, value))

    def _is_open(self, day: int) -> bool:
        self.latest = max(self.latest, day)
        return day > self.latest - self.open_days

    def move(self, change: StageChange) -> None:
        """A customer moved."""
        of = self.figures
        day, source, target = of.zone.window(change.at, "day"), change.from_stage or "", change.to_stage or ""
        if not self._is_open(day):
            self.closed += 1
            moved = source, target
            self.closed_moves[moved] = self.closed_moves.get(moved, 0) + 1
            return
        segments = tuple([segment_text(change.facts.get(fact.name)) for fact in of.by])
        key = day, source, target, segments
        values = self.moves.get(key)
        if values is None:
            values = self.moves[key] = [0, 0]
            self._note(day, segments)
        values[0] += 1
        if change.entered is not None:
            values[1] += change.at - change.entered


def segments_of(figures: FigureSet, life: Life) -> Segments:
    """The segments that a customer is in."""
    by = figures.by
    if len(by) == 1:
        return (_segment(life, by[0].place),)
    return tuple([_segment(life, fact.place) for fact in by])


def _segment(life: Life, index: int) -> str | None:
    state = life.facts[index]
    return segment_text(state[1]) if isinstance(state, tuple) else None


def segment_text(value: Value | None) -> str | None:
    """A fact's value as the name of a segment: numbers as JSON writes them, true and false."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if value == int(value) else repr(value)


Tallies = dict[str, Tally]
"""By lifecycle."""


def tally_moves(changes: list[StageChange], sets: Mapping[str, FigureSet], tallies: Tallies) -> None:
    """Add stage changes to the tallies of those lifecycles that have figures."""
    for change in changes:
        figures = sets.get(change.lifecycle)
        if figures is not None:
            tally_of(change.lifecycle, figures, tallies).move(change)


def tally_of(lifecycle: str, figures: FigureSet, tallies: Tallies) -> Tally:
    """The tally of a lifecycle, which is made where there is none yet."""
    tally = tallies.get(lifecycle)
    if tally is None:
        tally = tallies[lifecycle] = Tally(figures)
    return tally
