"""Reads how often a signal may count: `once` and `at_most`."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from stream.core.calendar_windows import UNITS, OnCalendar
from stream.core.durations import DAY, format_duration
from stream.core.event import ROOTS
from stream.core.language.document import CENTURY, DocumentReader, Entry, kind_of
from stream.core.language.numbers import NumberReader
from stream.core.lifecycle import MemoryKind, Problem
from stream.core.limits import MAX_COOL_DOWN, CoolDown, Limit, OncePerValue, OnGrid
from stream.core.time_zone import TimeZone, Unit

_SO_MANY: Final = re.compile(r"([0-9]+)(?: *(?:per|/|x|times) *([0-9]+[smhdw])?.*)?")
_UNITS_BY_HABIT: Final = {
    "days": "day",
    "daily": "day",
    "weeks": "week",
    "weekly": "week",
    "months": "month",
    "monthly": "month",
}


class ReadLimit(NamedTuple):
    """A limit, in words too, and what it takes of a life."""

    limit: Limit | None = None
    text: str = ""
    window: bool = False
    """It takes a place in `Life.windows`."""
    memory: MemoryKind | None = None
    """It takes a place in `Memory.signals`."""


class LimitReader:
    """Reads the limits of signals; problems and warnings go to the reader."""

    def __init__(self, reader: DocumentReader, numbers: NumberReader, zone: TimeZone, *, zone_named: bool) -> None:
        self.reader = reader
        self.numbers = numbers
        self.zone = zone
        self.zone_named = zone_named

    def read(self, index: int, keys: Mapping[str, Entry], window: int, place: int) -> ReadLimit:
        """The limit of the signal of that index; `window` and `place` are free for what it keeps."""
        once, at_most = keys.get("once"), keys.get("at_most")
        if at_most is None:
            return ReadLimit() if once is None else self._once(index, once, place, item="over" in keys)
        if once is not None and once.value is not False:
            self.reader.problem(at_most, "once and at_most do not go together; keep one")
        return self._at_most(index, at_most, window, place)

    def _once(self, index: int, entry: Entry, place: int, *, item: bool) -> ReadLimit:
        if isinstance(entry.value, bool):
            return ReadLimit(Limit(index), "once") if entry.value else ReadLimit()
        if not isinstance(entry.value, str) or not entry.value.strip().startswith(ROOTS):
            said = "once: is true, a property such as properties.form_id, or left out"
            self.reader.problem(entry, f"{said}, not {kind_of(entry.value)}")
            return ReadLimit()
        path = self.numbers.path(entry, "true or a property such as properties.form_id", item=item)
        if path is None:
            return ReadLimit()
        return ReadLimit(OncePerValue(index, place, path), f"once for each {entry.value}", memory="values")

    def _at_most(self, index: int, entry: Entry, window: int, place: int) -> ReadLimit:
        if match := _SO_MANY.fullmatch(str(entry.value)):
            right = f"{{times: {match[1]}, per: {match[2] or '1d'}}}"
            self.reader.problem(entry, f"at_most: is written {right}, not {kind_of(entry.value)}")
            return ReadLimit()
        keys = self.reader.mapping(entry, ("times", "per", "within"))
        example = "as in at_most: {times: 5, per: 1d}"
        if isinstance(entry.value, Mapping) and len(keys) == len(entry.value):
            if "times" not in keys:
                self.reader.problem(entry, f"times: is missing, {example}")
            if "per" not in keys and "within" not in keys:
                self.reader.problem(entry, f"per: is missing, {example}; or within:, the least time between two")
        if "per" in keys and "within" in keys:
            said = "per: and within: do not go together: per counts in windows, within from one to the next"
            self.reader.problem(keys["within"], said, on_key=True)
        if "within" in keys:
            times = self.reader.whole(keys.get("times"), 1, MAX_COOL_DOWN, default=1)
            within = self.reader.duration(keys["within"], CENTURY) or 1
            text = f"at most {times} within {format_duration(within)}"
            return ReadLimit(CoolDown(index, place, times, within), text, memory="times")
        times = self.reader.whole(keys.get("times"), 1, 1_000_000, default=1)
        per = keys.get("per")
        if per is not None and per.value in UNITS:
            unit = cast("Unit", str(per.value))
            return ReadLimit(OnCalendar(index, window, times, self.zone, unit), f"at most {times} per {unit}", True)
        if per is not None and str(per.value).lower() in _UNITS_BY_HABIT:
            self.reader.problem(per, f"per: {_UNITS_BY_HABIT[str(per.value).lower()]} is one of the calendar")
            return ReadLimit()
        length = self.reader.duration(per, CENTURY) or 1
        if self.zone_named and per is not None and length in (DAY, 7 * DAY):
            unit_name = "day" if length == DAY else "week"
            said = f"{per.value} begins at midnight UTC{'' if length == DAY else ' on a Thursday'}"
            said += f"; per: {unit_name} is one of the calendar in the time_zone"
            self.reader.warnings.append(Problem(per.path, said))
        return ReadLimit(OnGrid(index, window, times, length), f"at most {times} per {format_duration(length)}", True)
