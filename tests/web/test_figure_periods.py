"""Days, weeks and months of the calendar, held against Python's own."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.time_zone import Unit
from stream.web.figures.periods import UNITS, day_of, periods

EPOCH = date(1970, 1, 1)
DAYS = st.dates(date(1900, 1, 1), date(2200, 1, 1)).map(lambda day: (day - EPOCH).days)


def of(day: int, per: Unit) -> object:
    """What tells the period of a day from all others."""
    calendar = EPOCH + timedelta(days=day)
    return {"day": day, "week": calendar.isocalendar()[:2], "month": (calendar.year, calendar.month)}[per]


@given(DAYS, st.integers(0, 799), st.sampled_from(UNITS))
def test_every_day_is_in_one_period_and_a_period_is_whole_where_the_calendar_goes_no_further(
    first: int, more: int, per: Unit
) -> None:
    asked = periods(first, first + more, per)
    assert [day for each in asked.each for day in range(each.first, each.last + 1)] == list(
        range(first, first + more + 1)
    )
    for each in asked.each:
        assert len({of(day, per) for day in range(each.first, each.last + 1)}) == 1
        beyond = {of(each.first - 1, per), of(each.last + 1, per)}
        assert each.whole == (of(each.first, per) not in beyond)
    assert len({of(each.first, per) for each in asked.each}) == len(asked.each)


@given(DAYS, st.integers(0, 799), st.sampled_from(UNITS))
def test_what_is_before_is_as_long_and_cut_alike(first: int, more: int, per: Unit) -> None:
    asked = periods(first, first + more, per)
    assert (asked.before.first, asked.before.last) == (first - more - 1, first - 1)
    count = len(asked.each)
    for before, now in zip(asked.spans[:count], asked.spans[count:], strict=True):
        assert (now.first - before.first, now.last - before.last) == (asked.days, asked.days)
    places = asked.places()
    assert len(places) == 2 * asked.days
    for number, place in enumerate(places):
        span = asked.spans[place]
        assert span.first <= asked.before.first + number <= span.last


@pytest.mark.parametrize("text", ["2026-02-30", "2026-1-1", "20260101", "2026-W01-1", "", "2026-01-01T00:00", "today"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_of(text) is None


def test_a_day_is_read_as_the_interface_writes_it() -> None:
    assert day_of("1970-01-01") == 0
    assert day_of("2026-03-29") == (date(2026, 3, 29) - EPOCH).days
