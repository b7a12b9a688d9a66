"""Times as people and machines write them, to epoch milliseconds and back."""

import math
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from mypy_extensions import i64

from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.time_zone import UTC_ZONE, TimeZone

EARLIEST_TIME: Final = 788_918_400_000
"""1995-01-01: before it, nobody sent interactions."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WITHOUT_ZONE: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - only for texts that name no zone

# What RFC 3339 allows and the usual liberties. `datetime.fromisoformat` reads more than this (week dates,
# "20170101", a comma, any separator), so this decides what is a time and that does the calendar.
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)?)?"
).fullmatch
_USUAL_LENGTH: Final = len("2026-03-01T09:30:00.000Z")
_LENGTH_WITH_OFFSET: Final = len("2026-03-01T09:30:00.000+00:00")
_LENGTH_WITH_MICROSECONDS: Final = len("2026-03-01T09:30:00.000000+00:00")
_DATE_LENGTH: Final = len("2026-03-01")
_LEAP_SECOND: Final = re.compile(r"(.{16}):60(?:\.[0-9]+)?(.*)").fullmatch
_LONGEST_FOREIGN: Final = 64
"""Characters of a time in digits of another script."""
_LAST_SECOND_OF_DAY: Final = 86_399
_DAY: Final = 86_400_000
_EPOCH_DAY: Final = _EPOCH.toordinal()
_LARGEST_EPOCH: Final = 10**22
_TWO: Final = tuple(f"{number:02}" for number in range(60))
_THREE: Final = tuple(f"{number:03}" for number in range(1_000))


def parse_time(value: object) -> int | None:
    """Read a moment as milliseconds since the epoch, UTC; None where it is none.

    Taken are numbers, as epoch milliseconds, and RFC 3339 text, from which it may differ by a space or `t`
    between date and time, a lower-case `z`, no zone (UTC), no seconds (0), a date alone (midnight UTC), an
    offset without colon or minutes (`+0530`, `+05`), a fraction of any length, and digits of any script, as phones
    write them.

    Whatever is finer than a millisecond is cut off towards the past, never rounded, before 1970 too. The leap
    second, 23:59:60 UTC, is read as the last millisecond of its day (…59.999): it stays in its day, and
    nothing that happened in it comes before something earlier.

    None for anything else: booleans, NaN and infinities, numbers in text, days that do not exist (year 0,
    30 February), moments outside [MIN_TIME, MAX_TIME].
    """
    time: int | None
    if isinstance(value, str):
        # As nearly every sender writes it, 2026-03-01T09:30:00.000Z; of texts with these characters `fromisoformat`
        # reads nothing that is no RFC 3339 but days of a week (2026-W09-7), and refuses the rest.
        if (
            len(value) == _USUAL_LENGTH
            and value[23] == "Z"
            and value[19] == "."
            and value[10] == "T"
            and value[5] != "W"
        ):
            try:
                return _milliseconds(datetime.fromisoformat(value) - _EPOCH)
            except ValueError:
                pass  # a leap second, or nothing
        # Likewise as Python writes it, 2026-03-01T09:30:00.000+00:00, of which minutes of the offset are looked at.
        if (
            (len(value) == _LENGTH_WITH_OFFSET or len(value) == _LENGTH_WITH_MICROSECONDS)
            and value[10] == "T"
            and value[19] == "."
            and value[-3] == ":"
            and value[-2] in "012345"
            and value[-6] in "+-"
            and value[5] != "W"
        ):
            try:
                time = _milliseconds(datetime.fromisoformat(value) - _EPOCH)
            except ValueError:
                pass
            else:
                return time if MIN_TIME <= time <= MAX_TIME else None
        time = _from_text(value, UTC_ZONE)
    elif isinstance(value, bool):
        return None
    elif isinstance(value, int):
        time = value
    elif isinstance(value, float) and math.isfinite(value):
        time = math.floor(value)
    else:
        return None
    return time if time is not None and MIN_TIME <= time <= MAX_TIME else None


def parse_local_time(value: object, zone: TimeZone) -> int | None:
    """Read a moment as `parse_time` does, but a text that names no zone as a local time of `zone`.

    A bare date is the first instant of that local day; `TimeZone.first_instant` says which instant a local time is that
    comes twice or never. A number is read as an interaction's time is by default, but without a latest time that is
    believed: milliseconds where these are not before EARLIEST_TIME, else seconds, microseconds or nanoseconds.
    """
    if isinstance(value, str):
        time = _from_text(value, zone)
        return time if time is not None and MIN_TIME <= time <= MAX_TIME else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = epoch_time(value, EARLIEST_TIME, None)
    return None if isinstance(found, str) else found


def epoch_time(number: int | float, earliest: int, latest: int | None) -> int | str:  # noqa: PYI041 - a whole one stays exact
    """Read a number as a moment: milliseconds since the epoch, else seconds, microseconds or nanoseconds.

    A number is milliseconds where these are not before `earliest`, which names what is believed (epoch ms). Else it is
    of the one other unit that puts it between `earliest` and `latest`; without `latest`, up to MAX_TIME. Where there is
    none, what is wrong, in words.
    """
    # A whole number beyond all doubles cannot be compared with one where this is compiled.
    known = abs(number) < _LARGEST_EPOCH if isinstance(number, int) else abs(number) < float(_LARGEST_EPOCH)
    if not known:  # nor is NaN
        return "it is no time in any unit"
    if earliest <= number <= MAX_TIME:
        return math.floor(number)
    last = MAX_TIME if latest is None else min(latest, MAX_TIME)
    # A fraction of a second may have lost its last digits; whole numbers are exact.
    seconds = number * 1_000 if isinstance(number, int) else math.floor(number * 1_000 + 0.001)
    found = (seconds, math.floor(number) // 1_000, math.floor(number) // 1_000_000)
    fitting = [ms for ms in found if earliest <= ms <= last]
    if len(fitting) == 1:
        return fitting[0]
    ms = math.floor(number)
    as_milliseconds = f"as milliseconds it is {format_time(ms)}, and " if MIN_TIME <= ms <= MAX_TIME else ""
    return (
        f"{as_milliseconds}as seconds, microseconds or nanoseconds it is not between {format_time(earliest)} and "
        f"{format_time(last)} either; earlier times are believed with the setting earliest_time"
    )


def format_time(ms: int) -> str:
    """Write epoch milliseconds as RFC 3339 in UTC with milliseconds, such as 2017-01-01T11:53:26.000Z.

    Raises ValueError outside [MIN_TIME, MAX_TIME].
    """
    if not MIN_TIME <= ms <= MAX_TIME:
        message = f"{ms} is not a time between {MIN_TIME} and {MAX_TIME} (years 1 to 9999)"
        raise ValueError(message)
    day: i64 = ms // _DAY
    rest: i64 = ms - day * _DAY
    seconds = rest // 1_000
    minutes = seconds // 60
    return f"{_date(day)}T{_TWO[minutes // 60]}:{_TWO[minutes % 60]}:{_TWO[seconds % 60]}.{_THREE[rest % 1_000]}Z"


@lru_cache(1_024)
def _date(day: int) -> str:
    """The date so many days after 1970-01-01."""
    return date.fromordinal(_EPOCH_DAY + day).isoformat()


def _from_text(text: str, zone: TimeZone) -> int | None:
    if _TIME(text) is None:
        return None if text.isascii() or len(text) > _LONGEST_FOREIGN else _from_ascii(_with_ascii_digits(text), zone)
    return _from_ascii(text, zone)


def _with_ascii_digits(text: str) -> str:
    """Digits of every script as those of ASCII, and the decimal separator of Arabic as a point."""
    return "".join(str(unicodedata.decimal(each, "." if each == "\u066b" else each)) for each in text)


def _from_ascii(text: str, zone: TimeZone) -> int | None:
    if _TIME(text) is None:
        return None
    try:
        # Any separator is fine here, but of the zone's letters only Z. Digits after the sixth are cut off.
        moment = datetime.fromisoformat(text[:-1] + "Z" if text[-1] == "z" else text)
    except ValueError:
        return _from_leap_second(text, zone)
    if moment.tzinfo is not None:
        return _milliseconds(moment - _EPOCH)
    local = _milliseconds(moment - _EPOCH_WITHOUT_ZONE)
    return zone.day_start(local // _DAY) if len(text) == _DATE_LENGTH else zone.first_instant(local)


def _from_leap_second(text: str, zone: TimeZone) -> int | None:
    parts = _LEAP_SECOND(text)
    if parts is None:
        return None
    second_before = _from_text(f"{parts[1]}:59{parts[2]}", zone)
    if second_before is None or second_before // 1_000 % 86_400 != _LAST_SECOND_OF_DAY:
        return None
    return second_before + 999


def _milliseconds(since: timedelta) -> int:
    # Days may be negative, seconds and microseconds are not: so this is the floor on both sides of 1970.
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000
