"""How a file writes its numbers and times, where that is not as in JSON and RFC 3339.

All of it is said by whoever reads the file, by options; nothing is found out by itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final, Literal

import orjson

from stream.codec.files.local_time import moment_of, zone_named
from stream.errors import InputFileError

Decimal = Literal["point", "comma"]
Thousands = Literal["point", "comma", "space", "apostrophe"]

ISO: Final = "iso"
"""Instead of a strptime format: RFC 3339 and what is read without any format."""
EXCEL: Final = "excel"
"""Instead of a strptime format: Excel's day numbers, days since 1899-12-30 with a fraction."""

SIGNS: Final[dict[str, str]] = {
    "point": r"\.",
    "comma": ",",
    "space": "[ \u00a0\u202f\u2009]",
    "apostrophe": "['\u2019]",
}
"""Each separator as a regular expression; spaces and apostrophes are written in several ways."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_WHOLE: Final = re.compile(r"-?[0-9]+").fullmatch
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})").fullmatch
_DAY_NUMBER: Final = re.compile(r"([1-9][0-9]{4})(?:[.,]([0-9]+))?").fullmatch
_LOCAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?"
).fullmatch
_MOST_DIGITS: Final = 18
"""No time has more digits, and reading a number takes the longer the more it has."""
_EXCEL_EPOCH: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet has local times
_WORDS: Final = {"true": True, "false": False}
_PROBE: Final = datetime(2001, 2, 3, 16, 5, tzinfo=UTC)
_YEAR: Final = re.compile(r"%[YyCcxGF]").search
_LETTERS: Final = (
    *(("YYYY", "%Y"), ("JJJJ", "%Y"), ("yyyy", "%Y"), ("DD", "%d"), ("TT", "%d"), ("dd", "%d"), ("HH", "%H")),
    *(("hh", "%H"), ("SS", "%S"), ("ss", "%S"), (":MM", ":%M"), (":mm", ":%M"), ("MM", "%m"), ("YY", "%y")),
)
"""How people write formats otherwise, for a message."""


class NotATime(Exception):
    """A cell is no time, with what is wrong and would be right."""


@dataclass(frozen=True)
class Notation:
    """How a file writes numbers and times. Without any argument: as JSON and RFC 3339 do.

    `InputFileError`: a format or zone that cannot be one, or the same sign for decimals and thousands.
    """

    decimal: Decimal | None = None
    """The sign before decimals; None: nobody said, so that only a number of JSON is one."""
    thousands: Thousands | None = None
    currencies: tuple[str, ...] = ()
    """Signs or codes that stand before or behind a number, and are left away."""
    time_formats: tuple[str, ...] = ()
    """Formats of strptime, ISO or EXCEL, of which the first that fits reads a time; empty: ISO."""
    time_zone: str | None = None
    """IANA name of the zone of times that name none; None: UTC."""

    def __post_init__(self) -> None:
        if self.thousands == (self.decimal or "point"):
            raise InputFileError(
                f"a {self.thousands} cannot stand both before decimals and between thousands; "
                f"say --decimal {'comma' if self.thousands == 'point' else 'point'} if that is so"
            )
        for sign in self.currencies:
            if not sign.strip() or re.search(r"[0-9.,+-]", sign):
                raise InputFileError(f"{sign!r} is no currency; right is a sign or a code, such as € or EUR")
        for text in self.time_formats:
            _check_format(text)
        _ = self._zone

    @property
    def plain(self) -> bool:
        """Whether nobody said anything."""
        return self == Notation()

    @cached_property
    def _zone(self) -> tzinfo:
        return UTC if self.time_zone is None else zone_named(self.time_zone)

    @cached_property
    def says_numbers(self) -> bool:
        """Whether somebody said how numbers are written."""
        return bool(self.decimal or self.thousands or self.currencies)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return number_pattern(self.decimal or "point", self.thousands, self.currencies)

    def value(self, text: str) -> object:
        """What a property's text stands for: a number, `true` or `false`, else the text as it is."""
        if not self.says_numbers:
            if _NUMBER(text):
                return _json_number(text)
            return _WORDS.get(text, text)
        match = self._pattern.fullmatch(text)
        if match is None:
            return _WORDS.get(text, text)
        whole = re.sub("[^0-9]", "", match["whole"])
        decimals = f".{match['decimals']}" if match["decimals"] else ""
        signs = [each for each in match.group("first", "sign", "behind", "last", "debt") if each and each != "+"]
        if len(signs) > 1:  # a minus before and behind: nobody knows what is meant
            return text
        minus = "-" if signs else ""
        number = _json_number(f"{minus}{whole}{decimals}{match['power'] or ''}")
        return text if isinstance(number, str) else number

    def time(self, text: str) -> int | str:
        """A time as epoch milliseconds, or as text that the native format may read. `NotATime`: it is none."""
        if not self.time_formats:
            return self._iso(text)
        for each in self.time_formats:
            found = self._formatted(text, each)
            if found is not None:
                return found
        formats = " or ".join(map(repr, self.time_formats))
        raise NotATime(f"the time {text[:40]!r} is not written as --time-format {formats} says")

    def moment(self, local: datetime) -> int | None:
        """Epoch milliseconds of a date and time of a spreadsheet, in the file's zone."""
        return moment_of(local, self._zone)

    def local_text(self, local: datetime) -> str:
        """A date and time of a spreadsheet as a property, with the offset of the file's zone where that was said."""
        if self.time_zone is None:
            return local.isoformat()
        return local.replace(tzinfo=self._zone, fold=0).isoformat()

    def _formatted(self, text: str, form: str) -> int | str | None:
        if form == EXCEL:
            return self._excel(text)
        if form == ISO:
            try:
                return self._iso(text)
            except NotATime:
                return None
        try:
            # White space around is none of the time's, as strptime itself has it inside.
            local = datetime.strptime(text.strip(), form)  # noqa: DTZ007 - the zone is put in by moment_of
        except (ValueError, OverflowError):
            return None
        return moment_of(local, self._zone)

    def _excel(self, text: str) -> int | None:
        match = _DAY_NUMBER(text.strip())
        if match is None:
            return None
        fraction = float(f"0.{match[2] or 0}")
        # Excel keeps some 11 decimals of a day: more than a millisecond, less than a microsecond.
        milliseconds = round(fraction * 86_400_000)
        return self.moment(_EXCEL_EPOCH + timedelta(days=int(match[1]), milliseconds=milliseconds))

    def _iso(self, text: str) -> int | str:
        if text[4:5] == "-" and self.time_zone is None:
            return text  # as nearly all are written, and nothing of what follows
        if _DAY_NUMBER(text):
            raise NotATime(
                f"the time {text!r} looks like a day number of Excel, which --time-format excel reads; "
                "as epoch milliseconds it would be in January 1970"
            )
        value = time_value(text)
        if isinstance(value, int):
            return value
        text = value
        if self.time_zone is not None and _LOCAL(text):
            try:
                moment = self.moment(datetime.fromisoformat(text))
            except ValueError:  # no such day, or a leap second: the native format says which
                return text
            return text if moment is None else moment
        return text


PLAIN: Final = Notation()


def time_value(text: str) -> int | str:
    """What text stands for as a time where nothing was said.

    Digits are epoch milliseconds or, where there are eight of them and such a day exists, that day; all else is text.
    """
    day = _DAY(text)
    if day is not None:
        try:
            return date(int(day[1]), int(day[2]), int(day[3])).isoformat()
        except ValueError:
            return text
    return int(text) if _WHOLE(text) and len(text) <= _MOST_DIGITS else text


def number_pattern(decimal: Decimal, thousands: Thousands | None, currencies: Sequence[str]) -> re.Pattern[str]:
    """The numbers of a notation, with the groups `whole decimals power`, and for a sign `first sign behind last debt`.

    Thousands are groups of three digits (before a comma of two or three, as in India). A minus may stand behind, or be
    a pair of brackets around, as accountants write it. A whole part of several digits does not begin with a zero.
    """
    whole = "(?:0|[1-9][0-9]*)"
    if thousands is not None:
        inner = "{2,3}" if thousands == "comma" else "{3}"
        sign = SIGNS[thousands]
        whole = f"(?:{whole}|[1-9][0-9]{{0,2}}(?:{sign}[0-9]{inner})*{sign}[0-9]{{3}})"
    money = "|".join(re.escape(each) for each in sorted(currencies, key=len, reverse=True))
    money = f"(?:{money})?" if money else ""
    blank = "[ \u00a0\u202f\t]*"
    number = rf"(?P<whole>{whole})(?:{SIGNS[decimal]}(?P<decimals>[0-9]+))?(?P<power>[eE][+-]?[0-9]+)?"
    before = rf"(?:(?P<first>[-+\u2212]){blank}{money}|{money}{blank}(?P<sign>[-+\u2212])?)"
    behind = rf"(?:(?P<behind>[-\u2212]){blank}{money}|{money}{blank}(?P<last>[-\u2212])?)"
    return re.compile(rf"{blank}(?P<debt>\()?{blank}{before}{blank}{number}{blank}{behind}{blank}(?(debt)\)){blank}")


def _json_number(text: str) -> object:
    try:
        # The reader of JSON, so that a number is the same number whichever kind of file it stands in.
        number: object = orjson.loads(text)
    except orjson.JSONDecodeError:  # beyond what a double can hold
        return text
    return number


def _check_format(text: str) -> None:
    if text in (ISO, EXCEL):
        return
    if "%" not in text:
        meant = text
        for letters, directive in _LETTERS:
            meant = meant.replace(letters, directive)
        right = meant if _YEAR(meant) else "%d.%m.%Y %H:%M"
        raise InputFileError(
            f"the time format {text!r} has no % in it; right is a format of strptime, such as {right!r}, or "
            f"{ISO!r} or {EXCEL!r}"
        )
    why = "it names no year"
    if _YEAR(text):
        try:
            read = datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007
        except (ValueError, re.error) as error:
            why = str(error)
        else:
            if read.date() == _PROBE.date():
                return
            why = "it does not say year, month and day"
    raise InputFileError(
        f"the time format {text!r} cannot be used: {why}; right is a format of strptime, such as '%d.%m.%Y %H:%M'"
    )
