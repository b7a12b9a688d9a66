"""Time zones by their names, read from the package `tzdata` and from nowhere else.

Machines have a tz database of their own, each of another age; by the one that is installed with this product all
workers agree. It is read while a lifecycle is loaded, and never when an interaction is applied.
"""

import re
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Final

import tzdata

from stream.core.language.tzif import read_zone
from stream.core.time_zone import UTC_ZONE, TimeZone

_PLACES: Final = {
    **dict.fromkeys(("CET", "CEST", "MET", "MEST", "MEZ", "MESZ"), "Europe/Berlin or Europe/Paris"),
    **dict.fromkeys(("EET", "EEST", "OEZ", "OESZ"), "Europe/Athens or Europe/Helsinki"),
    **dict.fromkeys(("WET", "WEST"), "Europe/Lisbon"),
    **dict.fromkeys(("GMT", "BST"), "Europe/London, or UTC"),
    "MSK": "Europe/Moscow",
    **dict.fromkeys(("EST", "EDT", "ET", "EST5EDT"), "America/New_York or America/Toronto"),
    **dict.fromkeys(("CST", "CDT", "CT", "CST6CDT"), "America/Chicago or Asia/Shanghai"),
    **dict.fromkeys(("MST", "MDT", "MT", "MST7MDT"), "America/Denver or America/Phoenix"),
    **dict.fromkeys(("PST", "PDT", "PT", "PST8PDT"), "America/Los_Angeles or America/Vancouver"),
    **dict.fromkeys(("AST", "ADT"), "America/Halifax or America/Puerto_Rico"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Anchorage"),
    "HST": "Pacific/Honolulu",
    **dict.fromkeys(("BRT", "BRST"), "America/Sao_Paulo"),
    "IST": "Asia/Kolkata, Asia/Jerusalem or Europe/Dublin",
    "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    **dict.fromkeys(("AEST", "AEDT", "AET"), "Australia/Sydney or Australia/Brisbane"),
    "AWST": "Australia/Perth",
    **dict.fromkeys(("NZST", "NZDT"), "Pacific/Auckland"),
}
"""What people write for a clock, of winter alone or of several countries, and the places that they may mean.

The tz database has some of these; there `EST` is an hour wrong in each summer of New York.
"""
_NOWHERE: Final = frozenset({"Factory", "GMT0", "GMT+0", "GMT-0"})
"""Names of the tz database that are no place's either; `Factory` is a clock that nobody has set."""
_OFFSET: Final = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])([0-9]{1,2})(?::?([0-9]{2}))?", re.IGNORECASE)
_WEST, _EAST = 12, 14
"""The hours behind and ahead of UTC for which the tz database has a fixed clock."""
_LONGEST: Final = 60
_LIKE: Final = 0.7
_VERY_LIKE: Final = 0.8
_RIGHT: Final = "a time zone is a continent and a town, as in Europe/Paris or America/New_York, or UTC"


class UnknownTimeZoneError(ValueError):
    """There is no such time zone; the message says which may be meant."""


def database_version() -> str:
    """The edition of the tz database, such as 2025b."""
    return tzdata.IANA_VERSION


@cache
def time_zone(name: str) -> TimeZone:
    """The zone of a name of the tz database, such as `Europe/Paris`, or `UTC`.

    Raises UnknownTimeZoneError for any other, and for those that are an abbreviation or an offset.
    """
    if name == "UTC":
        return UTC_ZONE
    if name not in _names() or name in _PLACES or name in _NOWHERE:
        raise UnknownTimeZoneError(_said_of(name))
    return read_zone(name, resources.files(tzdata).joinpath("zoneinfo", *name.split("/")).read_bytes())


@cache
def _names() -> frozenset[str]:
    """Those of all zones. A name that is none of them never becomes the path of a file."""
    return frozenset(resources.files(tzdata).joinpath("zones").read_text(encoding="ascii").split())


def _said_of(name: str) -> str:
    """What is wrong with a name, and what would be right."""
    stripped = name.strip()
    if places := _PLACES.get(stripped.upper()):
        return f"{name!r} is an abbreviation, not a place whose clock is meant; write the place, as in {places}"
    if offset := _OFFSET.fullmatch(stripped):
        return f"{name!r} is an offset, which knows no summer time; {_RIGHT}{_fixed(*offset.groups())}"
    near = _nearest(stripped)
    meant = f"; did you mean {' or '.join(near)}?" if near else ";"
    return f"no time zone is called {name[:_LONGEST]!r}{meant} {_RIGHT}"


def _fixed(sign: str, hours: str, minutes: str | None) -> str:
    """The zone of an offset in whole hours, whose name has the sign of POSIX."""
    count = int(hours)
    if int(minutes or 0) or not 0 < count <= (_EAST if sign == "+" else _WEST):
        return ""
    ahead, reversed_sign = ("ahead of", "-") if sign == "+" else ("behind", "+")
    return f"; a clock that is always {count} h {ahead} UTC is Etc/GMT{reversed_sign}{count}, its sign reversed"


def _nearest(name: str) -> list[str]:
    """The zones that may be meant, best first, at most three."""
    if len(name) > _LONGEST:  # to compare two takes the square of their lengths
        return []
    wanted = name.lower().replace(" ", "_")
    known = {each.lower(): each for each in sorted(_names() - _PLACES.keys() - _NOWHERE)}
    if wanted in known:
        return [known[wanted]]
    towns: dict[str, list[str]] = {}
    for each in known.values():
        towns.setdefault(each.rpartition("/")[2].lower(), []).append(each)
    town = wanted.rpartition("/")[2]
    if town in towns:
        return towns[town][:3]
    if found := get_close_matches(wanted, known, n=1, cutoff=_LIKE):
        return [known[found[0]]]
    return [each for like in get_close_matches(town, towns, n=1, cutoff=_VERY_LIKE) for each in towns[like][:3]]
