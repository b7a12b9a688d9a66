"""A time zone as numbers: what its clocks show at an instant, and the instant at which they first show a time.

An *instant* is in milliseconds since 1970-01-01T00:00 UTC. A *local time* is what clocks and calendars of a zone show,
counted alike: in milliseconds since they showed 1970-01-01T00:00. Local days have numbers, 1970-01-01 is 0. Years and
months are those of the Gregorian calendar, also before it was introduced.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Literal

from mypy_extensions import i64

from stream.core.durations import DAY

Unit = Literal["day", "week", "month"]
"""Weeks begin on Monday."""

CYCLE: Final = 146_097 * DAY
"""400 years: the calendar repeats after them, and so do the days of the week."""

_NEVER: Final = 1 << 60
_FIRST_MONDAY: Final = -3
"""1970-01-01 was a Thursday."""
_FIRST_OF_MARCH_0000: Final = -719_468
_YEAR_1970: Final = 1970 * 12
"""Months from the beginning of the year 0."""


class TimeZone:
    """The difference between the clocks of one zone and UTC, at every instant. Immutable."""

    def __init__(self, name: str, changes: Sequence[int], offsets: Sequence[int], repeats: int | None = None) -> None:
        """`changes` are the instants at which the clocks are changed, ascending.

        `offsets` are local time minus UTC, in milliseconds: before the first change, and from each change on.
        From the instant `repeats` on, all is as it was 400 years before; None: nothing changes after the last change.
        The changes given must go a day beyond `repeats`, and a day before it less 400 years they repeat already.
        """
        self.name: Final = name
        """As the tz database has it."""
        self._changes: Final = tuple(changes)
        self._offsets: Final = tuple(offsets)
        self._repeats: Final = _NEVER if repeats is None else repeats
        ends: list[int] = []
        for change, offset in zip(changes, offsets, strict=False):
            ends.append(max(change + offset, ends[-1]) if ends else change + offset)
        self._ends: Final = tuple(ends)
        """By change: every local time before this one has been shown by then, or never will be."""

    def offset_at(self, instant: int) -> int:
        """Local time minus UTC, in milliseconds."""
        if instant >= self._repeats:
            instant -= self._cycles(instant)
        return self._offsets[bisect_right(self._changes, instant)]

    def first_instant(self, local: int) -> int:
        """When the clocks show a local time.

        Of one that comes twice it is the first time. One that a change of the clocks leaves out is read by the offset
        before the change: half past two, where two o'clock becomes three, is when it is half past three.
        """
        cycles = self._cycles(local) if local >= self._repeats else 0
        local -= cycles
        period = bisect_right(self._ends, local)
        instant = local - self._offsets[period]
        if period and instant < self._changes[period - 1]:
            instant = local - self._offsets[period - 1]
        return instant + cycles

    def day_start(self, day: int) -> int:
        """The first instant at which calendars show that local day, or a later one.

        It is not midnight where the clocks are put forward over midnight. Of a day that was left out altogether, as
        30 December 2011 in Samoa, it is the first instant of the next day.
        """
        local = day * DAY
        cycles = self._cycles(local) if local >= self._repeats else 0
        local -= cycles
        period = bisect_right(self._ends, local)
        instant = local - self._offsets[period]
        if period and instant < self._changes[period - 1]:
            instant = self._changes[period - 1]
        return instant + cycles

    def window(self, instant: int, unit: Unit) -> int:
        """The number of the local day, week or month that an instant lies in, by its local date.

        Days count from 1970-01-01, weeks from that of Monday, 1969-12-29, months from January 1970; all are 0 there.
        Where clocks are put back over midnight, the day before comes once more, and so does its number.
        """
        day = (instant + self.offset_at(instant)) // DAY
        if unit == "day":
            return day
        return (day - _FIRST_MONDAY) // 7 if unit == "week" else month_of(day)

    def window_start(self, window: int, unit: Unit) -> int:
        """The first instant of the window with that number; where the next one starts, it ends."""
        if unit == "day":
            return self.day_start(window)
        return self.day_start(window * 7 + _FIRST_MONDAY if unit == "week" else first_day(window))

    def _cycles(self, time: int) -> int:
        """How many milliseconds a time from `_repeats` on is after the one that it repeats."""
        return ((time - self._repeats) // CYCLE + 1) * CYCLE


UTC_ZONE: Final = TimeZone("UTC", (), (0,))


def month_of(day: i64) -> i64:
    """The number of the month that a day lies in; January 1970 is 0.

    In a year that begins with March, February is last, so that its length does not matter, and the day on which month m
    begins is (153 * m + 2) // 5. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    days: i64 = day - _FIRST_OF_MARCH_0000
    cycle: i64 = days // 146_097
    rest: i64 = days - cycle * 146_097
    # A leap day every 4 years, but 100, but 400: without those that came before it, a day is in the year rest // 365.
    year: i64 = (rest - rest // 1_460 + rest // 36_524 - rest // 146_096) // 365
    of_year: i64 = rest - (365 * year + year // 4 - year // 100)
    return (cycle * 400 + year) * 12 + (5 * of_year + 2) // 153 + 2 - _YEAR_1970


def first_day(month: i64) -> i64:
    """The day with which a month begins, by its number."""
    months: i64 = month + _YEAR_1970 - 2
    year: i64 = months // 12
    of_year: i64 = (153 * (months - year * 12) + 2) // 5
    return _FIRST_OF_MARCH_0000 + 365 * year + year // 4 - year // 100 + year // 400 + of_year
