"""A condition taken apart: the tree that the author wrote, each part with what it is at present.

Whether a part holds is asked of the predicates that the lifecycle runs with. They stand as the tree does, but that
`not` is pushed down to the comparisons.
"""

from collections.abc import Iterable

from stream.core.customer import Life
from stream.core.deadlines import rises
from stream.core.explanation.explanation import Compared, Explained, Joined
from stream.core.explanation.missing import missing_of
from stream.core.explanation.operands import Present, names_interaction, present
from stream.core.expressions import And, Bare, Comparison, Duration, Literal, Node, Not, Operand, Or, Written
from stream.core.lifecycle import Condition, Lifecycle
from stream.core.operators import MIRRORED
from stream.core.predicates import AllOf, Predicate
from stream.core.predicates import Not as Negated


class _Asked:
    def __init__(self, lifecycle: Lifecycle, life: Life, text: str) -> None:
        self.lifecycle, self.life, self.text = lifecycle, life, text


def explain_condition(condition: Condition, predicate: Predicate, lifecycle: Lifecycle, life: Life) -> Explained:
    """The condition as a tree, at the life's clock, without an interaction.

    `predicate` is `condition.with_event` without what `hold` and `at_most_every` ask beside.
    """
    return _explain(
        condition.tree, predicate, _Asked(lifecycle, life, condition.text), wanted=True, in_band=not lifecycle.bands
    )


def _explain(node: Node, predicate: Predicate, asked: _Asked, *, wanted: bool, in_band: bool) -> Explained:
    if isinstance(node, Not):
        return negated(_explain(node.part, predicate, asked, wanted=not wanted, in_band=in_band))
    if not in_band and (written := _band_in(node)) is not None:
        return _band(written, node, predicate, asked, wanted=wanted)
    if isinstance(node, And | Or):
        assert isinstance(predicate, AllOf), "several parts are several predicates"
        parts = tuple(
            [
                _explain(part, below, asked, wanted=wanted, in_band=in_band)
                for part, below in zip(node.parts, predicate.parts, strict=True)
            ]
        )
        answers = [part.holds for part in parts]
        if isinstance(node, And):
            return Joined("all", all_of(answers), parts)
        return Joined("any", _any_of(answers), parts)
    return _compared(node, predicate, asked, wanted=wanted)


def _band_in(node: Node) -> Written | None:
    """What the author wrote where all of `node` stands for one comparison of a band."""
    if isinstance(node, Comparison):
        return node.written if node.written.band else None
    if isinstance(node, And | Or):
        found = {_band_in(part) for part in node.parts}
        return found.pop() if len(found) == 1 else None
    return None


def _band(written: Written, node: Node, predicate: Predicate, asked: _Asked, *, wanted: bool) -> Explained:
    """One comparison of a band, with those of scores; a `not` before it is part of these where there is one."""
    assert written.band is not None
    scores = _explain(node, predicate, asked, wanted=wanted, in_band=True)
    sides = _sides(written.band, asked)
    found = _shown(sides, asked.text[written.start : written.end], wanted=wanted != written.opposite)
    found.holds, found.scores = scores.holds, scores
    if scores.holds is not wanted:
        found.by_time = rises(predicate, asked.life)
    if not written.opposite:
        return found
    found.scores = negated(scores)
    found.holds = found.scores.holds
    return negated(found)


def _compared(node: Comparison | Bare, predicate: Predicate, asked: _Asked, *, wanted: bool) -> Compared:
    sides = _sides(node, asked)
    text = asked.text[node.written.start : node.written.end]
    if node.written.band is not None:
        assert isinstance(node, Comparison)
        assert isinstance(node.right, Literal)
        text = f"{node.left} {node.operator} {node.right.value:g}"
    found = _shown(sides, text, wanted=wanted)
    if sides.by_interaction:
        return found
    as_written = predicate
    if not wanted:
        assert isinstance(predicate, Negated), "what stands under `not` runs as a negated predicate"
        as_written = predicate.predicate
    found.holds = as_written.holds(asked.life, asked.life.clock, None)
    if found.holds is not wanted:
        found.by_time = rises(predicate, asked.life)
        found.missing = missing_of(sides.one, sides.operator, sides.other, wanted)
    return found


class _Sides:
    """What is compared, how, and with what: constants stand on the right."""

    def __init__(self, name: str, one: Present, operator: str, other: Present, by_interaction: bool) -> None:
        self.name, self.one, self.operator, self.other = name, one, operator, other
        self.by_interaction = by_interaction


def _sides(node: Comparison | Bare, asked: _Asked) -> _Sides:
    left: Operand
    right: Operand
    if isinstance(node, Bare):
        left, operator, right = node.operand, "==", Literal(True, node.offset)
    elif isinstance(node.left, Literal | Duration) and node.operator in MIRRORED:
        left, operator, right = node.right, MIRRORED[node.operator], node.left
    else:
        left, operator, right = node.left, node.operator, node.right
    one = present(left, asked.lifecycle, asked.life)
    other = present(right, asked.lifecycle, asked.life)
    return _Sides(str(left), one, operator, other, names_interaction(left) or names_interaction(right))


def _shown(sides: _Sides, text: str, *, wanted: bool) -> Compared:
    value = sides.one.value
    assert not isinstance(value, tuple), "a list stands on the right"
    return Compared(text, sides.name, wanted, None, sides.one.unit, value, sides.operator, sides.other.value)


def negated(part: Explained) -> Joined:
    """The part under a `not`."""
    return Joined("not", None if part.holds is None else not part.holds, (part,))


def all_of(answers: Iterable[bool | None]) -> bool | None:
    """Kleene's `and`: None is not known."""
    known = True
    for answer in answers:
        if answer is False:
            return False
        known = known and answer is not None
    return True if known else None


def _any_of(answers: Iterable[bool | None]) -> bool | None:
    opposite = all_of([None if answer is None else not answer for answer in answers])
    return None if opposite is None else not opposite
