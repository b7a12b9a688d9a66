"""Times as facts and windows of the calendar in the reference (rules 19 and 26), worked out by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.kit.times import DAY, HOUR
from tests.properties.lifecycles import Source
from tests.properties.reference import run
from tests.properties.reference_times import local_day, read_time, window_of, zone_of
from tests.properties.timelines import START, at, contributed, known, small, steps


def utc(text: str) -> int:
    """Milliseconds of a time in UTC."""
    return int(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "value", "time"),
    [
        ("UTC", "2026-03-01T09:30:00.1239Z", "2026-03-01 09:30:00.123"),
        ("Europe/Paris", "2026-03-01T09:30:00Z", "2026-03-01 09:30"),
        ("Europe/Paris", "2026-03-01T09:30:00+05:30", "2026-03-01 04:00"),
        ("Europe/Paris", "2026-03-01 09:30", "2026-03-01 08:30"),
        ("Europe/Paris", "2026-07-01t09:30:15.5-0130", "2026-07-01 11:00:15.500"),
        ("Europe/Paris", "2026-07-01", "2026-06-30 22:00"),
        ("Asia/Kathmandu", "2026-07-01", "2026-06-30 18:15"),
        # 29 March, 02:00 to 03:00, is left out: by the offset before, so 02:30 is 03:30 in summer
        ("Europe/Paris", "2026-03-29 02:30", "2026-03-29 01:30"),
        ("Europe/Paris", "2026-03-29 03:30", "2026-03-29 01:30"),
        # 25 October, 02:00 to 03:00, comes twice: the first
        ("Europe/Paris", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("Europe/Paris", "2026-10-25 03:00", "2026-10-25 02:00"),
        # midnight left out, twice, shown for a minute before the clocks went back, and skipped within a gap
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00"),
        ("America/Havana", "2026-11-01", "2026-11-01 04:00"),
        ("America/St_Johns", "2010-11-07", "2010-11-07 02:30"),
        ("America/Toronto", "1919-03-31", "1919-03-31 04:30"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30 10:00"),
        ("UTC", "2016-12-31T23:59:60.5Z", "2016-12-31 23:59:59.999"),
        ("UTC", 1_700_000_000_123.9, "2023-11-14 22:13:20.123"),
        ("Europe/Paris", 1_700_000_000_123, "2023-11-14 22:13:20.123"),
        ("UTC", "\u0662\u0660\u0662\u0666-\u0660\u0663-\u0660\u0661", "2026-03-01"),
    ],
)
def test_a_time_is_read_in_the_zone_where_it_names_none(zone: str, value: object, time: str) -> None:
    """As an interaction's time is read."""
    assert read_time(value, zone_of(zone)) == utc(time)


@pytest.mark.parametrize(
    "value",
    [
        *["", "soon", "2026-02-30", "2026-3-1", "01.03.2026", "2026-03-01T24:00", "1700000000000", True, 1e300, [], {}],
        *["2026-03-01T12:30:60Z", "2026-03-01T12:30:00+25:00", "0000-01-01", 253_402_300_800_000],
    ],
)
def test_what_is_no_time_cannot_be_read(value: object) -> None:
    """Nothing is guessed."""
    assert read_time(value, zone_of("UTC")) is None


def ends(time: int, value: object) -> Source:
    return {**at(START + time, "trial"), "properties": {"ends": value}}


def ended(*arrived: Source) -> object:
    """The end of the trial after these arrivals."""
    return known({"facts": {"end": {"latest_time": "properties.ends", "each": "trial"}}}, list(arrived)).get("end")


def test_the_time_that_came_with_the_largest_time_counts() -> None:
    """Not the largest of them; a null takes it away, what cannot be read and what is absent leave it."""
    assert ended(ends(0, START + 9)) == START + 9
    assert ended(ends(0, START + 9), ends(1, START + 5)) == START + 5
    assert ended(ends(1, START + 9), ends(0, START + 5)) == START + 9
    assert ended(ends(1, START + 9), ends(1, START + 5)) == START + 5
    assert ended(ends(0, START + 9), ends(1, None)) is None
    assert ended(ends(2, START + 9), ends(1, None)) == START + 9
    assert ended(ends(1, None), ends(0, START + 9)) is None
    assert ended(ends(0, START + 9), ends(1, "soon"), at(START + 2, "trial")) == START + 9
    assert ended(ends(0, "2023-11-15")) == START + DAY


def trial(when: str, **facts: object) -> Source:
    told = {"end": {"latest_time": "properties.ends", "each": "trial"}, **facts}
    return small([("trial", "ending", when)], facts=told)


@pytest.mark.parametrize(
    ("when", "time"),
    [
        ("until(end) <= 7d", 3 * DAY),
        ("until(end) < 7d", 3 * DAY + 1),
        ("7d >= until(end)", 3 * DAY),
        ("until(end) < 0ms", 10 * DAY + 1),
        ("until(end) <= -1d", 11 * DAY),
        ("since(end) >= -2h", 10 * DAY - 2 * HOUR),
        ("since(end) >= 0ms", 10 * DAY),
        ("since(end) > 1d", 11 * DAY + 1),
        ("not until(end) > 7d", 3 * DAY),
        ("until(end) <= 7d and in_stage >= 4d", 4 * DAY),
    ],
)
def test_until_and_since_of_a_time_have_deadlines(when: str, time: int) -> None:
    """A trial of ten days; `<=` at the length before its end, `<` a millisecond later."""
    outcome = run([trial(when)], [ends(0, START + 10 * DAY)], until=START + 20 * DAY)
    assert steps(outcome)[1:] == [(START + time, "trial>ending", True)]


def test_a_trial_that_is_extended_ends_later() -> None:
    """What was due at 3 days is due at 5; a null means that it never ends."""
    arrived = [ends(0, START + 10 * DAY), ends(DAY, START + 12 * DAY)]
    outcome = run([trial("until(end) <= 7d")], arrived, until=START + 20 * DAY)
    assert steps(outcome)[1:] == [(START + 5 * DAY, "trial>ending", True)]
    assert steps(run([trial("until(end) <= 7d")], [arrived[0], ends(DAY, None)], until=START + 20 * DAY))[1:] == []


def test_a_time_fact_exists_and_is_measured_from_the_interaction_in_where() -> None:
    """Bought two days before the end; a late one was bought nine days before it."""
    parts = {
        "facts": {
            "end": {"latest_time": "properties.ends", "each": "trial"},
            "at_the_end": {"count": "buy", "where": "until(end) <= 2d"},
            "early": {"count": "buy", "where": "since(end) <= -9d"},
            "trials": {"count": "buy", "where": "exists(end)"},
        }
    }
    arrived = [at(START, "buy"), ends(0, START + 10 * DAY), at(START + 8 * DAY, "buy"), at(START + DAY, "buy")]
    found = known(parts, arrived)
    assert (found["at_the_end"], found["early"], found["trials"]) == (1, 1, 2)


def counted(per: str, zone: str | None, *times: str) -> list[int]:
    """How often a signal that counts once a window has counted after each time (in UTC)."""
    parts: dict[str, object] = {
        "scores": {"s": {}},
        "signals": {"it": {"each": "tap", "add": {"s": 1}, "at_most": {"times": 1, "per": per}}},
        **({"time_zone": zone} if zone else {}),
    }
    arrived = [at(utc(time), "tap") for time in times]
    found = []
    for number in range(1, len(arrived) + 1):
        of_score = contributed(parts, arrived[:number])["s"]
        assert isinstance(of_score, dict)
        found.append(of_score["it"][1])
    return found


def test_a_day_is_one_of_the_zone() -> None:
    """In Paris the day begins at 23:00 UTC in winter; without a zone, and with 1d, at midnight UTC."""
    times = ["2026-01-10 22:59", "2026-01-10 23:00", "2026-01-11 00:00", "2026-01-11 22:59", "2026-01-11 23:00"]
    assert counted("day", "Europe/Paris", *times) == [1, 2, 2, 2, 3]
    assert counted("day", None, *times) == [1, 1, 2, 2, 2]
    assert counted("1d", "Europe/Paris", *times) == [1, 1, 2, 2, 2]


def test_a_day_may_have_23_or_25_hours() -> None:
    """29 March in Paris is from 23:00 to 22:00 UTC, 25 October from 22:00 to 23:00."""
    spring = ["2026-03-28 22:59", "2026-03-28 23:00", "2026-03-29 21:59", "2026-03-29 22:00"]
    assert counted("day", "Europe/Paris", *spring) == [1, 2, 2, 3]
    autumn = ["2026-10-24 21:59", "2026-10-24 22:00", "2026-10-25 22:59", "2026-10-25 23:00"]
    assert counted("day", "Europe/Paris", *autumn) == [1, 2, 2, 3]


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    """Of the zone: Monday 5 January 2026, and 1 February, begin an hour earlier by UTC."""
    week = ["2026-01-04 22:59", "2026-01-04 23:00", "2026-01-11 22:59", "2026-01-11 23:00"]
    assert counted("week", "Europe/Paris", *week) == [1, 2, 2, 3]
    month = ["2025-12-31 22:59", "2025-12-31 23:00", "2026-01-31 22:59", "2026-01-31 23:00", "2026-12-31 23:00"]
    assert counted("month", "Europe/Paris", *month) == [1, 2, 2, 3, 4]


def test_the_two_latest_windows_are_kept() -> None:
    """A late one for a day between them counts, one for an earlier day does not."""
    times = ["2026-01-10 12:00", "2026-01-20 12:00", "2026-01-15 12:00", "2026-01-12 12:00", "2026-01-20 13:00"]
    assert counted("day", "Europe/Paris", *times) == [1, 2, 3, 3, 3]


def test_days_weeks_and_months_are_in_order_for_ever() -> None:
    """Across leap years, before the epoch, and past the year 9999."""
    zone = zone_of("Pacific/Apia")
    last = utc("9999-12-31 23:00")
    times = [
        *range(utc("1900-01-01 00:00"), utc("2100-01-01 00:00"), 41 * DAY + HOUR),
        *range(last - 999 * DAY, last, DAY),
    ]
    for per in ("week", "month"):
        windows = [window_of(each, per, zone) for each in times]
        assert windows == sorted(windows)
    assert window_of(last, "month", zone_of("Europe/Paris")) == (10_000, 1)
    assert local_day(last, zone_of("Europe/Paris")) == utc("9999-12-31 00:00") // DAY + 1
    assert window_of(-1, "day", zone_of("UTC")) == (-1, 0)
    assert window_of(-1, "month", zone_of("UTC")) == (1969, 12)
