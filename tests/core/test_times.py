"""Times in whatever shape they come are one exact millisecond, or none."""

import math
import re
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.times import format_time, parse_time

NOON = 1_483_272_000_000  # 2017-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2017-01-01T12:00:00.000Z", NOON),
        ("2017-01-01T12:00:00Z", NOON),
        ("2017-01-01t12:00:00z", NOON),
        ("2017-01-01 12:00:00", NOON),
        ("2017-01-01T12:00", NOON),
        ("2017-01-01 12:00Z", NOON),
        ("2017-01-01", NOON - 12 * 3_600_000),
        ("2017-01-01T14:00:00+02:00", NOON),
        ("2017-01-01T06:30:00-0530", NOON),
        ("2017-01-01 12:00:00.5+00", NOON + 500),
        ("2017-01-01T12:00:00-00:00", NOON),
        ("2017-01-02T11:59:00+23:59", NOON),
        ("2017-01-01T12:00:00.1Z", NOON + 100),
        ("2017-01-01T12:00:00.9999999999999999999999Z", NOON + 999),
        ("0001-01-01T00:00:00Z", MIN_TIME),
        ("9999-12-31T23:59:59.999999Z", MAX_TIME),
    ],
)
def test_every_usual_spelling_is_read(text, expected):
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " ",
            "now",
            "1483272000000",
            "1483272000",
            "20170101",
            "20170101T120000Z",
            "2017-W01-1",
            "2017-001",
        ),
        *("2017-W01-1T12:00:00.000Z", "2017-01", "2017", "2017-01-01Z", "2017-01-01T", "2017-01-01T12"),
        *("2017-01-01T12Z", "2017-01-01T12:00:00,000Z", "2017-01-01T12:00:00.Z", "2017-01-01X12:00:00Z"),
        *(
            "2017-01-01T120000.00000Z",
            "2017-01-01T12:00.500Z",
            "2017-01-01  12:00:00Z",
            " 2017-01-01T12:00:00Z",
        ),
        *(
            "2017-01-01T12:00:00Z\n",
            "2017-01-01T12:00:00 Z",
            "2017-01-01T12:00:00ZZ",
            "2017-01-01T12:00:00+1:0",
        ),
        *("2017-01-01T12:00:00+24:00", "2017-01-01T12:00:00+01:60", "2017-01-01T12:00:00+01:00:00"),
        *("2017-1-1T12:00:00Z", "2017-13-01T12:00:00Z", "2017-02-29T12:00:00Z", "2017-01-01T24:00:00Z"),
        *("2017-01-01T12:60:00Z", "2017-01-01T12:00:61Z", "0000-01-01T00:00:00Z", "-2017-01-01T12:00:00Z"),
        *("10000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
        *(
            "Sun, 01 Jan 2017 12:00:00 GMT",
            "01/01/2017",
            "2017-01-01T12:00:00\ud800",
        ),
    ],
)
def test_text_that_is_no_time_is_none(value):
    assert parse_time(value) is None


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            False,
            math.nan,
            math.inf,
            -math.inf,
            10**400,
            -(10**400),
            1e300,
            b"2017-01-01",
            [],
            {},
            ["2017-01-01"],
            object(),
        ),
        *(MAX_TIME + 1, MIN_TIME - 1, MAX_TIME + 1.0, MIN_TIME - 0.5),
    ],
)
def test_what_is_neither_a_possible_number_nor_text_is_none(value):
    assert parse_time(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((0, 0), (-1, -1), (NOON, NOON), (MIN_TIME, MIN_TIME), (MAX_TIME, MAX_TIME)),
        *((1.999, 1), (-0.001, -1), (-1.5, -2), (-0.0, 0), (NOON + 0.75, NOON), (MAX_TIME + 0.5, MAX_TIME)),
    ],
)
def test_numbers_are_epoch_milliseconds_with_fractions_cut_towards_the_past(value, expected):
    time = parse_time(value)
    assert time == expected
    assert type(time) is int


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1969-12-31T23:59:59.9999Z", -1),
        ("1969-12-31T23:59:59.9990Z", -1),
        ("1969-12-31T23:59:59.0009Z", -1_000),
        ("1969-12-31T23:59:59.0010Z", -999),
        ("1969-12-31T23:59:58.000000000001Z", -2_000),
    ],
)
def test_before_1970_fractions_are_cut_towards_the_past_too(text, expected):
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.000Z",
        "2016-12-31T23:59:60.999Z",
        "2016-12-31t23:59:60z",
        "2016-12-31 23:59:60",
        "2017-01-01T01:59:60+02:00",
        "2016-12-31T15:59:60-0800",
    ],
)
def test_a_leap_second_is_the_last_millisecond_of_its_day(text):
    assert parse_time(text) == parse_time("2016-12-31T23:59:59.999Z")


@pytest.mark.parametrize(
    "text",
    ["2016-12-31T12:30:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:60.Z", "2016-02-30T23:59:60Z"],
)
def test_second_60_anywhere_else_is_no_time(text):
    assert parse_time(text) is None


# ── An independent reading: groups of a regular expression, and exact fractions of the calendar's days ──

REFERENCE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def reference(text: str) -> int | None:
    parts = REFERENCE.fullmatch(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts.group(1, 2, 3, 4, 5, 6))
    offset_hours, offset_minutes = int(parts[10] or 0), int(parts[11] or 0)
    try:
        days = (date(year, month, day) - date(1970, 1, 1)).days
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 60 or offset_hours > 23 or offset_minutes > 59:
        return None
    offset = (offset_hours * 60 + offset_minutes) * (-1 if parts[9] == "-" else 1)
    minutes = days * 1_440 + hour * 60 + minute - offset
    if second == 60:
        if minutes % 1_440 != 1_439:
            return None
        exact = Fraction(minutes * 60_000 + 59_999)
    else:
        fraction = Fraction(int(parts[7]), 10 ** len(parts[7])) if parts[7] else Fraction(0)
        exact = (minutes * 60 + second + fraction) * 1_000
    time = math.floor(exact)
    return time if MIN_TIME <= time <= MAX_TIME else None


def digits(low: int, high: int, width: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda number: f"{number:0{width}}")


dates = st.dates().map(date.isoformat) | st.tuples(digits(0, 9999, 4), digits(0, 13, 2), digits(0, 32, 2)).map("-".join)
fractions = st.just("") | st.from_regex(r"\.[0-9]{1,12}", fullmatch=True)
seconds = st.just("") | st.tuples(st.just(":"), digits(0, 61, 2), fractions).map("".join)
offsets = st.tuples(st.sampled_from("+-"), digits(0, 24, 2), st.sampled_from(["", ":00", "30", ":59", ":60"]))
zones = st.sampled_from(["", "Z", "z"]) | offsets.map("".join)
clocks = st.tuples(st.sampled_from("Tt "), digits(0, 24, 2), st.just(":"), digits(0, 60, 2), seconds, zones)
times = st.tuples(dates, st.just("") | clocks.map("".join)).map("".join)
usual = st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z")


@given(times | usual)
@example("2016-12-31T23:59:60.5Z")
@example("2024-02-29T00:00:00.000Z")
def test_times_are_read_as_exact_arithmetic_says(text):
    assert parse_time(text) == reference(text)


@given(usual | times, st.data())
def test_a_damaged_time_is_read_exactly_or_not_at_all(text, data):
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 2)))
        text = text[:start] + data.draw(st.text("0123456789-:.,TtZzW+ ", max_size=2)) + text[end:]
    assert parse_time(text) == reference(text)


@given(st.text() | st.text("0123456789-:.TZ+ ", max_size=30))
def test_any_text_is_a_possible_time_or_none(text):
    assert parse_time(text) == reference(text)


@given(st.integers(MIN_TIME, MAX_TIME))
@example(MIN_TIME)
@example(MAX_TIME)
@example(-1)
def test_a_time_that_is_written_is_read_back(time):
    text = format_time(time)
    assert parse_time(text) == time
    assert len(text) == len("2017-01-01T11:53:26.000Z")


def test_a_time_is_written_in_utc_with_milliseconds():
    assert format_time(1_483_271_606_000) == "2017-01-01T11:53:26.000Z"
    assert format_time(-1) == "1969-12-31T23:59:59.999Z"
    assert format_time(MIN_TIME) == "0001-01-01T00:00:00.000Z"
    assert format_time(MAX_TIME) == "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize("time", [MIN_TIME - 1, MAX_TIME + 1, 10**30])
def test_what_is_no_possible_time_is_not_written(time):
    with pytest.raises(ValueError, match=str(time)):
        format_time(time)


@given(st.floats(MIN_TIME, MAX_TIME))
def test_a_number_with_a_fraction_is_the_floor_of_its_exact_value(value):
    assert parse_time(value) == math.floor(Fraction(value))


def test_the_bounds_are_the_first_and_last_millisecond_of_the_calendar():
    first = date.min - date(1970, 1, 1)
    last = date.max - date(1970, 1, 1) + timedelta(days=1)
    assert first.days * 86_400_000 == MIN_TIME
    assert last.days * 86_400_000 - 1 == MAX_TIME


@pytest.mark.parametrize("date", ["2026-03-01", "0001-01-01", "9999-12-31", "2026-W09-7", "2026-02-30", "0000-01-01"])
@pytest.mark.parametrize("time", ["T09:30:00", "t09:30:00", "T23:59:60", "T24:00:00", "T09-30-00", " 00:00:00"])
@pytest.mark.parametrize("offset", ["+00:00", "-05:30", "+23:59", "+24:00", "+00:60", "+0000Z", "-01:00", "+00-00"])
def test_a_time_is_read_alike_however_many_digits_its_second_has(date: str, time: str, offset: str) -> None:
    """Of the lengths that Python writes there is a shorter way to read them."""
    milliseconds, microseconds, between = (
        parse_time(f"{date}{time}.{digits}{offset}") for digits in ("123", "123000", "1230")
    )
    assert milliseconds == microseconds == between
