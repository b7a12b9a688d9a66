"""Zones as the tz database compiles them: files of the format TZif (RFC 9636).

Such a file lists the changes of the clocks that have a date, and ends with a rule in the notation of POSIX, such as
`CET-1CEST,M3.5.0,M10.5.0/3`, for all the time after them.
"""

import re
import struct
from typing import Final, NamedTuple

from stream.core.durations import DAY
from stream.core.time_zone import CYCLE, TimeZone, first_day, month_of

_HEADER: Final = struct.Struct(">4sc15x6I")
_CYCLE_YEARS: Final = 400
_DEFAULT_CLOCK: Final = 2 * 3_600_000
_LAST: Final = 5
"""The week of a rule that means the last one of the month."""
_THURSDAY: Final = 4
"""1970-01-01 was one; Sunday is 0."""

_ABBREVIATION: Final = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)"
_CLOCK: Final = r"[+-]?[0-9]{1,3}(?::[0-9]{2}){0,2}"
_DATE: Final = r"M[0-9]{1,2}\.[1-5]\.[0-6]|J?[0-9]{1,3}"
_RULE: Final = re.compile(
    rf"{_ABBREVIATION}(?P<standard>{_CLOCK})"
    rf"(?:{_ABBREVIATION}(?P<summer>{_CLOCK})?"
    rf",(?P<begin>{_DATE})(?:/(?P<begin_clock>{_CLOCK}))?,(?P<end>{_DATE})(?:/(?P<end_clock>{_CLOCK}))?)?"
)


class _Counts(NamedTuple):
    """How many entries of each kind a block of the file has."""

    universal: int
    standard: int
    leap_seconds: int
    changes: int
    types: int
    characters: int


class DamagedZoneError(ValueError):
    """The bytes are no zone that can be read."""


def read_zone(name: str, file: bytes) -> TimeZone:
    """The zone of a file's content. Raises DamagedZoneError for one that is damaged, or older than version 2."""
    try:
        changes, offsets = _dated_changes(file)
        rule = file[: file.rindex(b"\n")].rpartition(b"\n")[2].decode("ascii")
    except (struct.error, ValueError, IndexError) as error:
        raise DamagedZoneError(f"time zone {name}: {error}") from None
    if not rule:
        return TimeZone(name, changes, offsets)
    # Without a dated change the rule is all there is; then it counts from the year 0, before which nothing happens.
    since = changes[-1] if changes else None
    year = 0 if since is None else 1970 + month_of(since // DAY) // 12
    by_rule = _changes_by_rule(name, rule, year)
    for change, offset in by_rule:
        if since is None or change > since:
            changes.append(change)
            offsets.append(offset)
    # Two years after the last dated change the rule has long been alone; so 400 years later all comes again.
    repeats = _first_day_of_year(year + 2) * DAY + CYCLE if by_rule else None
    return TimeZone(name, *_real(changes, offsets), repeats)


def _dated_changes(file: bytes) -> tuple[list[int], list[int]]:
    """The instants of all changes, and the offsets before the first and from each on; of the block of 64-bit times."""
    first = _counts(file, 0)
    # The first block, of 32-bit times, is for readers that know no other.
    start = _HEADER.size + first.changes * 5 + first.types * 6 + first.characters
    start += first.leap_seconds * 8 + first.standard + first.universal
    counts = _counts(file, start)
    start += _HEADER.size
    seconds = struct.unpack_from(f">{counts.changes}q", file, start)
    start += counts.changes * 8
    types = file[start : start + counts.changes]
    start += counts.changes
    known = [struct.unpack_from(">i", file, start + each * 6)[0] * 1_000 for each in range(counts.types)]
    return [each * 1_000 for each in seconds], [known[0], *(known[each] for each in types)]


def _counts(file: bytes, start: int) -> _Counts:
    magic, version, *counts = _HEADER.unpack_from(file, start)
    if magic != b"TZif" or version < b"2":
        raise DamagedZoneError("no TZif file of version 2 or later")
    return _Counts(*counts)


def _real(changes: list[int], offsets: list[int]) -> tuple[list[int], list[int]]:
    """Without the changes that leave the clocks as they are and change a name alone."""
    kept = [each for each in range(len(changes)) if offsets[each] != offsets[each + 1]]
    return [changes[each] for each in kept], [offsets[0], *(offsets[each + 1] for each in kept)]


def _changes_by_rule(name: str, rule: str, year: int) -> list[tuple[int, int]]:
    """The changes that a rule makes from a year on, until they repeat, and the offset from each on, in order."""
    parts = _RULE.fullmatch(rule)
    if parts is None:
        raise DamagedZoneError(f"time zone {name}: {rule!r} is no rule of POSIX")
    if parts["begin"] is None:
        return []
    # POSIX writes what has to be added to local time, we have what has to be added to UTC.
    standard = -_clock(parts["standard"])
    summer = standard + 3_600_000 if parts["summer"] is None else -_clock(parts["summer"])
    by_instant: dict[int, int] = {}
    for each in range(year, year + _CYCLE_YEARS + 4):
        # Where one ends as the other begins, at new year, it is summer all the time: what begins is put later.
        by_instant[_instant(each, parts["end"], parts["end_clock"]) - summer] = standard
        by_instant[_instant(each, parts["begin"], parts["begin_clock"]) - standard] = summer
    return sorted(by_instant.items())


def _instant(year: int, date: str, clock: str | None) -> int:
    """The local time at which the clocks are changed in a year: so long after midnight of that date."""
    return _day(year, date) * DAY + (_DEFAULT_CLOCK if clock is None else _clock(clock))


def _day(year: int, date: str) -> int:
    """The day that a rule means in a year.

    `M3.5.0`: the last Sunday (0) of March, 5 being the last, 1 to 4 one of the others. `J60`: 1 March, also in leap
    years. `60`: 60 days after New Year.
    """
    new_year = _first_day_of_year(year)
    if date[0] == "J":
        is_leap = _first_day_of_year(year + 1) - new_year == 366
        number = int(date[1:])
        return new_year + number - (0 if is_leap and number >= 60 else 1)
    if date[0] != "M":
        return new_year + int(date)
    month, week, weekday = (int(each) for each in date[1:].split("."))
    number = (year - 1970) * 12 + month - 1
    first = first_day(number)
    day = first + (weekday - first - _THURSDAY) % 7 + (week - 1) * 7
    return day - 7 if week == _LAST and day >= first_day(number + 1) else day


def _clock(text: str) -> int:
    """Milliseconds of `-2:30`, which is minus two and a half hours; up to a week."""
    hours, minutes, seconds = (int(each) for each in f"{text.lstrip('+-')}:0:0".split(":")[:3])
    length = (hours * 60 + minutes) * 60_000 + seconds * 1_000
    return -length if text[0] == "-" else length


def _first_day_of_year(year: int) -> int:
    return first_day((year - 1970) * 12)
