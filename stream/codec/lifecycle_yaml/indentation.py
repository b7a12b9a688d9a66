"""Lines of a lifecycle file that begin in a wrong column: which one, and what it should line up with."""

import re
from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple, TypeGuard

from ruamel.yaml.comments import CommentedMap

from stream.core.language.definition import KEYS, STAGE_KEYS, TRANSITION_KEYS
from stream.core.language.measures import FACT_KEYS, SCORE_KEYS, SIGNAL_KEYS
from stream.core.language.names import nearest

_BODIES: Final = {"scores": SCORE_KEYS, "signals": SIGNAL_KEYS, "facts": FACT_KEYS, "stages": STAGE_KEYS}
"""The keys below each name of a section."""
_KINDS: Final = (KEYS, TRANSITION_KEYS, *_BODIES.values())
_OPENING: Final = ("add", "at_most")
"""Keys below which more keys stand."""
_ENTRY: Final = re.compile(r"(?P<indent> *)(?P<dash>- +)?(?P<key>[^\W\d][\w.-]*(?: [\w.-]+)*):(?P<value>\s.*)?$")
_VERY_LIKE: Final = 0.75


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
        return _lined_up(self.line, f"{self.key}:", self.column, f"{other.key}: of line {other.line + 1}", other.column)


def _lined_up(line: int, what: str, column: int, other: str, right: int) -> Explained:
    said = f"wrong indentation: {what} begins in column {column + 1}; line it up with {other}, in column {right + 1}"
    return Explained(line, column, said)


def indented(number: int, lines: Sequence[str]) -> Explained | None:
    """What is said of the indentation of the line `number`, at which YAML cannot be read further; None if it fits."""
    if lines[number].lstrip().startswith("- "):
        return _dash_indented(number, lines)
    entry, before, after = _entry(number, lines), _beside(number, lines, -1), _beside(number, lines, 1)
    if entry is None or before is None:
        return None
    agree = after is not None and after.dash < 0 and after.column == entry.column
    if -1 < before.dash < entry.column and agree:
        return before.lined_up(entry)  # the two that follow agree
    if before.column == 0 < entry.column and before.key not in KEYS:
        return before.lined_up(entry)
    opener = _beside(before.line, lines, -1)
    is_shallow = opener is not None and not opener.value and (opener.dash, opener.column) == (-1, before.column)
    if is_shallow and entry.column > before.column and _kinds(before.key) & _kinds(entry.key):
        return before.lined_up(entry)
    other = _sibling(entry, lines)
    return entry.lined_up(other) if other else None


def top_indented(lines: Sequence[str]) -> Explained | None:
    """What is said where the first line of a file is indented, and others are not."""
    first = next((entry for number in range(len(lines)) if (entry := _entry(number, lines))), None)
    return _at_the_edge(first.line, first.key, first.column) if first is not None and first.column > 0 else None


def _at_the_edge(line: int, key: str, column: int) -> Explained:
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
            return _lined_up(number, "the -", column, f"the - of line {above + 1}", right) if right != column else None
        if _indent(lines[above]) == column or (other is not None and other.column == 0):
            return None
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _sibling(entry: _Entry, lines: Sequence[str]) -> _Entry | None:
    """Of the lines above that could have a next entry, the one in whose column this one was most likely meant."""
    possible: list[_Entry] = []
    limit = inf
    for number in range(entry.line - 1, -1, -1):
        other = _entry(number, lines)
        if other is None or other.column >= limit:
            continue
        possible.append(other)
        limit = other.dash if other.dash >= 0 else other.column
        if limit == 0:
            break
    if not possible or any(other.column == entry.column for other in possible):
        return None
    kinds = _kinds(entry.key)
    alike = [each for each in possible if (kinds & _kinds(each.key) if kinds else not _kinds(each.key))]
    return min(alike or possible, key=lambda each: abs(each.column - entry.column))


def _kinds(key: str) -> set[int]:
    return {number for number, keys in enumerate(_KINDS) if key in keys}


def misplaced(document: object) -> Explained | None:
    """What is said where YAML can be read, but a line stands beside the one to which it belongs, or below its sibling.

    Only of a document that is no lifecycle: whatever is one means what it says.
    """
    if not _is_block(document):
        return None
    section = ""
    for key in document:
        if key in KEYS:
            section = key
            found = _in_section(document, key)
            if found is not None:
                return found
        elif section in (*_BODIES, "interactions") and not nearest(str(key), KEYS, cutoff=_VERY_LIKE):
            names = document[section]
            if names is None:
                return _belongs(document, key, section)
            if _is_block(names) and names and _fits(section, document[key]):
                return _beside_name(document, key, names, list(names)[-1])
    return None


def _in_section(document: CommentedMap, section: str) -> Explained | None:
    names, keys = document[section], _BODIES.get(section, ())
    if not keys or not _is_block(names):
        return None
    before = None
    for name, body in names.items():
        is_top = name in KEYS and name not in keys and name not in document
        if is_top and (body is not None or name == "stages"):
            return _at_the_edge(*_place(names, name))
        if name in keys and before is not None and not isinstance(body, CommentedMap | None):
            return _belongs(names, name, before)
        if name in _OPENING and name in keys and before is not None and not _fits(section, body):
            return _belongs(names, name, before)
        if _is_block(body) and (found := _in_body(section, names, name)):
            return found
        before = name
    return None


def _in_body(section: str, names: CommentedMap, name: str) -> Explained | None:
    body, keys = names[name], _BODIES[section]
    before = None
    for key, value in body.items():
        if key not in keys and not nearest(str(key), keys, cutoff=_VERY_LIKE):
            if before in _OPENING and body[before] is None:
                return _belongs(body, key, before)
            if isinstance(value, CommentedMap) and _fits(section, value):
                return _beside_name(body, key, names, name)
        before = key
    return None


def _fits(section: str, value: object) -> bool:
    """Whether it may stand after a name of the section."""
    if section == "interactions":
        return isinstance(value, list)
    return isinstance(value, CommentedMap) and all(key in _BODIES[section] for key in value)


def _belongs(mapping: CommentedMap, key: str, before: str) -> Explained:
    line, _key, column = _place(mapping, key)
    beside = f"{before}: of line {_place(mapping, before)[0] + 1}"
    said = f"{key}: begins in column {column + 1}, beside {beside}, to which it belongs; indent it by two more spaces"
    return Explained(line, column, f"wrong indentation: {said}")


def _beside_name(mapping: CommentedMap, key: str, names: CommentedMap, name: str) -> Explained:
    line, _key, column = _place(mapping, key)
    other, _name, right = _place(names, name)
    return _lined_up(line, f"{key}:", column, f"{name}: of line {other + 1}", right)


def _place(mapping: CommentedMap, key: str) -> tuple[int, str, int]:
    line, column = mapping.lc.key(key)
    return line, key, column


def _is_block(value: object) -> TypeGuard[CommentedMap]:
    return isinstance(value, CommentedMap) and not value.fa.flow_style()
