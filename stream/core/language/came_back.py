"""Conditions on an interaction that has ended, by the same interaction, the length of time that they ask for."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from stream.core.durations import format_duration
from stream.core.expressions import EVENT_ROOTS, Call, Comparison, Duration, Literal, Name, Node
from stream.core.language.conditions import names_in
from stream.core.language.contradictions import OPPOSITE, Case, cases
from stream.core.language.parser import texts_of
from stream.core.lifecycle import Counted
from stream.core.operators import MIRRORED

_GROWN: Final = (">", ">=")


class Heard(NamedTuple):
    """What interactions do in a lifecycle."""

    words: Mapping[str, str]
    passive: frozenset[str]
    counted: Mapping[str | None, Sequence[Counted]]


def just_ended(tree: Node, heard: Heard) -> str:
    """The warning for a condition that holds at no interaction in time (rules 7 and 9); empty for any other.

    An interaction that comes late need not end `idle`, so it may hold at one.
    """
    for case in cases(tree):
        if not any(names_in(node) & set(EVENT_ROOTS) for node, _negated in case):
            continue
        words = _words(case, heard)
        for node, negated in case:
            found = _grown(node, negated=negated)
            if found is not None and _ends(found[0], words, heard):
                return _said(*found)
    return ""


def _said(what: str, length: int) -> str:
    time = format_duration(length)
    return (
        f"the interaction itself ends `{what}`, so this holds at none that comes in time; for who came back after "
        f"{time}: let `{what} >= {time}` enter a stage, and the interaction alone lead out of it"
    )


def _words(case: Case, heard: Heard) -> set[str] | None:
    """The words one of which the interaction must have; None where it may be any."""
    found: set[str] | None = None
    for node, negated in case:
        if negated or not isinstance(node, Comparison) or node.operator not in ("==", "in"):
            continue
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, Name) and side.path[0] == "event" and isinstance(other, Literal):
                asked = {heard.words.get(text, text) for text in texts_of(other)}
                found = asked if found is None else found & asked
    return found


def _grown(node: Node, *, negated: bool) -> tuple[str, int] | None:
    """`idle` or `since(fact)`, and the milliseconds that it must have reached."""
    if not isinstance(node, Comparison) or node.operator not in OPPOSITE:
        return None
    left, operator, right = node.left, node.operator, node.right
    if isinstance(left, Duration):
        left, operator, right = right, MIRRORED[operator], left
    if (OPPOSITE[operator] if negated else operator) not in _GROWN or not isinstance(right, Duration):
        return None
    if isinstance(left, Name) and left.path == ("idle",) and right.value > 0:
        return "idle", right.value
    # What never happened is not there, and `not` of a comparison with it holds.
    if isinstance(left, Call) and left.function == "since" and not negated and right.value > 0:
        return f"since({left.name})", right.value
    return None


def _ends(what: str, words: set[str] | None, heard: Heard) -> bool:
    """Whether every interaction of the words, or any at all, sets `what` to nothing."""
    if what == "idle":
        return not heard.passive if words is None else not words & heard.passive
    fact = what.removeprefix("since(").removesuffix(")")
    last = {
        word
        for word, counted in heard.counted.items()
        for each in counted
        if each.fact.name == fact and each.fact.kind == "last" and each.where is None
    }
    return words is not None and words <= last
