"""Figures that take each interaction as it comes, as a signal does."""

from dataclasses import dataclass
from typing import cast

from stream.core.customer import Life, Window
from stream.core.event import Event, PropertyPath
from stream.core.figures import KEPT_WINDOWS, Figure, Segments
from stream.core.ledgers import Ledger
from stream.core.predicates import Predicate
from stream.core.tally import Tally
from stream.core.time_zone import Unit


@dataclass(frozen=True)
class Figured:
    """What one word does to one figure that is made of interactions."""

    figure: Figure
    sign: int
    """1, or -1 where the word stands under `minus`."""
    where: Predicate | None
    over: PropertyPath | None
    ledger: Ledger | None = None
    """It counts for what makes a new entry there."""
    ledger_where: Predicate | None = None


def count(life: Life, figured: Figured, time: int, elements: list[Event], tally: Tally, segments: Segments) -> int:
    """Count an interaction at `time`, or the elements of one; returns how many had no amount that can be used."""
    figure = figured.figure
    of = tally.figures
    day = of.zone.window(time, "day")
    total, taken, unusable = 0, False, 0
    for event in elements:
        value = 1
        if figure.amount is not None:
            amount = figure.amount.of(event)
            if amount is None:
                unusable += 1
                continue
            value = round(amount * 1e6)
        if figure.window >= 0:
            assert life.memory is not None
            windows = life.memory.figures[figure.window]
            if figure.per == "ever":
                moved = _earliest(windows, time, value)
                if moved is None:
                    continue
                if moved[1]:
                    tally.add(of.zone.window(moved[0], "day"), segments, figure.index, -moved[1])
            elif not _fits(windows, of.zone.window(time, cast("Unit", figure.per)), figure.times):
                continue
        total += value
        taken = True
    if taken:
        tally.add(day, segments, figure.index, figured.sign * total)
    return unusable


def _earliest(windows: list[Window], time: int, value: int) -> Window | None:
    """Of what counts once: when it was until now, and how much, if this time is earlier; None: it is not."""
    if not windows:
        windows.append((time, value))
        return time, 0
    known = windows[0]
    if time >= known[0]:
        return None
    windows[0] = (time, value)
    return known


def _fits(windows: list[Window], window: int, times: int) -> bool:
    """Count one in `window`, unless it is full, or older than the latest KEPT_WINDOWS in which something counted."""
    for place, (known, counted) in enumerate(windows):
        if known == window:
            if counted >= times:
                return False
            windows[place] = (known, counted + 1)
            return True
    if len(windows) == KEPT_WINDOWS and window < windows[0][0]:
        return False
    windows.append((window, 1))
    windows.sort()
    del windows[:-KEPT_WINDOWS]
    return True
