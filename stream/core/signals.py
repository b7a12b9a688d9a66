"""Signals: an interaction that matches one adds its points, as often as its limit lets it."""

from typing import cast

from mypy_extensions import i64

from stream.core import exact, ledgers, scoring, timed_points
from stream.core.accessors import lower
from stream.core.customer import Life
from stream.core.event import Event, is_null, lookup
from stream.core.lifecycle import LatestPoints, Signal
from stream.core.memory import TimedPoints
from stream.core.step_counts import StepCounts
from stream.core.text_numbers import number_of


def count_signal(life: Life, signal: Signal, time: i64, event: Event, step_counts: StepCounts) -> None:
    """Rule 6: count the interaction at `time` for `signal`, and add its points, unless it is used up."""
    limit = signal.limit
    if limit is not None and not limit.takes(life, time, event):
        return
    life.counts[signal.index] += 1
    step_counts.signal(signal)
    for points in signal.points:
        amount = points.amount.of(event)
        if amount is None:
            step_counts.wrong_type(signal.label)
        elif points.reset < 0 or _after_reset(life, points.reset, time):
            scoring.add(life, points.slot, points.half_life, amount, time)


def count_elements(life: Life, signal: Signal, time: i64, elements: list[Event], step_counts: StepCounts) -> None:
    """Count an interaction, or the elements of one, in order, for a signal of any kind."""
    if signal.resets:
        if elements and (signal.limit is None or signal.limit.takes(life, time, elements[0])):
            life.counts[signal.index] += 1
            step_counts.signal(signal)
            for score in signal.resets:
                scoring.reset(score, life, time)
    elif signal.latest is not None:
        for event in elements:
            if signal.limit is None or signal.limit.takes(life, time, event):
                life.counts[signal.index] += 1
                step_counts.signal(signal)
                _take_latest(life, signal.latest, time, event)
    elif signal.expires:
        _count_expiring(life, signal, time, elements, step_counts)
    else:
        for event in elements:
            count_signal(life, signal, time, event, step_counts)


def _count_expiring(life: Life, signal: Signal, time: i64, elements: list[Event], step_counts: StepCounts) -> None:
    """Rule 23: the elements of one interaction are one entry; one without points takes no place."""
    totals, any_points = [0] * len(signal.points), False
    for event in elements:
        if signal.limit is not None and not signal.limit.takes(life, time, event):
            continue
        life.counts[signal.index] += 1
        step_counts.signal(signal)
        for column, points in enumerate(signal.points):
            amount = points.amount.of(event)
            if amount is None:
                step_counts.wrong_type(signal.label)
            elif points.reset < 0 or _after_reset(life, points.reset, time):
                totals[column] += round(amount * 1e6)
                any_points = True
    if any_points and life.clock - time < signal.expires:
        assert life.memory is not None
        kept = cast("TimedPoints", life.memory.signals[signal.expiring])
        lost = timed_points.keep(kept, time, totals, life.clock, signal.expires, signal.keep)
        if lost:
            step_counts.lost(signal.label, lost)


def _take_latest(life: Life, latest: LatestPoints, time: i64, event: Event) -> None:
    """Rule 24: the points of the latest value are those in the score, instead of the ones before."""
    found = lookup(latest.path, event)
    if found is None and not is_null(latest.path, event):
        return
    if latest.lowered and found is not None:
        if not isinstance(found, str):
            return
        found = lower(found)
    if not (found is None or isinstance(found, str | bool | int | float)):
        return
    if latest.reset >= 0 and not _after_reset(life, latest.reset, time):
        return
    assert life.memory is not None
    at = cast("list[int]", life.memory.signals[latest.place])
    if at and time < at[0]:
        return
    points = None if found is None else latest.points.get(value_key(found))
    at[:] = [time, 0 if found is None else 1]
    exact.set_points(life, latest.slot, 0 if points is None else points)


def value_key(value: str | float | bool) -> str | float:
    """Equal for values that meet the same key of `points`: a text that is a number is that number, `true` no 1."""
    if isinstance(value, bool):
        return f"\0{value}"
    number = number_of(value) if isinstance(value, str) else value
    return value if number is None else number


def _after_reset(life: Life, place: int, time: i64) -> bool:
    assert life.memory is not None
    reset = life.memory.resets[place]
    return reset is None or time > reset


def makes_entry(life: Life, signal: Signal, now: i64, event: Event, ledger: ledgers.Ledger) -> bool:
    """Rule 18: whether the interaction is let through by the ledger's `where` and would make a new entry there."""
    where = signal.ledger_where
    if where is not None and not where.with_event.holds(life, now, event):
        return False
    assert life.memory is not None
    return ledgers.is_new(ledger, life.memory.ledgers[ledger.index], event)


def lift_to_floor(score: scoring.Score, names: list[str], life: Life, before: list[int]) -> None:
    """Rule 25: raise a score that the additions of one interaction took below its floor.

    `names` are the signals' names by slot of the score, `before` the millionths there before the interaction. What is
    lifted is taken from what this interaction took away, in order of the names; where a file was edited, from the rest.
    """
    assert score.floor is not None
    slots = score.slots
    lift = round(score.floor * 1e6) - sum(exact.points_of(life, slot) for slot in slots)
    order = sorted(range(len(slots)), key=lambda place: names[place])
    for taken_now in (True, False):
        for place in order:
            if lift <= 0:
                return
            now = exact.points_of(life, slots[place])
            given = min(lift, max(0, (before[place] if taken_now else 0) - now))
            exact.set_points(life, slots[place], now + given)
            lift -= given
