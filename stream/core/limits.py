"""How often a signal may count (rules 6, 19, 20 and 21)."""

from typing import Final, cast

from stream.core import known_values
from stream.core.customer import Life
from stream.core.event import Event, PropertyPath, lookup

MAX_COOL_DOWN: Final = 20
"""Times that a cool-down keeps, and the most that may count within it."""


class Limit:
    """A limit; this one lets a signal count once for ever."""

    def __init__(self, signal: int) -> None:
        self.signal = signal
        """The signal's index."""

    def takes(self, life: Life, time: int, event: Event) -> bool:
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

    def takes(self, life: Life, time: int, event: Event) -> bool:
        return _fits(life.windows[self.window], self.number_of(time), self.times)

    def number_of(self, time: int) -> int:
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

    def takes(self, life: Life, time: int, event: Event) -> bool:
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

    def takes(self, life: Life, time: int, event: Event) -> bool:
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
