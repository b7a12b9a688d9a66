"""Files of zones that the tz database does not have now: rules of every notation, and what is damaged."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.tzif import DamagedZoneError, read_zone
from stream.core.time_zone import TimeZone
from stream.core.times import format_time, parse_time
from tests.kit.times import HOUR


def block(version: bytes, width: str, changes: list[tuple[int, int]], types: list[int], *, more: int = 0) -> bytes:
    """Header and data; `more` entries of each kind that says nothing of offsets."""
    counts = struct.pack(">6I", more and len(types), more and len(types), more, len(changes), len(types), 4)
    data = struct.pack(f">{len(changes)}{width}", *(seconds for seconds, _type in changes))
    data += bytes(index for _seconds, index in changes)
    data += b"".join(struct.pack(">iBB", offset, 0, 0) for offset in types) + b"XXX\0"
    data += struct.pack(f">{width}i", 78_796_800, 1) * more + bytes(len(types) * 2) * bool(more)
    return b"TZif" + version + bytes(15) + counts + data


def zone(rule: str, changes: list[tuple[int, int]] | None = None, types: list[int] | None = None) -> TimeZone:
    """Of a file with that rule, changes and offsets in seconds; a first block is before them that is to be skipped."""
    first = block(b"2", "i", [(0, 0), (1, 1)], [7, 8], more=3)
    second = block(b"2", "q", changes or [], types or [0], more=2)
    return read_zone("Test/Zone", first + second + b"\n" + rule.encode() + b"\n")


def ms(text: str) -> int:
    time = parse_time(text)
    assert time is not None
    return time


def changes_in(year: int, tested: TimeZone) -> list[tuple[str, float]]:
    """The instants at which the offset changes in a year, and the hours of the offset from then on."""
    begin, end = ms(f"{year:04}-01-01"), ms(f"{year:04}-12-31T23:59:59.999Z")
    found = []
    at = begin
    while at < end:
        step = at + HOUR // 4
        if tested.offset_at(step - 1) != tested.offset_at(at - 1):
            while tested.offset_at(at) == tested.offset_at(at - 1):
                at += 1_000
            found.append((format_time(at)[:-5], tested.offset_at(at) / HOUR))
        at = step
    return found


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("CET-1CEST,M3.5.0,M10.5.0/3", [("2026-03-29T01:00:00", 2), ("2026-10-25T01:00:00", 1)]),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", [("2026-03-29T01:00:00", 1), ("2026-10-25T01:00:00", 0)]),
        ("NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01:30", [("2026-03-08T03:31:00", -2.5), ("2026-11-01T02:31:30", -3.5)]),
        # Hours before and after the day that is named, up to a week.
        ("<-03>3<+0230>-2:30,M1.1.1/-1,M12.4.6/0", [("2026-01-05T02:00:00", 2.5), ("2026-12-25T21:30:00", -3)]),
        ("AAA0BBB,M2.1.0/50,M2.4.0/-30", [("2026-02-03T02:00:00", 1), ("2026-02-20T17:00:00", 0)]),
        ("AAA0BBB,M2.5.0/167,M6.1.1/-167", [("2026-02-28T23:00:00", 1), ("2026-05-25T00:00:00", 0)]),
        (
            "AAA+00:00:30BBB-1:00:15,M5.1.5,M6.1.1",
            [("2026-05-01T02:00:30", 1 + 15 / 3_600), ("2026-06-01T00:59:45", -30 / 3_600)],
        ),
        ("EST5", []),
        # Summer time that ends as it begins, at new year.
        ("EST5EDT,0/0,J365/25", []),
    ],
)
def test_a_rule_says_when_clocks_are_changed(rule: str, changes: list[tuple[str, float]]) -> None:
    """2026 begins on a Thursday."""
    assert changes_in(2026, zone(rule)) == changes


@pytest.mark.parametrize("year", [2024, 2026, 2100, 2400, 9996, 9998])
@pytest.mark.parametrize(
    ("rule", "in_leap_years"), [("AAA0BBB,J60/0,J365/0", "03-01"), ("AAA0BBB,59/0,364/0", "02-29")]
)
def test_days_of_the_year_count_the_leap_day_or_do_not(year: int, rule: str, in_leap_years: str) -> None:
    """J60 is always the first of March; 59 days after New Year it is the leap day, where there is one."""
    is_leap = year in (2024, 2400, 9996)
    begin = in_leap_years if is_leap else "03-01"
    end = "12-29" if is_leap and rule[8] != "J" else "12-30"
    assert changes_in(year, zone(rule)) == [(f"{year}-{begin}T00:00:00", 1), (f"{year}-{end}T23:00:00", 0)]


def test_clocks_in_summer_time_all_the_year_are_never_changed() -> None:
    """Four hours behind, not five: nor is there a moment of winter between two years."""
    forever = zone("EST5EDT,0/0,J365/25", [(0, 1)], [-18_000, -14_400])
    new_year = ms("2027-01-01T05:00Z")
    assert {forever.offset_at(new_year + more) for more in (-HOUR, -1, 0, 1, HOUR)} == {-4 * HOUR}
    assert forever.offset_at(MAX_TIME) == -4 * HOUR


def test_without_a_rule_all_stays_as_after_the_last_change() -> None:
    """And before the first change it is the first offset of the file, whatever the first change leads from."""
    tested = zone("", [(1_000, 2), (2_000, 1)], [60, 120, 180])
    assert tested.offset_at(MIN_TIME) == tested.offset_at(999_999) == 60_000
    assert tested.offset_at(1_000_000) == tested.offset_at(1_999_999) == 180_000
    assert tested.offset_at(2_000_000) == tested.offset_at(MAX_TIME) == 120_000


def test_a_rule_without_dated_changes_holds_at_all_times() -> None:
    """From the first year on."""
    tested = zone("CET-1CEST,M3.5.0,M10.5.0/3", [], [3_600])
    assert changes_in(1, tested) == [("0001-03-25T01:00:00", 2), ("0001-10-28T01:00:00", 1)]
    assert changes_in(9999, tested) == [("9999-03-28T01:00:00", 2), ("9999-10-31T01:00:00", 1)]


def test_a_rule_holds_from_the_last_dated_change_on() -> None:
    """What it would have changed earlier in that year, it has not."""
    june = ms("2026-06-01T00:00Z") // 1_000
    tested = zone("CET-1CEST,M3.5.0,M10.5.0/3", [(june, 1)], [0, 7_200])
    assert changes_in(2026, tested) == [("2026-06-01T00:00:00", 2), ("2026-10-25T01:00:00", 1)]
    assert changes_in(2027, tested) == [("2027-03-28T01:00:00", 2), ("2027-10-31T01:00:00", 1)]


def test_a_change_of_the_name_alone_is_none() -> None:
    """Such as that from war time to peace time: clocks stay as they are."""
    tested = zone("EWT4", [(1_000, 1), (2_000, 2), (3_000, 1)], [0, -14_400, -14_400])
    assert (tested._changes, tested._offsets) == ((1_000_000,), (0, -14_400_000))


@pytest.mark.parametrize(
    "rule",
    [
        *("CET", "-1", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0"),
        *("CET-1CEST,M3.5.0,M10.5.0/3,", " CET-1", "CET-1 ", "<CET-1", "CET-1:0:0:0", "CET-1CEST,M3.0.0,M10.5.0"),
    ],
)
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    """With its text, and the name of the zone."""
    with pytest.raises(DamagedZoneError, match="Test/Zone"):
        zone(rule)


@pytest.mark.parametrize("file", [b"", b"TZif", b"\n\n", block(b"\0", "i", [], [0]), b"PK\3\4" + bytes(100) + b"\n\n"])
def test_a_file_that_is_none_is_refused(file: bytes) -> None:
    """Version 1 too, which knows no times after 2037."""
    with pytest.raises(DamagedZoneError, match="Test/Zone"):
        read_zone("Test/Zone", file)


WHOLE = block(b"2", "i", [], [0]) + block(b"2", "q", [(1_000, 1), (2_000, 0)], [0, 60]) + b"\nAAA0\n"


@given(st.integers(0, len(WHOLE) - 1))
def test_a_file_that_was_cut_off_is_refused_or_says_less(end: int) -> None:
    """Never any other error."""
    with suppress(DamagedZoneError):
        read_zone("Test/Zone", WHOLE[:end])
