"""Keys that YAML can read but that stand beside what they belong to, or below what they stand beside."""

from typing import Final, NamedTuple, TypeGuard

from ruamel.yaml.comments import CommentedMap

from stream.codec.lifecycle_yaml.indentation import BODIES, Explained, at_the_edge, lined_up
from stream.core.language.definition import KEYS
from stream.core.language.names import nearest
from stream.core.language.transitions import TRANSITION_KEYS

_OPENING: Final = ("add", "at_most")
"""Keys below which more keys stand."""
_UNMISTAKABLE: Final = frozenset(KEYS) - {"title", "version"}
"""Keys of the top that have no meaning elsewhere."""
_VERY_LIKE: Final = 0.75
"""So much alike that a key is misspelt, not misplaced."""


class _Key(NamedTuple):
    """A key and the mapping that it is in."""

    mapping: CommentedMap
    name: str

    @property
    def value(self) -> object:
        return self.mapping[self.name]

    @property
    def place(self) -> tuple[int, int]:
        """Line and column, from 0."""
        line, column = self.mapping.lc.key(self.name)
        return line, column

    def beside(self, other: "_Key") -> Explained:
        line, column = self.place
        above, right = other.place
        return lined_up(line, f"{self.name}:", column, f"{other.name}: of line {above + 1}", right)

    def below(self, other: "_Key") -> Explained:
        """What is said where this one is a part of `other`, which may have none yet."""
        if _is_block(other.value) and (last := _last(other.value)):
            return self.beside(last)
        line, column = self.place
        above, left = other.place
        said = f"begins in column {column + 1}; it belongs to {other.name}: of line {above + 1}"
        return Explained(line, column, f"wrong indentation: {self.name}: {said}, so begin it in column {left + 3}")


def misplaced(document: object) -> Explained | None:
    """What is said of the first key that is indented wrongly; None where none is.

    Only of a document that is no lifecycle: whatever is one means what it says.
    """
    if not _is_block(document):
        return None
    section: _Key | None = None
    for key in _keys(document):
        if key.name in KEYS:
            section = key
            found = _in_section(document, key)
        else:
            found = _at_the_top(key, section)
        if found:
            return found
    return None


def _at_the_top(key: _Key, section: _Key | None) -> Explained | None:
    """Of a key that is none of the top, behind a section of the file."""
    if section is None or nearest(key.name, KEYS, cutoff=_VERY_LIKE):
        return None
    if section.name == "transitions" and isinstance(section.value, list) and section.value:
        last = _last(section.value[-1]) if _is_block(section.value[-1]) else None
        return key.beside(last) if key.name in TRANSITION_KEYS and last else None
    if section.name not in (*BODIES, "interactions"):
        return None
    if section.value is None:
        return key.below(section)
    name = _last(section.value) if _is_block(section.value) else None
    if name is None:
        return None
    if _fits(section.name, key.value):
        return key.beside(name)
    return key.below(name) if key.name in BODIES.get(section.name, ()) else _below_opening(key, name)


def _below_opening(key: _Key, name: _Key) -> Explained | None:
    """Of a key that was meant to stand below `add:` or `at_most:`, which ends the body of a name."""
    last = _last(name.value) if _is_block(name.value) else None
    return key.below(last) if last is not None and last.name in _OPENING and last.value is None else None


def _in_section(document: CommentedMap, section: _Key) -> Explained | None:
    keys = BODIES.get(section.name, ())
    if section.name not in (*BODIES, "interactions") or not _is_block(section.value):
        return None
    before: _Key | None = None
    for name in _keys(section.value):
        found = _top_key(document, name, keys)
        if not found and before is not None and not _fits(section.name, name.value):
            if name.name in keys and (name.value is not None or name.name in _OPENING):
                found = name.below(before)
            elif name.value is not None:
                found = _below_opening(name, before)
        if not found and _is_block(name.value):
            found = _in_body(document, section.name, name)
        if found:
            return found
        before = name
    return None


def _in_body(document: CommentedMap, section: str, name: _Key) -> Explained | None:
    keys = BODIES.get(section, ())
    before: _Key | None = None
    for key in _keys(name.value):
        if key.name not in keys and not nearest(key.name, keys, cutoff=_VERY_LIKE):
            found = _top_key(document, key, keys)
            if not found and before is not None and before.name in _OPENING and before.value is None:
                found = key.below(before)
            if not found and isinstance(key.value, CommentedMap) and _fits(section, key.value):
                found = key.beside(name)
            if found:
                return found
        before = key
    return None


def _top_key(document: CommentedMap, key: _Key, keys: tuple[str, ...]) -> Explained | None:
    """Of a key of the top that is missing there."""
    if key.name not in _UNMISTAKABLE or key.name in keys or key.name in document:
        return None
    line, column = key.place
    return at_the_edge(line, key.name, column)


def _fits(section: str, value: object) -> bool:
    """Whether it may stand after a name of the section."""
    if section == "interactions":
        return isinstance(value, list)
    return isinstance(value, CommentedMap) and all(key in BODIES[section] for key in value)


def _keys(mapping: object) -> list[_Key]:
    """Those that are texts and stand there themselves: of others is said what they are."""
    if not isinstance(mapping, CommentedMap):
        return []
    places = mapping.lc.data or {}
    return [_Key(mapping, key) for key in mapping if isinstance(key, str) and key in places]


def _last(mapping: CommentedMap) -> _Key | None:
    return next(reversed(_keys(mapping)), None)


def _is_block(value: object) -> TypeGuard[CommentedMap]:
    return isinstance(value, CommentedMap) and not value.fa.flow_style()
