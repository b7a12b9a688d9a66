"""Lines of a lifecycle file that begin in a wrong column: which one, and what it should line up with."""

import re
from collections.abc import Iterator, Sequence
from math import inf
from typing import Final, NamedTuple

from stream.core.language.definition import KEYS, STAGE_KEYS
from stream.core.language.facts import FACT_KEYS
from stream.core.language.ledgers import LEDGER_KEYS
from stream.core.language.measures import SCORE_KEYS
from stream.core.language.signals import SIGNAL_KEYS
from stream.core.language.transitions import TRANSITION_KEYS

BODIES: Final = {
    "ledgers": LEDGER_KEYS,
    "scores": SCORE_KEYS,
    "signals": SIGNAL_KEYS,
    "facts": FACT_KEYS,
    "stages": STAGE_KEYS,
}
"""The keys below each name of a section."""
_KINDS: Final = (set(KEYS) - {"title"}, TRANSITION_KEYS, *BODIES.values())
_ENTRY: Final = re.compile(r"(?P<indent> *)(?P<dash>- +)?(?P<key>[^\W\d][\w.-]*(?: [\w.-]+)*):(?P<value>\s.*)?$")


class Explained(NamedTuple):
    """What is wrong, and where; line and column from 0."""

    line: int
    column: int
    message: str


class _Entry(NamedTuple):
    """A line that begins with a key, after a dash or without one; line and columns from 0."""

    line: int
    dash: int
    """The column of the dash; -1 where there is none."""
    column: int
    key: str
    value: str

    def lined_up(self, other: "_Entry") -> Explained:
        """What is said where this one does not begin in the column of `other`."""
        return lined_up(self.line, f"{self.key}:", self.column, f"{other.key}: of line {other.line + 1}", other.column)


def lined_up(line: int, what: str, column: int, other: str, right: int) -> Explained:
    """What is said where something begins in another column than what it belongs beside."""
    said = f"wrong indentation: {what} begins in column {column + 1}; line it up with {other}, in column {right + 1}"
    return Explained(line, column, said)


def indented(number: int, lines: Sequence[str]) -> Explained | None:
    """What is said of the indentation of the line `number`, at which YAML cannot be read further; None if it fits."""
    before = _beside(number, lines, -1)
    entry = _entry(number, lines)
    if before is not None and (entry is None or entry.key not in KEYS) and (said := _above(before, lines)):
        return said
    if lines[number].lstrip().startswith("- "):
        return _dash_indented(number, lines)
    if entry is None or before is None:
        return None
    if said := _first(before, entry, lines):
        return said
    opener = _beside(before.line, lines, -1)
    is_shallow = opener is not None and not opener.value and (opener.dash, opener.column) == (-1, before.column)
    if is_shallow and entry.column > before.column and _kinds(before.key) & _kinds(entry.key):
        return before.lined_up(entry)
    if before.column == 0 < entry.column and before.key not in KEYS:
        return before.lined_up(entry)
    other = _sibling(entry, lines)
    return entry.lined_up(other) if other else None


def _above(before: _Entry, lines: Sequence[str]) -> Explained | None:
    """Of the line above, where that one is at the edge and belongs to what stands there before it."""
    is_top = before.key in KEYS and before.key != "title"
    if before.dash >= 0 or before.column or not before.value or is_top or not _kinds(before.key):
        return None
    other = _sibling(before, lines, beyond=0)
    return before.lined_up(other) if other else None


def _first(before: _Entry, entry: _Entry, lines: Sequence[str]) -> Explained | None:
    """Of the first line of a list's entry or of a mapping, where what follows begins in one other column."""
    below = _dash_below(before.line, lines) if before.dash >= 0 else None
    if below is not None and below.dash != before.dash and below.column == entry.column:
        return _dash_lined_up(before.line, before.dash, below.line, below.dash)
    after = next((each for each in _entries_below(entry.line, lines) if each.column <= entry.column), None)
    opener = _beside(before.line, lines, -1)
    is_first = before.dash < entry.column if before.dash >= 0 else opener is not None and opener.column < entry.column
    if after is None or (not entry.value and after == _beside(entry.line, lines, 1)):
        return None  # the next line is a part of this one
    if is_first and after.dash < 0 and after.column == entry.column != before.column:
        return before.lined_up(entry)
    return None


def top_indented(lines: Sequence[str]) -> Explained | None:
    """What is said where the first line of a file is indented, and others are not."""
    first = next((entry for number in range(len(lines)) if (entry := _entry(number, lines))), None)
    return at_the_edge(first.line, first.key, first.column) if first is not None and first.column > 0 else None


def at_the_edge(line: int, key: str, column: int) -> Explained:
    """What is said of a key of the top that is indented."""
    said = f"wrong indentation: {key}: begins in column {column + 1}; the keys of a file begin in column 1"
    return Explained(line, column, said)


def _entry(number: int, lines: Sequence[str]) -> _Entry | None:
    match = _ENTRY.match(lines[number])
    if match is None:
        return None
    indent = len(match["indent"])
    value = (match["value"] or "").strip()
    dash = indent if match["dash"] else -1
    return _Entry(number, dash, match.start("key"), match["key"], "" if value.startswith("#") else value)


def _beside(number: int, lines: Sequence[str], step: int) -> _Entry | None:
    """The next line above or below that is neither empty nor a comment."""
    number += step
    while 0 <= number < len(lines):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return _entry(number, lines)
        number += step
    return None


def _dash_indented(number: int, lines: Sequence[str]) -> Explained | None:
    """What is said of an entry of a list where the one before it begins in another column; None without such a one."""
    column = _indent(lines[number])
    for above in range(number - 1, -1, -1):
        other = _entry(above, lines)
        if lines[above].lstrip().startswith("- "):
            right = _indent(lines[above])
            return _dash_lined_up(number, column, above, right) if right != column else None
        if other is not None and other.column == 0:
            return None
    return None


def _dash_lined_up(line: int, column: int, other: int, right: int) -> Explained:
    return lined_up(line, "the -", column, f"the - of line {other + 1}", right)


def _entries_below(number: int, lines: Sequence[str]) -> Iterator[_Entry]:
    return (entry for below in range(number + 1, len(lines)) if (entry := _entry(below, lines)))


def _dash_below(number: int, lines: Sequence[str]) -> _Entry | None:
    """The next entry of a list in the same section."""
    for entry in _entries_below(number, lines):
        if entry.dash >= 0:
            return entry
        if entry.column == 0:
            return None
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _sibling(entry: _Entry, lines: Sequence[str], beyond: int = -1) -> _Entry | None:
    """Of the lines above that could have a next entry, the one in whose column this one was most likely meant.

    Only those in a column `beyond` that are looked at.
    """
    possible: list[_Entry] = []
    limit = inf
    for number in range(entry.line - 1, -1, -1):
        other = _entry(number, lines)
        if other is None or other.column >= limit:
            continue
        if other.column > beyond:
            possible.append(other)
        limit = other.dash if other.dash >= 0 else other.column
        if limit == 0:
            break
    kinds = _kinds(entry.key)
    alike = [each for each in possible if (kinds & _kinds(each.key) if kinds else not _kinds(each.key))]
    likely = alike or possible
    if not likely or any(other.column == entry.column for other in likely):
        return None
    return min(likely, key=lambda each: abs(each.column - entry.column))


def _kinds(key: str) -> set[int]:
    return {number for number, keys in enumerate(_KINDS) if key in keys}
