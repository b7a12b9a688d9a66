"""Every zone of the tz database, held against Python's zoneinfo, which reads the same files by code of its own."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.language.time_zones import time_zone
from stream.core.language.tzif import read_zone
from stream.core.time_zone import CYCLE, TimeZone
from tests.kit.times import DAY, HOUR

pytestmark = pytest.mark.long

PACKAGE = resources.files("tzdata")
NAMES = sorted(PACKAGE.joinpath("zones").read_text(encoding="ascii").split())
ODD = [
    *("Europe/Paris", "America/New_York", "Asia/Tokyo", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca"),
    *("America/Nuuk", "America/Godthab", "America/Scoresbysund", "Asia/Gaza", "Asia/Jerusalem", "Pacific/Apia"),
    *("Africa/El_Aaiun", "America/St_Johns", "Antarctica/Troll", "America/Santiago", "Pacific/Easter", "Africa/Cairo"),
    *("Africa/Monrovia", "Asia/Kathmandu", "Pacific/Chatham", "America/Sitka", "Asia/Manila", "Asia/Beirut"),
]
"""Changes twice a year, never, in winter, by half an hour, at midnight, by a day; rules of hours below 0, above 24."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCAL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times
MILLISECOND = timedelta(milliseconds=1)
FIRST_MONDAY = date(1969, 12, 29)
EARLIEST, LATEST = MIN_TIME + 2 * DAY, MAX_TIME - 2 * DAY
"""The oracle knows no local times outside years 1 to 9999."""


@cache
def oracle(name: str) -> ZoneInfo:
    with PACKAGE.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def shown(name: str, instant: int) -> datetime:
    """What the oracle's clocks show."""
    return (EPOCH + instant * MILLISECOND).astimezone(oracle(name))


def offset(name: str, instant: int) -> int:
    length = shown(name, instant).utcoffset()
    assert length is not None
    return length // MILLISECOND


def first_instant(name: str, local: int) -> int:
    """PEP 495 has the same rule, as fold=0."""
    return ((LOCAL_EPOCH + local * MILLISECOND).replace(tzinfo=oracle(name)) - EPOCH) // MILLISECOND


def has_rule(zone: TimeZone) -> bool:
    """Whether clocks are changed for ever."""
    return zone._repeats < MAX_TIME


def changes(zone: TimeZone) -> list[int]:
    """All that have a date in the file, a year or two by the rule, and those after one and many cycles of 400 years."""
    soon = [each for each in zone._changes if each < zone._repeats - CYCLE]
    later = [each + cycles * CYCLE for each in soon[-4:] for cycles in (1, 2, 15)] if has_rule(zone) else []
    return [each for each in soon + later if EARLIEST <= each <= LATEST]


def agree(name: str, zone: TimeZone, instant: int) -> bool:
    """The offset there, and what is made of the local time there and around."""
    local = instant + offset(name, instant)
    return zone.offset_at(instant) == local - instant and all(
        zone.first_instant(each) == first_instant(name, each) for each in (local, local - HOUR, local + HOUR)
    )


def test_each_zone_has_the_offset_of_the_oracle_around_each_of_its_changes() -> None:
    """A millisecond before, at and after; equal files are read once."""
    files = {PACKAGE.joinpath("zoneinfo", *name.split("/")).read_bytes(): name for name in NAMES}
    assert len(files) > 300
    wrong = []
    for file, name in files.items():
        zone = read_zone(name, file)
        instants = [EARLIEST, LATEST, *(change + more for change in changes(zone) for more in (-1, 0, 1))]
        wrong += [(name, instant) for instant in instants if not agree(name, zone, instant)]
    assert wrong == []


def test_the_changes_that_are_compared_are_those_of_zones_with_and_without_a_rule() -> None:
    """The test above would say nothing if it compared none."""
    assert len(changes(time_zone("Europe/Paris"))) > 100
    assert max(changes(time_zone("Europe/Paris"))) > 15 * CYCLE
    assert len(changes(time_zone("Asia/Tokyo"))) == 9
    assert changes(time_zone("Etc/GMT+5")) == []


names = st.sampled_from(ODD) | st.sampled_from(NAMES)
instants = st.integers(EARLIEST, LATEST) | st.integers(-2_000_000_000_000, 5_000_000_000_000)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and an instant at which it is likely to be in doubt: within hours of a change, years from now or soon."""
    name = draw(names)
    known = time_zone_of(name)._changes
    if not known or draw(st.booleans()):
        return name, draw(instants)
    change = known[draw(st.integers(0, len(known) - 1))]
    near = change + draw(st.integers(-3 * HOUR, 3 * HOUR)) + draw(st.integers(0, 14)) * CYCLE
    return name, min(max(near, EARLIEST), LATEST)


@cache
def time_zone_of(name: str) -> TimeZone:
    """Those too that no lifecycle may name."""
    return read_zone(name, PACKAGE.joinpath("zoneinfo", *name.split("/")).read_bytes())


@given(moments())
@example(("Europe/Paris", EARLIEST))
@example(("Europe/Paris", LATEST))
def test_offsets_and_local_times_are_the_oracles_at_any_time(moment: tuple[str, int]) -> None:
    """From year 1 to 9999, in all zones."""
    name, instant = moment
    assert agree(name, time_zone_of(name), instant)


@given(moments())
def test_windows_are_the_days_weeks_and_months_of_the_local_date(moment: tuple[str, int]) -> None:
    """As Python's calendar counts them."""
    name, instant = moment
    zone, local = time_zone_of(name), shown(name, instant).date()
    assert zone.window(instant, "day") == (local - LOCAL_EPOCH.date()).days
    assert zone.window(instant, "week") == (local - FIRST_MONDAY).days // 7
    assert zone.window(instant, "month") == (local.year - 1970) * 12 + local.month - 1


@given(moments(), st.sampled_from(["day", "week", "month"]))
def test_a_window_starts_with_the_first_instant_that_is_not_before_it(moment: tuple[str, int], unit: str) -> None:
    """A millisecond earlier, and at any earlier time, it is an earlier window."""
    name, instant = moment
    zone = time_zone_of(name)
    number = zone.window(instant, unit)
    start = zone.window_start(number, unit)
    assert start <= instant
    assert zone.window(start, unit) == number
    for earlier in (1, 60_000, HOUR, 12 * HOUR, DAY, 27 * HOUR, 90 * DAY):
        assert zone.window(start - earlier, unit) < number


@given(moments())
def test_the_first_instant_of_a_local_time_shows_it_unless_it_is_left_out(moment: tuple[str, int]) -> None:
    """And no change of the clocks before has it shown already."""
    name, instant = moment
    zone = time_zone_of(name)
    local = instant + zone.offset_at(instant)
    first = zone.first_instant(local)
    assert first <= instant
    assert first + zone.offset_at(first) == local
    missing = local + HOUR // 2
    later = zone.first_instant(missing)
    behind = later + zone.offset_at(later) - missing
    assert behind >= 0
    assert later + zone.offset_at(later - behind) == missing


@pytest.mark.parametrize("name", ODD)
def test_after_400_years_all_comes_again(name: str) -> None:
    """To the millisecond, seen from the years in which the rule is written out as from those after them."""
    zone = time_zone_of(name)
    begin = zone._repeats - CYCLE if has_rule(zone) else zone._changes[-1] + DAY
    for instant in range(begin, begin + 2 * 366 * DAY, 7 * HOUR + 1):
        assert zone.offset_at(instant) == zone.offset_at(instant + CYCLE) == zone.offset_at(instant + 7 * CYCLE)
        assert zone.first_instant(instant) + 3 * CYCLE == zone.first_instant(instant + 3 * CYCLE)
