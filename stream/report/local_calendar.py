"""Local days, weeks and months of a lifecycle's time zone, for whole columns of times; and the periods of a report.

Days are numbers, 1970-01-01 is 0. The zone's data are the product's own: a day here is a day of `at_most: {per: day}`.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal, NamedTuple

import polars as pl

from stream.core.durations import DAY
from stream.core.time_zone import TimeZone, first_day, month_of
from stream.errors import LifecycleError

Unit = Literal["day", "week", "month"]
_HOUR: Final = 3_600_000
_EPOCH: Final = date(1970, 1, 1)
_MONDAY: Final = 3
"""1970-01-01 was a Thursday: days since the Monday before it."""


class Period(NamedTuple):
    """Local days from `first` up to before `end`."""

    first: int
    end: int
    label: str

    @property
    def days(self) -> int:
        """How many."""
        return self.end - self.first


class LocalCalendar:
    """Of one zone, for the times between two instants."""

    def __init__(self, zone: TimeZone, first: int, last: int) -> None:
        """`first` and `last`: epoch milliseconds."""
        self.zone = zone
        self._changes, self._offsets = _offsets(zone, first - DAY, last + DAY)

    def days(self, times: pl.Series) -> pl.Series:
        """The local day of each time (Int32)."""
        if len(self._offsets) == 1:
            return ((times + self._offsets[0]) // DAY).cast(pl.Int32)
        place = pl.Series(self._changes, dtype=pl.Int64).search_sorted(times, side="right")
        return ((times + pl.Series(self._offsets, dtype=pl.Int64).gather(place)) // DAY).cast(pl.Int32)

    def day(self, time: int) -> int:
        """The local day of one time."""
        return (time + self.zone.offset_at(time)) // DAY

    def start(self, day: int) -> int:
        """The first instant of a local day."""
        return self.zone.day_start(day)


def _offsets(zone: TimeZone, first: int, last: int) -> tuple[list[int], list[int]]:
    """When the clocks change between two instants, and the offsets before the first change and from each one on."""
    changes, offsets = [], [zone.offset_at(first)]
    for time in range(first + _HOUR, last + _HOUR, _HOUR):
        if zone.offset_at(time) == offsets[-1]:
            continue
        low, high = time - _HOUR, time
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if zone.offset_at(middle) == offsets[-1] else (low, middle)
        changes.append(high)
        offsets.append(zone.offset_at(high))
    return changes, offsets


def unit_of(day: pl.Expr, unit: Unit) -> pl.Expr:
    """The number of the day, week or month that a local day lies in, as `TimeZone.window` counts them."""
    if unit == "day":
        return day
    if unit == "week":
        return (day + _MONDAY) // 7
    as_date = day.cast(pl.Int32).cast(pl.Date)
    return (as_date.dt.year() * 12 + as_date.dt.month().cast(pl.Int32) - 1 - 1970 * 12).cast(pl.Int32)


def number_of(day: int, unit: Unit) -> int:
    """The same for one day."""
    return day if unit == "day" else (day + _MONDAY) // 7 if unit == "week" else month_of(day)


def first_of(number: int, unit: Unit) -> int:
    """The day with which that day, week or month begins."""
    return number if unit == "day" else number * 7 - _MONDAY if unit == "week" else first_day(number)


def period_numbered(number: int, unit: Unit) -> Period:
    """That day, week or month."""
    first, end = first_of(number, unit), first_of(number + 1, unit)
    return Period(first, end, label_of(number, unit))


def label_of(number: int, unit: Unit) -> str:
    """As people call it: `June 2026`, `week of 1 June 2026`, `1 June 2026`."""
    first = as_date(first_of(number, unit))
    if unit == "month":
        return f"{first:%B} {first.year}"
    return f"week of {day_label(first)}" if unit == "week" else day_label(first)


def short_label(number: int, unit: Unit) -> str:
    """The same for a column or an axis."""
    first = as_date(first_of(number, unit))
    return f"{first:%Y-%m}" if unit == "month" else first.isoformat()


def day_label(day: date) -> str:
    """`1 June 2026`."""
    return f"{day.day} {day:%B} {day.year}"


def as_date(day: int) -> date:
    """The date of a local day."""
    return _EPOCH + timedelta(days=day)


def day_of_text(text: str, option: str) -> int:
    """The local day of a date such as 2026-06-01. Raises LifecycleError."""
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError:
        raise LifecycleError(f"{option}: {text!r} is no date; right is a date such as 2026-06-01") from None


def chosen(first: int | None, last: int | None, unit: Unit, data: tuple[int, int]) -> tuple[Period, Period]:
    """The period of a report and the one before it.

    `first` and `last` are local days that were asked for, both inside; `data` the days of the first and the last
    interaction. Without `first` it is the last whole `unit` that ends by `last`, or by the data's last day. With both,
    the time before is as many days directly before. Raises LifecycleError where the last is before the first.
    """
    if first is None:
        end = (data[1] if last is None else last) + 1
        number = number_of(end, unit) - 1
        if first_of(number + 1, unit) <= data[0]:
            number += 1  # there is no whole one
        return period_numbered(number, unit), period_numbered(number - 1, unit)
    if last is None:
        last = data[1]
    if last < first:
        raise LifecycleError(f"--to {as_date(last)} is before --from {as_date(first)}")
    period, before = Period(first, last + 1, ""), Period(2 * first - last - 1, first, "")
    number = number_of(first, unit)
    if period[:2] == period_numbered(number, unit)[:2]:
        return period_numbered(number, unit), period_numbered(number - 1, unit)
    return period._replace(label=_days_label(period)), before._replace(label=_days_label(before))


def _days_label(period: Period) -> str:
    first, last = as_date(period.first), as_date(period.end - 1)
    return day_label(first) if first == last else f"{day_label(first)} to {day_label(last)}"


def latest(period: Period, unit: Unit, how_many: int, first_day_of_data: int) -> Iterator[Period]:
    """That many units up to the one in which the period ends, oldest first, none before the data begin."""
    last = number_of(period.end - 1, unit)
    first = max(last - how_many + 1, number_of(first_day_of_data, unit))
    for number in range(first, last + 1):
        yield period_numbered(number, unit)
