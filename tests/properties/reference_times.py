"""Times that are written in properties, and days, weeks and months of a zone (rules 19 and 26).

Where the text was silent:
- A number is a time in epoch milliseconds, finer fractions cut off; numbers before 1995 are none (seconds,
  which the core finds among them, are not generated).
- A bare date of a day that the zone left out altogether is taken with the offset before the change, as a time is.
- Local dates go on past the year 9999, and zones then change as they did 400 years before: that long it takes until
  the same dates fall on the same days of the week.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import floor, isfinite
from zoneinfo import ZoneInfo

from tests.kit.times import DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_TIME = -62_135_596_800_000
"""The first millisecond of the year 1."""
LAST_TIME = 253_402_300_799_999
"""The last one of the year 9999."""
DAYS_OF_400_YEARS = 146_097
QUARTER = 15 * 60_000

TIME = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?)?)?"
)


@cache
def zone_of(name: str) -> tzinfo:
    """A zone of the tz database, as the package `tzdata` has it."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, name)


def ms_of(moment: datetime) -> int:
    """Milliseconds since the epoch, finer ones cut off."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def offset_at(ms: int, zone: tzinfo) -> int:
    """How far the clocks of a zone are ahead of UTC, in milliseconds."""
    while ms > LAST_TIME - 400 * DAY:
        ms -= DAYS_OF_400_YEARS * DAY
    offset = (EPOCH + timedelta(milliseconds=ms)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def local_day(ms: int, zone: tzinfo) -> int:
    """Which day it is by the clocks of a zone: days since 1970-01-01."""
    return (ms + offset_at(ms, zone)) // DAY


def window_of(ms: int, per: str, zone: tzinfo) -> tuple[int, int]:
    """The local day, week or month that a time lies in; windows are in the order of time."""
    day = local_day(ms, zone)
    if per == "day":
        return (day, 0)
    if per == "week":
        monday = -3
        return ((day - monday) // 7, 0)
    cycles = day // DAYS_OF_400_YEARS
    date = EPOCH + timedelta(days=day - cycles * DAYS_OF_400_YEARS)
    return (date.year + 400 * cycles, date.month)


EARLIEST_NUMBER = 788_918_400_000
"""1995-01-01: a smaller number is no time in milliseconds."""


def read_time(value: object, zone: tzinfo) -> int | None:
    """A time as interactions have it, in `zone` where it names none; None where it cannot be read."""
    found: int | None = None
    if isinstance(value, str):
        found = read_text(value, zone)
    elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
        found = floor(value) if value >= EARLIEST_NUMBER else None
    return found if found is not None and FIRST_TIME <= found <= LAST_TIME else None


def read_text(text: str, zone: tzinfo) -> int | None:
    """A time in RFC 3339 or near to it."""
    match = TIME.fullmatch(text)
    if match is None:
        return None
    said = match.groupdict()
    leaps = said["second"] == "60"
    try:
        day = datetime(int(said["year"]), int(said["month"]), int(said["day"]))  # noqa: DTZ001 - the zone comes later
        if said["hour"] is None:
            return first_instant(day, zone)
        fraction = int(f"{said['fraction'] or ''}000"[:3])
        second = 59 if leaps else int(said["second"] or 0)
        local = day.replace(hour=int(said["hour"]), minute=int(said["minute"]), second=second)
    except ValueError:
        return None
    if said["zone"] in ("Z", "z"):
        zone = UTC
    elif said["zone"]:
        ahead = timedelta(hours=int(said["hours"]), minutes=int(said["minutes"] or 0))
        zone = timezone(-ahead if said["sign"] == "-" else ahead)
    moment = moment_of(local, zone)
    if not leaps:
        return moment + fraction
    return moment + 999 if moment % DAY == DAY - 1_000 else None


def moment_of(local: datetime, zone: tzinfo) -> int:
    """When the clocks of a zone show this, for the first time; where they never do, by the offset before the change."""
    offset = local.replace(tzinfo=zone, fold=0).utcoffset()
    assert offset is not None
    return ms_of(local.replace(tzinfo=UTC)) - offset // timedelta(milliseconds=1)


def first_instant(day: datetime, zone: tzinfo) -> int:
    """The first millisecond at which it is this day by the clocks of a zone.

    It is a midnight by one of the offsets of these days, or the moment at which the clocks change.
    """
    midnight = ms_of(day.replace(tzinfo=UTC))
    around = range(max(midnight - 2 * DAY, FIRST_TIME + DAY), min(midnight + 2 * DAY, LAST_TIME - DAY), QUARTER)
    offsets = {offset_at(ms, zone) for ms in around}
    candidates = [midnight - offset for offset in offsets]
    candidates += [
        change_between(one, two, zone) for one, two in pairwise(around) if offset_at(one, zone) != offset_at(two, zone)
    ]
    of_that_day = [ms for ms in candidates if local_day(ms, zone) == midnight // DAY]
    return min(of_that_day, default=moment_of(day, zone))


def change_between(before: int, after: int, zone: tzinfo) -> int:
    """The millisecond at which the clocks change between two that have different offsets."""
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle, zone) == offset_at(before, zone):
            before = middle
        else:
            after = middle
    return after
