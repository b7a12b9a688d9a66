"""How often a signal may count (rules 6, 19, 20 and 21)."""

from typing import Final, cast

from librt.vecs import vec
from mypy_extensions import i64

from stream.core import known_values
from stream.core.customer import WINDOW_NUMBERS, Life
from stream.core.event import Event, PropertyPath, lookup

MAX_COOL_DOWN: Final = 20
"""Times that a cool-down keeps, and the most that may count within it."""


class Limit:
    """A limit; this one lets a signal count once for ever."""

    def __init__(self, signal: int) -> None:
        self.signal = signal
        """The signal's index."""

    def takes(self, life: Life, time: i64, event: Event) -> bool:
        """Whether the interaction at `time` may count; then it has used up one."""
        return life.counts[self.signal] == 0


class OnGrid(Limit):
    """`at_most` in windows on the grid floor(time / per)."""

    def __init__(self, signal: int, window: int, times: int, per: int) -> None:
        super().__init__(signal)
        self.window = window
        """Its place in `Life.windows`."""
        self.times = times
        self.per = per

    def takes(self, life: Life, time: i64, event: Event) -> bool:
        return _fits(life.windows, self.window * WINDOW_NUMBERS, self.number_of(time), self.times)

    def number_of(self, time: i64) -> i64:
        """The number of the window that a time lies in."""
        return time // self.per


class CoolDown(Limit):
    """`at_most` within a time of each other, before or after."""

    def __init__(self, signal: int, place: int, times: int, within: int) -> None:
        super().__init__(signal)
        self.place = place
        """Where its times are in `Memory.signals`."""
        self.times = times
        self.within = within

    def takes(self, life: Life, time: i64, event: Event) -> bool:
        assert life.memory is not None
        counted = cast("list[int]", life.memory.signals[self.place])
        full = len(counted) == MAX_COOL_DOWN
        if full and time < counted[0]:
            return False
        near, at = 0, 0
        for each in counted:
            if -self.within < time - each < self.within:
                near += 1
            if each <= time:
                at += 1
        if near >= self.times:
            return False
        counted.insert(at, time)
        if full:
            del counted[0]
        return True


class OncePerValue(Limit):
    """Once for each value of a property."""

    def __init__(self, signal: int, place: int, path: PropertyPath) -> None:
        super().__init__(signal)
        self.place = place
        """Where the hashes of known values are in `Memory.signals`."""
        self.path = path

    def takes(self, life: Life, time: i64, event: Event) -> bool:
        key = known_values.key_of(lookup(self.path, event))
        if key is None:
            return False
        assert life.memory is not None
        known = cast("bytes", life.memory.signals[self.place])
        value_hash = known_values.hash_of(key)
        if known_values.is_known(known, value_hash):
            return False
        life.memory.signals[self.place] = known_values.remember(known, value_hash)
        return True


def _fits(windows: vec[i64], older: i64, window: i64, times: i64) -> bool:
    """Count one in `window` unless it is full, or older than the two latest in which something counted.

    These are at `older` and behind; where there is only one, it is the first.
    """
    later = older + 2
    place = later if windows[later] == window and windows[later + 1] else older
    if windows[place] == window and windows[place + 1]:
        if windows[place + 1] >= times:
            return False
        windows[place + 1] += 1
        return True
    place = older
    if windows[later + 1]:
        if window < windows[older]:  # the two latest are kept
            return False
        if window > windows[later]:
            windows[older], windows[older + 1] = windows[later], windows[later + 1]
            place = later
    elif windows[older + 1]:
        if window < windows[older]:
            windows[later], windows[later + 1] = windows[older], windows[older + 1]
        else:
            place = later
    windows[place], windows[place + 1] = window, 1
    return True
