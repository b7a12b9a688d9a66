"""Local times of a zone as moments: epoch milliseconds.

A local time that comes twice is its first, one that the change of the clocks leaves out is taken with the offset before
the change. A bare date is the first instant of that local day.
"""

import difflib
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from stream.errors import InputFileError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def zone_named(name: str) -> ZoneInfo:
    """The zone of an IANA name, such as Europe/Berlin. `InputFileError`, with the nearest name, where there is none."""
    known = available_timezones()
    if name in known:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the database, or a damaged file
            pass
    names = {each.lower(): each for each in known}
    town = {each.rpartition("/")[2]: each for each in sorted(names)}
    lower = name.lower().replace(" ", "_")
    near = [names[each] for each in difflib.get_close_matches(lower, names, n=1, cutoff=0.7)]
    near = near or [names[town[each]] for each in difflib.get_close_matches(lower, town, n=1, cutoff=0.8)]
    meant = f"; did you mean {near[0]}?" if near else ""
    raise InputFileError(f"no time zone is called {name!r}{meant} Right is an IANA name, such as Europe/Berlin or UTC")


def moment_of(local: datetime, zone: tzinfo) -> int | None:
    """Epoch milliseconds of a time, finer ones cut off towards the past; None where it lies outside years 1 to 9999.

    A time with a zone of its own is that moment, whatever the `zone`.
    """
    if local.tzinfo is None:
        # fold=0 is exactly the rule above: the first of two, and before the change where there is none (PEP 495).
        local = local.replace(tzinfo=zone, fold=0)
    try:
        return (local - _EPOCH) // _MILLISECOND
    except OverflowError:
        return None
