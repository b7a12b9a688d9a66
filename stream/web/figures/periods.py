"""Which days are asked for, cut into periods, and the same number of days before them."""

from typing import Final, NamedTuple, get_args

from stream.codec.figures import day_number, day_text
from stream.core.time_zone import Unit, first_day, month_of

MOST_DAYS: Final = 800
DEFAULT_DAYS: Final = 28
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
_WEEK: Final = 7
_THURSDAY: Final = 3
"""Of 1970-01-01, where Monday is 0."""


class Period(NamedTuple):
    """Some days in a row, of which both ends are in it; days count from 1970-01-01."""

    first: int
    last: int
    whole: bool = True
    """It is a day, or all days of a week or month."""

    def shifted(self, days: int) -> "Period":
        """As many days, so many later."""
        return Period(self.first + days, self.last + days, self.whole)


class Periods(NamedTuple):
    """What is asked for."""

    first: int
    last: int
    per: Unit
    each: tuple[Period, ...]
    """In the order of time; the first and the last may be cut off."""

    @property
    def days(self) -> int:
        """How many days there are."""
        return self.last - self.first + 1

    @property
    def before(self) -> Period:
        """As many days, just before."""
        return Period(self.first - self.days, self.first - 1)

    @property
    def spans(self) -> list[Period]:
        """Each period as many days earlier as there are days, then each period."""
        return [*(each.shifted(-self.days) for each in self.each), *self.each]

    def places(self) -> list[int]:
        """Of each day from the first one before, the index in `spans` of the one that it lies in."""
        return [place for place, span in enumerate(self.spans) for _ in range(span.first, span.last + 1)]


def periods(first: int, last: int, per: Unit) -> Periods:
    """The days from `first` to `last`, cut into days, weeks that begin on Monday, or months."""
    found: list[Period] = []
    begin = first
    while begin <= last:
        end = _end(begin, per)
        found.append(Period(begin, min(end, last), _begins(begin, per) and end <= last))
        begin = end + 1
    return Periods(first, last, per, tuple(found))


def _end(day: int, per: Unit) -> int:
    """The last day of the period that a day lies in."""
    if per == "day":
        return day
    if per == "week":
        return day + _WEEK - 1 - _weekday(day)
    return first_day(month_of(day) + 1) - 1


def _begins(day: int, per: Unit) -> bool:
    if per == "day":
        return True
    return _weekday(day) == 0 if per == "week" else first_day(month_of(day)) == day


def _weekday(day: int) -> int:
    return (day + _THURSDAY) % _WEEK


def day_of(text: str) -> int | None:
    """The number of a day that is written YYYY-MM-DD; None where it is none."""
    try:
        day = day_number(text)
    except ValueError:
        return None
    return day if day_text(day) == text else None
