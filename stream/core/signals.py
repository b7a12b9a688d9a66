"""Signals: an interaction that matches one adds its points, as often as `once` and `at_most` let it."""

from stream.core import scoring
from stream.core.customer import Life
from stream.core.event import Event, lookup
from stream.core.lifecycle import Points, Signal
from stream.core.step_counts import StepCounts


def count_signal(life: Life, signal: Signal, time: int, event: Event, step_counts: StepCounts) -> None:
    """Rule 6: count the interaction at `time` for `signal`, and add its points, unless it is used up."""
    if signal.once and life.counts[signal.index]:
        return
    if signal.times and not _fits(life.windows[signal.window], time // signal.per, signal.times):
        return
    life.counts[signal.index] += 1
    step_counts.signal(signal)
    for points in signal.points:
        amount = _amount(points, event)
        if amount is None:
            step_counts.wrong_type(signal.label)
        else:
            scoring.add(life, points.slot, points.half_life, amount, time)


def _amount(points: Points, event: Event) -> float | None:
    if points.path is None:
        return points.amount
    return scoring.number(lookup(points.path, event))


def _fits(windows: list[tuple[int, int]], window: int, times: int) -> bool:
    """Count one in `window` unless it is full, or older than the two latest in which something counted."""
    for place, (known, counted) in enumerate(windows):
        if known == window:
            if counted >= times:
                return False
            windows[place] = (known, counted + 1)
            return True
    if len(windows) == 2 and window < windows[0][0]:  # the two latest are kept
        return False
    windows.append((window, 1))
    windows.sort()
    del windows[:-2]
    return True
