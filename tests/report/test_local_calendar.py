"""Local days of whole columns, and the periods of a report."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.durations import DAY
from stream.core.language.time_zones import time_zone
from stream.errors import LifecycleError
from stream.report.local_calendar import LocalCalendar, Unit, chosen, day_of_text, number_of, unit_of

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Havana",
)


@given(
    st.sampled_from(ZONES),
    st.lists(st.integers(-2_000_000_000_000, 4_000_000_000_000), min_size=1, max_size=5),
    st.sampled_from(["day", "week", "month"]),
)
def test_columns_have_the_days_of_the_product(zone: str, around: list[int], unit: Unit) -> None:
    """Those by which `at_most: {per: day}` counts, an hour before and after each time, too."""
    rules = time_zone(zone)
    begin = around[0]
    times = [begin + step * 3_600_000 // 2 for step in range(-48, 48)] + [begin + each % (400 * DAY) for each in around]
    calendar = LocalCalendar(rules, min(times), max(times))
    days = calendar.days(pl.Series(times, dtype=pl.Int64))
    assert days.to_list() == [rules.window(each, "day") for each in times]
    units = pl.DataFrame({"day": days}).select(unit_of(pl.col("day"), unit))["day"]
    assert units.to_list() == [rules.window(each, unit) for each in times]
    assert units.to_list() == [number_of(each, unit) for each in days]


def test_a_change_of_the_clocks_makes_a_day_of_23_hours() -> None:
    """Paris, 29 March 2026: midnight to midnight."""
    calendar = LocalCalendar(time_zone("Europe/Paris"), 1_767_225_600_000, 1_790_000_000_000)
    day = day_of_text("2026-03-29", "--from")
    assert calendar.start(day + 1) - calendar.start(day) == 23 * 3_600_000
    edges = pl.Series([calendar.start(day) - 1, calendar.start(day), calendar.start(day + 1) - 1], dtype=pl.Int64)
    assert calendar.days(edges).to_list() == [day - 1, day, day]


def days(first: str, last: str) -> tuple[int, int]:
    return day_of_text(first, ""), day_of_text(last, "")


@pytest.mark.parametrize(
    ("data", "unit", "expected"),
    [
        (("2026-01-05", "2026-06-30"), "month", ("June 2026", "May 2026")),
        (("2026-01-05", "2026-06-29"), "month", ("May 2026", "April 2026")),
        (("2026-06-03", "2026-06-20"), "month", ("June 2026", "May 2026")),  # there is no whole one
        (("2026-06-01", "2026-06-21"), "week", ("week of 15 June 2026", "week of 8 June 2026")),
        (("2026-06-01", "2026-06-21"), "day", ("21 June 2026", "20 June 2026")),
    ],
)
def test_without_days_it_is_the_last_whole_one(data: tuple[str, str], unit: Unit, expected: tuple[str, str]) -> None:
    assert tuple(each.label for each in chosen(None, None, unit, days(*data))) == expected


def test_days_that_are_named_are_both_inside_and_before_them_are_as_many() -> None:
    first, last = days("2026-06-10", "2026-06-12")
    period, before = chosen(first, last, "month", days("2026-01-01", "2026-06-30"))
    assert (period.label, period.days) == ("10 June 2026 to 12 June 2026", 3)
    assert (before.label, before.days) == ("7 June 2026 to 9 June 2026", 3)
    whole = chosen(*days("2026-03-01", "2026-03-31"), "month", days("2026-01-01", "2026-06-30"))
    assert [each.label for each in whole] == ["March 2026", "February 2026"], "a whole month is against a whole month"
    with pytest.raises(LifecycleError, match="--to 2026-06-10 is before --from 2026-06-12"):
        chosen(last, first, "month", days("2026-01-01", "2026-06-30"))
    with pytest.raises(LifecycleError, match=r"--from: '1\.6\.2026' is no date; right is a date such as 2026-06-01"):
        day_of_text("1.6.2026", "--from")
