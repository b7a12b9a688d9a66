"""Rule 26: a property that holds a time is read as an interaction's time is, in the zone of the lifecycle."""

import math
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.time_zones import time_zone
from stream.core.time_zone import UTC_ZONE
from stream.core.times import EARLIEST_TIME, epoch_time, format_time, parse_local_time, parse_time

PARIS = time_zone("Europe/Paris")
MILLISECOND = timedelta(milliseconds=1)
ARABIC = {ord("0") + digit: 0x660 + digit for digit in range(10)}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(value: object, zone: str = "Europe/Paris") -> str | None:
    time = parse_local_time(value, time_zone(zone))
    return None if time is None else format_time(time)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"),
        ("2026-07-01 12:00", "2026-07-01T10:00:00.000Z"),
        ("2026-01-01t12:00:00.1239", "2026-01-01T11:00:00.123Z"),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000Z"),
        ("2026-07-01T12:00:00.000Z", "2026-07-01T12:00:00.000Z"),
        ("2026-07-01T12:00:00z", "2026-07-01T12:00:00.000Z"),
        ("2026-07-01T12:00:00-05:00", "2026-07-01T17:00:00.000Z"),
        ("2026-07-01T12:00:00+00:00", "2026-07-01T12:00:00.000Z"),
        ("2026-07-01", "2026-06-30T22:00:00.000Z"),
        ("2026-07-01".translate(ARABIC), "2026-06-30T22:00:00.000Z"),
        ("2026-07-01T12:00".translate(ARABIC), "2026-07-01T10:00:00.000Z"),
        ("1800-01-01", "1799-12-31T23:50:39.000Z"),
        ("9999-12-31T23:59:59.999", "9999-12-31T22:59:59.999Z"),
    ],
)
def test_a_text_that_names_no_zone_is_in_the_zone_of_the_lifecycle(text: str, instant: str) -> None:
    """One that names a zone is in that; digits of every script, as in interactions."""
    assert read(text) == instant


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30:00.000Z"),
        ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T01:30:00.000Z"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30:00.000Z"),
        ("America/Toronto", "1919-03-31T00:00", "1919-03-31T05:00:00.000Z"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00.000Z"),
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"),
    ],
)
def test_clocks_that_are_changed_make_no_time_unreadable(zone: str, text: str, instant: str) -> None:
    """A time that comes twice is its first, a date the first instant of its day: not always what 0:00 is."""
    assert read(text, zone) == instant


@pytest.mark.parametrize(
    ("zone", "text", "instant"),
    [
        ("Europe/Paris", "2017-01-01T00:59:60", "2016-12-31T23:59:59.999Z"),
        ("Europe/Paris", "2016-12-31T23:59:60", None),
        ("Europe/Paris", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"),
        ("UTC", "2016-12-31T23:59:60", "2016-12-31T23:59:59.999Z"),
    ],
)
def test_a_leap_second_is_at_the_end_of_a_day_of_utc(zone: str, text: str, instant: str | None) -> None:
    """So clocks in Paris show it a minute before one."""
    assert read(text, zone) == instant


@pytest.mark.parametrize(
    "number",
    [
        *(1_783_000_000_000, 1_783_000_000_000.0, 1_783_000_000, 1_783_000_000.0, 1_783_000_000_000_000),
        *(1_783_000_000_000_000_000, 1.783e18),
    ],
)
def test_a_number_is_in_the_unit_in_which_it_is_plausible(number: float) -> None:
    """Milliseconds, seconds, microseconds, nanoseconds; it names an instant, so the zone does not matter."""
    assert read(number) == read(number, "Asia/Tokyo") == "2026-07-02T13:46:40.000Z"


def test_a_number_may_be_in_the_far_future_and_not_before_the_earliest_time_that_is_believed() -> None:
    """A trial may end in a hundred years; that of an interaction would be held against the broker's."""
    assert parse_local_time(MAX_TIME, PARIS) == MAX_TIME
    assert parse_local_time(MAX_TIME // 1_000, PARIS) == MAX_TIME - 999
    assert parse_local_time(EARLIEST_TIME, PARIS) == EARLIEST_TIME
    assert parse_local_time(EARLIEST_TIME // 1_000, PARIS) == EARLIEST_TIME
    assert parse_local_time(EARLIEST_TIME // 1_000 - 1, PARIS) is None
    assert parse_local_time(EARLIEST_TIME - 1, PARIS) is None


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 0, 1, -1, 0.0, 42, math.nan, math.inf, -math.inf, 10**400, -(10**400), 1e300, 5e-324),
        *([], {}, ["2026-07-01"], b"2026-07-01", "", " ", "now", "tomorrow", "1783000000000", "2026", "2026-02-30"),
        *("2026-07-01T24:00", "2026-W27-3", "01.07.2026", "2026-07-01T12:00 Europe/Paris", "2026-07-01\n"),
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    """Numbers in quotes too, as in an interaction's time; 0 means none more often than 1970."""
    assert read(value) is None
    assert read(value, "UTC") is None


def test_a_local_time_whose_instant_is_outside_the_years_is_none() -> None:
    """The year 1 begins earlier in Tokyo, the year 9999 ends later in New York."""
    assert read("0001-01-01", "Asia/Tokyo") is None
    assert read("0001-01-02", "Asia/Tokyo") is not None
    assert read("9999-12-31T20:00", "America/New_York") is None
    assert read("9999-12-31", "America/New_York") == "9999-12-31T05:00:00.000Z"


zones = st.sampled_from(["Europe/Paris", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo"])


@given(zones, st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)))  # noqa: DTZ001 - local times
@example("Europe/Paris", datetime(2026, 10, 25, 2, 30))  # noqa: DTZ001
@example("Europe/Paris", datetime(2026, 3, 29, 2, 30))  # noqa: DTZ001
def test_local_times_are_read_as_the_library_of_python_reads_them(zone: str, local: datetime) -> None:
    """With the same database; finer fractions are cut off."""
    with resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as file:
        expected = (local.replace(tzinfo=ZoneInfo.from_file(file)) - EPOCH) // MILLISECOND
    assert parse_local_time(local.isoformat(), time_zone(zone)) == expected


@given(zones, st.dates(date(2, 1, 1), date(9998, 12, 31)))
def test_a_date_is_the_first_instant_at_which_its_zone_has_it(zone: str, local: date) -> None:
    """One millisecond earlier it is the day before."""
    start = parse_local_time(local.isoformat(), time_zone(zone))
    number = local.toordinal() - date(1970, 1, 1).toordinal()
    assert start is not None
    assert time_zone(zone).window(start, "day") == number
    assert time_zone(zone).window(start - 1, "day") == number - 1


texts = (
    st.datetimes().map(datetime.isoformat) | st.dates().map(date.isoformat) | st.text("0123456789-:.TZ+ ", max_size=30)
)


@given(texts | st.text())
@example("2016-12-31T23:59:60")
def test_in_utc_every_text_is_what_it_is_as_the_time_of_an_interaction(text: str) -> None:
    """Without `time_zone` nothing is local."""
    assert parse_local_time(text, UTC_ZONE) == parse_time(text)


@given(st.integers() | st.floats() | st.integers(-(2**63), 2**64))
def test_every_number_is_what_it_is_as_the_time_of_an_interaction_without_a_latest(number: float) -> None:
    """Or none, within the years; never an error."""
    expected = epoch_time(number, EARLIEST_TIME, None)
    time = parse_local_time(number, PARIS)
    assert time == (None if isinstance(expected, str) else expected)
    assert time is None or MIN_TIME <= EARLIEST_TIME <= time <= MAX_TIME
