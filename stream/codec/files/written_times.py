"""Texts that look like times of another notation, and the formats of strptime that read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stream.codec.files.notation import EXCEL

_LONGEST: Final = 60
_MOST_SHAPES: Final = 20
"""Kinds of times that are told apart in one column; free text has as many as rows."""
_MONTHS: Final = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DATE: Final = re.compile(
    r"(?P<one>[0-9]{1,2})(?P<sign>[./-])(?P<two>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
    r"|[0-9]{4}(?P<between>[./-])[0-9]{1,2}(?P=between)[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}(?P<gap>[ -]|\. )(?P<month>[A-Za-z]{3,9})(?P<gap2>[ -]|, )(?P<year2>[0-9]{4}|[0-9]{2})(?![0-9])"
    r"|(?P<month3>[A-Za-z]{3,9}) [0-9]{1,2}(?P<gap3>,? )[0-9]{4}(?![0-9])"
)
_TIME: Final = re.compile(
    r"(?P<gap>,? +|T| - )[0-9]{1,2}(?P<minutes>:[0-9]{2})(?P<seconds>:[0-9]{2})?(?P<fraction>[.,][0-9]{1,6})?"
    r"(?P<noon> ?[AaPp][Mm])?(?:(?P<blank> ?)(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2}|UTC|GMT))?"
)
_EXCEL: Final = re.compile(r"[2-7][0-9]{4}(?:[.,][0-9]+)?").fullmatch
_READABLE: Final = (("%d", "DD"), ("%m", "MM"), ("%Y", "YYYY"), ("%y", "YY"), ("%H", "HH"), ("%I", "hh"), ("%M", "MM"))
_MORE_READABLE: Final = (
    ("%S", "SS"),
    ("%f", "ffffff"),
    ("%p", "AM/PM"),
    ("%z", "offset"),
    ("%b", "Mon"),
    ("%B", "Month"),
)


@dataclass(slots=True)
class Shape:
    """Times that are written alike."""

    template: str
    """The format, with `{one}` and `{two}` for day and month where their order is open."""
    count: int = 0
    day_first: int = 0
    month_first: int = 0

    @property
    def open(self) -> bool:
        """Whether a day and a month stand in it of which it is not said which comes first."""
        return "{one}" in self.template


@dataclass(slots=True)
class TimeColumn:
    """What stands in one column that is read as a time."""

    name: str
    unread: int = 0
    """Those that look like times, and could not be read."""
    first: tuple[str, str] | None = None
    """The first of these, and where it stands."""
    shapes: dict[str, Shape] = field(default_factory=dict)

    def text(self, cell: str, file: str, line: int) -> None:
        """Note a cell that could not be read, and where it stands."""
        template = _template(cell.strip())
        if template is None:
            return
        shape = self.shapes.get(template)
        if shape is None:
            if len(self.shapes) == _MOST_SHAPES:
                return
            shape = Shape(template)
        day_first = template == EXCEL or _reads(template.format(one="%d", two="%m"), cell)
        month_first = shape.open and _reads(template.format(one="%m", two="%d"), cell)
        if not (day_first or month_first):
            return
        self.shapes[template] = shape
        shape.count += 1
        shape.day_first += day_first
        shape.month_first += month_first
        self.unread += 1
        if self.first is None:
            self.first = cell, f"{file}:{line}"

    def formats(self) -> Iterator[tuple[str, ...]]:
        """The formats that read what could not be read; twice where day and month may stand in either order."""
        found = list(self.shapes.values())
        both = [each for each in found if each.open and each.day_first == each.month_first == each.count]
        day_first = [each for each in found if each.open and each.day_first > each.month_first]
        month_first = [each for each in found if each.open and each.month_first > each.day_first]
        # What one kind of times says decides for the others; points are between day and month, in this order.
        if month_first and not day_first:
            orders = [("%m", "%d")]
        elif day_first or not both or all("." in each.template[:6] for each in both):
            orders = [("%d", "%m")]
        else:
            orders = [("%d", "%m"), ("%m", "%d")]
        for one, two in orders:
            yield tuple(each.template.format(one=one, two=two) for each in found)


def readable(form: str) -> str:
    """A format as people write it: DD.MM.YYYY HH:MM."""
    if form == EXCEL:
        return "day numbers of Excel"
    for directive, letters in (*_READABLE, *_MORE_READABLE):
        form = form.replace(directive, letters)
    return form


def needs_zone(form: str) -> bool:
    """Whether times of this format are local ones, whose zone has to be said."""
    return "%z" not in form and "UTC" not in form and "GMT" not in form


def _template(cell: str) -> str | None:
    if len(cell) > _LONGEST:
        return None
    if _EXCEL(cell):
        return EXCEL
    match = _DATE.match(cell)
    if match is None:
        return None
    date = _date_template(match)
    rest = cell[match.end() :]
    if date is None or not rest:
        return date
    clock = _TIME.fullmatch(rest)
    return None if clock is None else date + _clock_template(clock)


def _date_template(match: re.Match[str]) -> str | None:
    if sign := match["sign"]:
        return "{one}" + sign + "{two}" + sign + ("%Y" if len(match["year"]) == 4 else "%y")
    if between := match["between"]:
        return f"%Y{between}%m{between}%d"
    month = match["month"] or match["month3"]
    if month[:3].lower() not in _MONTHS:
        return None
    name = "%b" if len(month) == 3 else "%B"
    if match["month3"]:
        return f"{name} %d{match['gap3']}%Y"
    return f"%d{match['gap']}{name}{match['gap2']}{'%Y' if len(match['year2']) == 4 else '%y'}"


def _clock_template(match: re.Match[str]) -> str:
    noon = match["noon"] or ""
    text = re.sub(" +", " ", match["gap"]) + ("%I" if noon else "%H") + ":%M"
    if match["seconds"]:
        text += ":%S"
    if match["fraction"]:
        text += match["fraction"][0] + "%f"
    text += noon[:-2] + "%p" if noon else ""
    if zone := match["zone"]:
        text += match["blank"] + (zone if zone in ("UTC", "GMT") else "%z")
    return text


def _reads(form: str, cell: str) -> bool:
    try:
        datetime.strptime(cell.strip(), form)  # noqa: DTZ007 - only whether it can be read
    except (ValueError, OverflowError):
        return False
    return True
