"""Signals whose limit lets them count no more at present: what they add to is not to be had from them."""

from typing import cast

from stream.core.calendar_windows import OnCalendar
from stream.core.customer import Life
from stream.core.explanation.explanation import UsedUp
from stream.core.interaction import MAX_TIME
from stream.core.lifecycle import Lifecycle, Signal
from stream.core.limits import CoolDown, Limit, OncePerValue, OnGrid


def used_up(lifecycle: Lifecycle, life: Life) -> tuple[UsedUp, ...]:
    """The signals that an interaction at the life's clock would not count for, in the order of the file.

    One that counts once for each value of a property may always count for another.
    """
    found: list[UsedUp] = []
    for signal in lifecycle.signals:
        limit = signal.limit
        if limit is None or isinstance(limit, OncePerValue):
            continue
        blocked, until = _blocked(limit, signal, life)
        if blocked:
            known = until is not None and until <= MAX_TIME
            found.append(UsedUp(signal.name, signal.limit_text, until if known else None))
    return tuple(found)


def _blocked(limit: Limit, signal: Signal, life: Life) -> tuple[bool, int | None]:
    """Whether it counts no more, and until when; None: for ever."""
    now = life.clock
    if isinstance(limit, OnGrid):
        number = limit.number_of(now)
        full = any(window == number and count >= limit.times for window, count in life.windows_of(limit.window))
        return full, _start(limit, number + 1)
    if isinstance(limit, CoolDown):
        assert life.memory is not None
        counted = cast("list[int]", life.memory.signals[limit.place])
        near = [time for time in counted if now - time < limit.within]
        return len(near) >= limit.times, near[-limit.times] + limit.within if len(near) >= limit.times else None
    return life.counts[signal.index] > 0, None


def _start(limit: OnGrid, number: int) -> int:
    """When the window with that number begins."""
    return limit.zone.window_start(number, limit.unit) if isinstance(limit, OnCalendar) else number * limit.per
