"""Which segments of a fact are told apart, and in which order."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from stream.codec.state.figures import NO_VALUE, OTHER
from stream.web.figures.sums import ALL

MOST: Final = 200
LEAST: Final = 20
"""So many are told apart, however many figures and periods there are."""
_NUMBERS: Final = 200_000
"""Fewer segments are, where an answer would have more numbers."""
_KINDS: Final = {ALL: "all", NO_VALUE: "none", OTHER: "other"}


class Chosen(NamedTuple):
    """The segments that are told apart."""

    shown: tuple[str, ...]
    """As cells have them, the largest first."""
    all: int
    """How many there are."""


def choose(ranks: Mapping[str, int], numbers: int) -> Chosen:
    """The largest segments, where each has so many numbers."""
    most = max(LEAST, min(MOST, _NUMBERS // max(1, numbers)))
    ordered = sorted(ranks, key=lambda segment: (-ranks[segment], segment))
    return Chosen(tuple(ordered[:most]), len(ordered))


def kind_of(segment: str) -> str:
    """What a segment is: `all`, `value`, `none` (no value of the fact yet) or `other` (too many values)."""
    return _KINDS.get(segment, "value")


def value_of(segment: str) -> str | None:
    """The value of the fact; None where the segment is of everybody, of nobody's value, or of several."""
    return segment[1:] if segment[:1] == "=" else None
