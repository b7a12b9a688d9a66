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

_SO_MANY: Final = re.compile(r"([0-9]+)(?: *(?:per|a|an|/|x|times) *(?:([0-9]+[smhdw])|(?:per )?([a-z]+))?.*)?")
_UNITS_BY_HABIT: Final = {
    **dict.fromkeys(("day", "days", "daily"), "day"),
    **dict.fromkeys(("week", "weeks", "weekly"), "week"),
    **dict.fromkeys(("month", "months", "monthly"), "month"),
    **dict.fromkeys(("hour", "hours", "hourly"), "1h"),
    **dict.fromkeys(("minute", "minutes"), "1m"),
    **dict.fromkeys(("year", "years", "yearly"), "365d"),
}
"""What people write for a window, and what is right."""


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
            per = match[2] or _UNITS_BY_HABIT.get(match[3] or "", "1d")
            right = f"{{times: {match[1]}, per: {per}}}"
            self.reader.problem(entry, f"at_most: is written {right}, not {kind_of(entry.value)}")
            return ReadLimit()
        keys = self.reader.mapping(entry, ("times", "per", "within"))
        example = f"as in at_most: {{times: {'1, within: 1h' if 'within' in keys else '5, per: 1d'}}}"
        if isinstance(entry.value, Mapping) and len(keys) == len(entry.value):
            if "times" not in keys:
                self.reader.problem(entry, f"times: is missing, {example}")
            if "per" not in keys and "within" not in keys:
                self.reader.problem(entry, f"per: is missing, {example}; or within:, the least time between two")
        if "per" in keys and "within" in keys:
            said = "per: counts in windows of time, within: is the least time between two; keep one"
            self.reader.problem(keys["within"], said, on_key=True)
        if "within" in keys:
            return self._cool_down(index, keys, place)
        return self._in_windows(index, keys, window)

    def _cool_down(self, index: int, keys: Mapping[str, Entry], place: int) -> ReadLimit:
        times = self.reader.whole(keys.get("times"), 1, MAX_COOL_DOWN, default=1)
        if keys["within"].value in UNITS:
            said = f"within: is a length of time, such as 24h; windows of the calendar are per: {keys['within'].value}"
            self.reader.problem(keys["within"], said)
            return ReadLimit()
        within = self.reader.duration(keys["within"], CENTURY) or 1
        text = f"at most {times} within {format_duration(within)}"
        return ReadLimit(CoolDown(index, place, times, within), text, memory="times")

    def _in_windows(self, index: int, keys: Mapping[str, Entry], window: int) -> ReadLimit:
        times = self.reader.whole(keys.get("times"), 1, 1_000_000, default=1)
        per = keys.get("per")
        if per is not None and per.value in UNITS:
            unit = cast("Unit", str(per.value))
            return ReadLimit(OnCalendar(index, window, times, self.zone, unit), f"at most {times} per {unit}", True)
        if per is not None and (right := _UNITS_BY_HABIT.get(str(per.value).lower())):
            said = f"per: is day, week, month or a length of time such as 12h; write {right}"
            self.reader.problem(per, said)
            return ReadLimit()
        length = self.reader.duration(per, CENTURY) or 1
        if self.zone_named and per is not None and length in (DAY, 7 * DAY):
            right, begins = ("day", "at") if length == DAY else ("week", "on Thursdays at")
            said = f"{per.value} begins {begins} midnight UTC, whatever the time_zone"
            said += f"; write {right} for one of its calendar"
            self.reader.warnings.append(Problem(per.path, said))
        return ReadLimit(OnGrid(index, window, times, length), f"at most {times} per {format_duration(length)}", True)
