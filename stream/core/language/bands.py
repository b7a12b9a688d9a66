"""Reads the bands of a definition, and takes comparisons of them apart into comparisons of scores (rule 28)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import pairwise, product
from typing import Final

from stream.core.bands import Band, BandPart
from stream.core.expressions import (
    And,
    Call,
    Comparison,
    ConditionError,
    Literal,
    Name,
    Node,
    Not,
    Operand,
    Or,
    Written,
)
from stream.core.language.document import DocumentReader, Entry
from stream.core.language.names import unknown
from stream.core.scoring import Score

MOST_NAMES: Final = 64
"""Texts that one band may have."""
_EXAMPLE: Final = "grade: {fit: {A: 30, B: 10, C: }, engagement: {1: 50, 2: }}"
_OPERATORS: Final = ("==", "!=", "in", "starts", "ends", "contains")


def read_bands(
    reader: DocumentReader, given: Mapping[str, Entry], scores: Mapping[str, Score], broken: Collection[str]
) -> dict[str, Band]:
    """The bands by name, but for those that are not right; problems go to the reader.

    `broken` has scores that are there but could not be read.
    """
    bands: dict[str, Band] = {}
    for name, entry in given.items():
        before = len(reader.problems)
        parts: list[BandPart] = []
        if not isinstance(entry.value, Mapping) or not entry.value:
            reader.problem(entry, f"a band has the ranges of a score or of several, as in {_EXAMPLE}")
            continue
        for score, ranges in reader.mapping(entry).items():
            if score in broken:
                parts.clear()
                break
            if score not in scores:
                reader.problem(ranges, unknown(score, list(scores), "score"), on_key=True)
            elif (part := _part(reader, ranges, scores[score])) is not None:
                parts.append(part)
        band = Band(name, tuple(parts))
        names = names_of(band)
        if not parts or len(reader.problems) > before:
            continue
        if len(names) > MOST_NAMES:
            reader.problem(entry, f"a band has at most {MOST_NAMES} names, this one {len(names)}")
        elif len(set(names)) < len(names):
            twice = next(each for each in names if names.count(each) > 1)
            reader.problem(entry, f"{twice!r} would be the name of two ranges; choose names that tell them apart")
        else:
            bands[name] = band
    return bands


def _part(reader: DocumentReader, entry: Entry, score: Score) -> BandPart | None:
    if not isinstance(entry.value, Mapping) or not entry.value:
        said = "ranges are names and the score from which on they hold, highest first, as in {A: 30, B: 10, C: }"
        reader.problem(entry, said)
        return None
    names: list[str] = []
    least: list[float | None] = []
    for key, value in entry.value.items():
        child = Entry((*entry.path, key), value)
        if isinstance(key, bool) or not isinstance(key, str | int):
            reader.problem(child, "a range's name is a text or a whole number", on_key=True)
        names.append(str(key))
        number = None if value is None else reader.number(child)
        if number is None and value is not None:
            return None
        least.append(number)
    if None in least[:-1]:
        reader.problem(entry, "only the last range may be without a number: it is whatever is below the others")
        return None
    numbers = [each for each in least if each is not None]
    for before, after in pairwise(numbers):
        if before <= after:
            said = f"ranges stand from the highest to the lowest, and {after:g} is not below {before:g}"
            reader.problem(entry, said)
            return None
    return BandPart(score, tuple(names), tuple(least))


def names_of(band: Band) -> list[str]:
    """All texts that a band may be."""
    return ["".join(each) for each in product(*(part.names for part in band.parts))]


def without_bands(node: Node, bands: Mapping[str, Band]) -> Node:
    """A condition with comparisons of scores in place of those of bands. Raises ConditionError."""
    if isinstance(node, Not):
        if isinstance(node.part, Comparison) and (opposite := _comparison(node.part, bands, negated=True)) is not None:
            return opposite
        return Not(without_bands(node.part, bands))
    if isinstance(node, And):
        return And(tuple(without_bands(part, bands) for part in node.parts))
    if isinstance(node, Or):
        return Or(tuple(without_bands(part, bands) for part in node.parts))
    for operand in (node.left, node.right) if isinstance(node, Comparison) else (node.operand,):
        _check_function(operand, bands)
    if isinstance(node, Comparison):
        return _comparison(node, bands, negated=False) or node
    if isinstance(node.operand, Name) and node.operand.path[0] in bands:
        name = node.operand.path[0]
        raise ConditionError(f'{name} is a text; compare it, as in {name} == "{_first(bands[name])}"', node.offset)
    return node


def _check_function(operand: Operand, bands: Mapping[str, Band]) -> None:
    if isinstance(operand, Call) and (band := bands.get(operand.name.path[0])) is not None:
        said = f"{operand}: a band is compared as it is, as in {band.name}"
        raise ConditionError(f'{said} == "{_first(band)}"', operand.offset)


def _comparison(node: Comparison, bands: Mapping[str, Band], *, negated: bool) -> Node | None:
    """None where it is of no band, or negated and of one that may not exist: `not` holds for that, too."""
    left, right = node.left, node.right
    if isinstance(right, Name) and right.path[0] in bands and node.operator in ("==", "!="):
        left, right = right, left
    if not isinstance(left, Name) or left.path[0] not in bands:
        return None
    band = bands[left.path[0]]
    if negated and any(part.least[-1] is not None for part in band.parts):
        return None
    if node.operator not in _OPERATORS or not isinstance(right, Literal):
        how = "by == or !=, by `in` with a list of them, or by starts, ends or contains"
        example = f'{band.name} starts "{band.parts[0].names[0]}"'
        raise ConditionError(f"{band.name} compares with a text {how}, as in {example}", node.offset)
    texts = _texts(band, node.operator, right)
    written = replace(node.written, band=node, opposite=negated)
    found = _ranges(band.parts, lambda name: _holds(node.operator, name, texts) != negated, "", node.offset, written)
    if found is None:
        raise ConditionError(f"no range of {band.name} is like that; it has {', '.join(names_of(band))}", right.offset)
    if isinstance(found, bool):
        raise ConditionError(f"every range of {band.name} is like that: the answer never changes", right.offset)
    return found


def _first(band: Band) -> str:
    return names_of(band)[0]


def _texts(band: Band, operator: str, literal: Literal) -> list[str]:
    values = literal.value if isinstance(literal.value, tuple) else (literal,)
    texts: list[str] = []
    for each in values:
        if not isinstance(each.value, str):
            raise ConditionError(f'{band.name} is a text such as "{_first(band)}"', each.offset)
        if operator in ("==", "!=", "in") and each.value not in names_of(band):
            raise ConditionError(unknown(each.value, names_of(band), f"range of {band.name}"), each.offset)
        texts.append(each.value)
    return texts


def _holds(operator: str, name: str, texts: list[str]) -> bool:
    if operator == "starts":
        return name.startswith(texts[0])
    if operator == "ends":
        return name.endswith(texts[0])
    if operator == "contains":
        return texts[0] in name
    return (name in texts) != (operator == "!=")


def _ranges(
    parts: tuple[BandPart, ...], holds: Callable[[str], bool], before: str, offset: int, written: Written
) -> Node | bool | None:
    """The comparisons that hold where a band has a name that is wanted; True for all of them, None for none.

    Ranges of the first part that ask the same of the others are taken together.
    """
    if not parts:
        return True if holds(before) else None
    part = parts[0]
    groups: list[tuple[int, int, Node | bool | None]] = []
    for place, name in enumerate(part.names):
        rest = _ranges(parts[1:], holds, before + name, offset, written)
        if groups and groups[-1][2] == rest:
            groups[-1] = (groups[-1][0], place, rest)
        else:
            groups.append((place, place, rest))
    ways: list[Node] = []
    for first, last, rest in groups:
        if rest is None:
            continue
        bounds = _between(part, first, last, offset, written) + ([] if isinstance(rest, bool) else [rest])
        if not bounds:
            return True
        ways.append(bounds[0] if len(bounds) == 1 else And(tuple(bounds)))
    return None if not ways else ways[0] if len(ways) == 1 else Or(tuple(ways))


def _between(part: BandPart, first: int, last: int, offset: int, written: Written) -> list[Node]:
    """That a score is in one of neighbouring ranges."""
    name = Name((part.score.name,), offset)
    least, above = part.least[last], part.least[first - 1] if first else None
    bounds: list[Node] = []
    if least is not None:
        bounds.append(Comparison(name, ">=", Literal(least, offset), offset, written))
    if above is not None:
        bounds.append(Comparison(name, "<", Literal(above, offset), offset, written))
    return bounds
