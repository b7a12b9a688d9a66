"""Local days, weeks and months, and local times: the known oddities of real zones, each worked out by hand."""

from datetime import date

import pytest

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.time_zones import time_zone
from stream.core.time_zone import UTC_ZONE, first_day, month_of
from stream.core.times import format_time, parse_time
from tests.kit.times import DAY, HOUR

MINUTE = 60_000
EPOCH_DAY = date(1970, 1, 1).toordinal()


def ms(text: str) -> int:
    time = parse_time(text)
    assert time is not None
    return time


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH_DAY


def length(zone: str, text: str) -> float:
    """Hours of a local day."""
    days = time_zone(zone)
    return (days.day_start(day(text) + 1) - days.day_start(day(text))) / HOUR


@pytest.mark.parametrize(
    ("zone", "text", "hours"),
    [
        ("Europe/Paris", "2026-03-28", 24),
        ("Europe/Paris", "2026-03-29", 23),
        ("Europe/Paris", "2026-10-25", 25),
        ("Europe/Dublin", "2026-03-29", 23),
        ("Europe/Dublin", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("America/New_York", "2426-11-01", 25),
        ("America/New_York", "9999-03-14", 23),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Antarctica/Troll", "2026-03-29", 22),
        ("Antarctica/Troll", "2026-10-25", 26),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("Asia/Beirut", "2026-03-29", 23),
        ("Africa/Cairo", "2026-04-24", 23),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Tokyo", "2026-03-29", 24),
        ("UTC", "2026-03-29", 24),
        ("Europe/Berlin", "1945-05-24", 23),
        ("Europe/Paris", "1911-03-10", 24 + 561 / 3_600),
    ],
)
def test_a_local_day_lasts_as_long_as_its_clocks_make_it(zone: str, text: str, hours: float) -> None:
    """23 or 25 hours where they are changed; 2026-03-29 is the last Sunday of March."""
    assert length(zone, text) == hours


@pytest.mark.parametrize(
    ("zone", "text", "start"),
    [
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-24T01:00:00+03:00"),
        # Half an hour before midnight the clocks are put forward by an hour.
        ("America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00"),
        # A minute after midnight they are put back by an hour: this day begins twice, and its first time counts.
        ("America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30"),
        # Midnight comes twice.
        ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"),
        # The day does not exist, and the next one begins when it would have.
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00"),
        # Alaska was bought, and lived one day twice.
        ("America/Sitka", "1867-10-19", "1867-10-18T09:01:13Z"),
    ],
)
def test_a_day_begins_with_its_first_instant_whether_that_is_midnight_or_not(zone: str, text: str, start: str) -> None:
    """The clocks of some zones are put forward at midnight, or over it."""
    assert format_time(time_zone(zone).day_start(day(text))) == format_time(ms(start))


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Paris", "2026-07-01T12:00", "2026-07-01T12:00+02:00"),
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T02:30+02:00"),
        ("Europe/Paris", "2026-10-25T03:00", "2026-10-25T03:00+01:00"),
        ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T03:30+02:00"),
        ("Europe/Paris", "2026-03-29T02:00", "2026-03-29T03:00+02:00"),
        ("Europe/Paris", "2026-03-29T03:00", "2026-03-29T03:00+02:00"),
        ("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T01:30+01:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T01:45+11:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04T02:45+11:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T12:00-10:00"),
        ("America/Toronto", "1919-03-31T00:00", "1919-03-31T01:00-04:00"),
        ("America/New_York", "9999-11-07T01:30", "9999-11-07T01:30-04:00"),
        # Paris kept a time of its own, 9 min 21 s ahead of Greenwich.
        ("Europe/Paris", "1890-01-01T00:00", "1889-12-31T23:50:39Z"),
    ],
)
def test_a_local_time_is_its_first_or_by_the_offset_before_the_change(zone: str, local: str, instant: str) -> None:
    """Twice, left out, and once; what is left out is later by as much as was left out."""
    assert format_time(time_zone(zone).first_instant(ms(local))) == format_time(ms(instant))


@pytest.mark.parametrize(
    ("zone", "instant", "number"),
    [
        ("UTC", "1970-01-01T00:00Z", 0),
        ("UTC", "1970-01-04T23:59:59.999Z", 0),
        ("UTC", "1970-01-05T00:00Z", 1),
        ("UTC", "1969-12-29T00:00Z", 0),
        ("UTC", "1969-12-28T23:59:59.999Z", -1),
        ("Europe/Paris", "2026-03-29T23:59:59.999+02:00", 2934),
        ("Europe/Paris", "2026-03-30T00:00+02:00", 2935),
    ],
)
def test_a_week_begins_on_monday_at_local_midnight(zone: str, instant: str, number: int) -> None:
    """Before 1970, too; the Sunday on which clocks are changed has 23 hours."""
    assert time_zone(zone).window(ms(instant), "week") == number
    start = time_zone(zone).window_start(number, "week")
    assert start <= ms(instant) < time_zone(zone).window_start(number + 1, "week")


@pytest.mark.parametrize(
    ("instant", "number"),
    [
        ("1970-01-01T00:00+01:00", 0),
        ("1969-12-31T23:59:59.999+01:00", -1),
        ("2024-02-29T23:59:59.999+01:00", 54 * 12 + 1),
        ("2024-03-01T00:00+01:00", 54 * 12 + 2),
        ("2026-03-31T23:59:59.999+02:00", 56 * 12 + 2),
        ("2026-04-01T00:00+02:00", 56 * 12 + 3),
        ("2026-12-31T23:30Z", 57 * 12),
    ],
)
def test_a_month_begins_on_its_first_at_local_midnight(instant: str, number: int) -> None:
    """Years with a leap day, and the last evening of a year in London, which is next year in Paris."""
    paris = time_zone("Europe/Paris")
    assert paris.window(ms(instant), "month") == number
    assert paris.window_start(number, "month") <= ms(instant) < paris.window_start(number + 1, "month")


def test_the_month_of_a_change_of_clocks_is_an_hour_shorter_or_longer() -> None:
    """March has 31 days less an hour, October an hour more."""
    paris = time_zone("Europe/Paris")
    march, october = 56 * 12 + 2, 56 * 12 + 9
    assert paris.window_start(march + 1, "month") - paris.window_start(march, "month") == 31 * DAY - HOUR
    assert paris.window_start(october + 1, "month") - paris.window_start(october, "month") == 31 * DAY + HOUR


def test_a_day_that_clocks_are_put_back_into_is_the_same_window_again() -> None:
    """In Newfoundland a minute after midnight, until 2011: the local date says which day it is, so it is two visits."""
    zone, midnight = time_zone("America/St_Johns"), ms("2010-11-07T00:00:00-02:30")
    seen = [zone.window(midnight + after, "day") for after in (-1, 0, MINUTE - 1, MINUTE, HOUR, HOUR + MINUTE)]
    sixth, seventh = day("2010-11-06"), day("2010-11-07")
    assert seen == [sixth, seventh, seventh, sixth, seventh, seventh]


def test_the_last_and_first_instants_of_time_have_local_dates_of_years_beyond() -> None:
    """In Tokyo the year 10000 has begun, in New York the year 0 is not over."""
    tokyo, new_york = time_zone("Asia/Tokyo"), time_zone("America/New_York")
    assert tokyo.window(MAX_TIME, "month") == (10_000 - 1970) * 12
    assert tokyo.window(MAX_TIME, "day") == MAX_TIME // DAY + 1
    assert new_york.window(MIN_TIME, "month") == (0 - 1970) * 12 + 11
    assert new_york.window(MIN_TIME, "day") == MIN_TIME // DAY - 1


def test_before_the_first_change_clocks_showed_local_mean_time() -> None:
    """To the second, as the tz database has it: that of Paris was 9 min 21 s ahead of Greenwich."""
    assert time_zone("Europe/Paris").offset_at(MIN_TIME) == (9 * 60 + 21) * 1_000
    assert time_zone("Africa/Monrovia").offset_at(ms("1971-06-01")) == -(44 * 60 + 30) * 1_000


def test_utc_is_without_offset_at_all_times() -> None:
    """Also by its longer name."""
    for time in (MIN_TIME, -1, 0, ms("2026-07-01"), MAX_TIME):
        for zone in (UTC_ZONE, time_zone("Etc/UTC")):
            assert (zone.offset_at(time), zone.first_instant(time)) == (0, time)
            assert zone.window(time, "day") == time // DAY
            assert zone.day_start(time // DAY) == time // DAY * DAY


def test_months_and_their_first_days_are_those_of_the_calendar() -> None:
    """All of years 1 to 9999, and a cycle before and after it."""
    for year in range(1, 10_000):
        for month in range(1, 13):
            number = (year - 1970) * 12 + month - 1
            first = date(year, month, 1).toordinal() - EPOCH_DAY
            assert first_day(number) == first
            assert (month_of(first), month_of(first - 1)) == (number, number - 1)
    for number in (-30_000, 100_000):
        assert first_day(number + 4_800) - first_day(number) == 146_097
        assert (month_of(first_day(number)), month_of(first_day(number) - 1)) == (number, number - 1)
