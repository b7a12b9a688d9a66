"""Conditions made ready to run: names resolved, types checked, put together once from predicates.

Negation is pushed down to the comparisons. Then every condition is `and` and `or` over comparisons and
negated comparisons, both of which only grow with their parts; so for the moment without an interaction it
is enough to let each comparison that names the interaction be false, negated or not: the result is true
exactly where Kleene's logic says true. And where it begins to hold by the passing of time, one of its
parts does.
"""

from math import inf
from typing import NamedTuple, TypeGuard

from stream.core.expressions import (
    EVENT_ROOTS,
    And,
    Bare,
    Call,
    Comparison,
    ConditionError,
    Duration,
    Literal,
    Name,
    Node,
    Or,
)
from stream.core.expressions import Not as Negation
from stream.core.language.bands import without_bands
from stream.core.language.comparisons import Atom, compile_bare, compile_comparison
from stream.core.language.contradictions import check_contradictions
from stream.core.language.document import DocumentReader, Entry
from stream.core.language.habits import minutes_for_months, thousands
from stream.core.language.names import BrokenNameError, Scope
from stream.core.language.parser import TEXT_OPERATORS, UnexpectedWordError, parse, texts_of
from stream.core.language.text_parts import text_warnings
from stream.core.language.unquoted import check_shared, several_words
from stream.core.lifecycle import Condition
from stream.core.operators import EQ, MIRRORED, NE, OPERATOR, compare_numbers
from stream.core.predicates import AllOf, AnyOf, Not, Predicate


def compile_condition(text: str, scope: Scope) -> Condition:
    """The condition of `text` in a lifecycle's `scope`. Raises ConditionError."""
    try:
        tree = parse(text)
    except UnexpectedWordError as error:
        if said := several_words(text, error.offset, scope):
            raise ConditionError(*said) from None
        raise
    if scope.bands:
        tree = without_bands(tree, scope.bands)
    compiler = _Compiler(scope, text)
    parts = compiler.node(tree, negated=False)
    check_contradictions(tree)
    assert parts.with_event is not None, "only the answer without an interaction can be never"
    return Condition(
        text,
        tree,
        parts.with_event,
        parts.without_event,
        compiler.timed and parts.without_event is not None,
        (*compiler.warnings, *thousands(text)),
        reads_state=bool(state_names_in(tree)),
        by_interaction=parts.by_interaction,
    )


def read_condition(reader: DocumentReader, entry: Entry | None, scope: Scope) -> Condition | None:
    """The condition that a key of a definition holds; None where there is none, or it is wrong, which is said then."""
    text = reader.condition(entry)
    if entry is None or not text:
        return None
    try:
        return compile_condition(text, scope)
    except BrokenNameError:
        return None  # that is said already
    except ConditionError as error:
        reader.problem(entry, error.message, offset=error.offset)
        return None


def events_in(node: Node) -> list[tuple[str, str]]:
    """The texts that a condition compares event.type and event.name with as a whole: "type" or "name", and the text."""
    if isinstance(node, Negation):
        return events_in(node.part)
    if isinstance(node, And | Or):
        return [each for part in node.parts for each in events_in(part)]
    if isinstance(node, Bare):
        return []
    if node.operator in TEXT_OPERATORS:
        return []
    sides = ((node.left, node.right), (node.right, node.left))
    return [
        (side.path[1], text)
        for side, other in sides
        if isinstance(side, Name) and side.path[0] == "event" and isinstance(other, Literal)
        for text in texts_of(other)
    ]


def names_in(node: Node) -> set[str]:
    """The first parts of the names that a condition reads: scores, facts, `stage`, `event` and so on."""
    if isinstance(node, Negation):
        return names_in(node.part)
    if isinstance(node, And | Or):
        return {name for part in node.parts for name in names_in(part)}
    sides = (node.operand,) if isinstance(node, Bare) else (node.left, node.right)
    names = [side.name if isinstance(side, Call) else side for side in sides]
    return {name.path[0] for name in names if isinstance(name, Name)}


def state_names_in(node: Node) -> set[str]:
    """What a condition reads of the customer: names of scores and facts, `identified`, `stage`, `idle`, `in_stage`."""
    return names_in(node) - set(EVENT_ROOTS)


_Part = Predicate | None


class _Parts(NamedTuple):
    """One part of a condition, as it is asked in three ways."""

    with_event: _Part
    without_event: _Part
    """None: never holds."""
    by_interaction: _Part
    """None: always holds."""


class _Compiler:
    def __init__(self, scope: Scope, text: str) -> None:
        self.scope = scope
        self.text = text
        self.timed = False
        self.warnings: list[str] = []

    def node(self, node: Node, *, negated: bool) -> _Parts:
        if isinstance(node, Negation):
            return self.node(node.part, negated=not negated)
        if isinstance(node, And | Or):
            check_shared(node.parts)
            parts = [self.node(part, negated=negated) for part in node.parts]
            all_needed = isinstance(node, And) != negated
            kind = AllOf if all_needed else AnyOf
            with_event = _joined(kind, [each.with_event for each in parts])
            without_event = _joined(kind, [each.without_event for each in parts], leave_out=not all_needed)
            by_interaction = _joined(kind, [each.by_interaction for each in parts], leave_out=all_needed)
            if all(each.without_event is each.with_event for each in parts):
                without_event = with_event  # the same predicate: it need not be evaluated twice
            if all(each.by_interaction is each.with_event for each in parts):
                by_interaction = with_event
            return _Parts(with_event, without_event, by_interaction)
        return self.atom(node, negated=negated)

    def atom(self, node: Comparison | Bare, *, negated: bool) -> _Parts:
        atom: Atom = (
            compile_comparison(node, self.scope) if isinstance(node, Comparison) else compile_bare(node, self.scope)
        )
        self.timed = self.timed or (atom.falls if negated else atom.rises)
        if isinstance(node, Comparison):
            self.warnings += text_warnings(node)
            self._warn_bounds(node)
            if not self.scope.at_event:
                self._warn_past(node)
            self._warn_minutes(node)
            if negated:
                self._warn_never(node)
        predicate = Not(atom.predicate, timed=atom.falls) if negated else atom.predicate
        return _Parts(
            predicate,
            None if atom.needs_event else predicate,
            None if state_names_in(node) else predicate,
        )

    def _warn_bounds(self, node: Comparison) -> None:
        """A comparison that the score's own min and max decide, or that a count is never below 0."""
        side, other, sign = node.left, node.right, node.operator
        if isinstance(side, Literal):
            side, other, sign = other, side, MIRRORED.get(sign, "")
        if not isinstance(side, Name) or not isinstance(other, Literal):
            return
        name = str(side)
        low, high = self._bounds(name)
        if isinstance(other.value, tuple):
            beyond = [each for item in other.value if _is_number(each := item.value) and not low <= each <= high]
            self.warnings += [f"{_bounded(name, low, high)}: it is never {each:g}" for each in beyond]
            return
        constant = other.value
        if not _is_number(constant) or sign not in OPERATOR or (low, high) == (-inf, inf):
            return
        operator = OPERATOR[sign]
        if operator in (EQ, NE):
            decided, answer = not low <= constant <= high, operator == NE
        else:
            answer = compare_numbers(operator, low, constant)
            decided = answer == compare_numbers(operator, high, constant)
        if decided:
            self.warnings.append(f"{_bounded(name, low, high)}: this {'always' if answer else 'never'} holds")

    def _warn_past(self, node: Comparison) -> None:
        """A comparison that is decided because what happened does not lie ahead."""
        side, other, sign = node.left, node.right, node.operator
        if isinstance(side, Duration):
            side, other, sign = other, side, MIRRORED.get(sign, "")
        if not isinstance(side, Name | Call) or not isinstance(other, Duration) or not self._is_past(side):
            return
        length, bound = other.value, "at least 0ms"
        if isinstance(side, Call) and side.function == "until":
            length, sign, bound = -length, MIRRORED[sign], "at most 0ms"
        if sign in (">=", ">") and length < 0:
            what = f"wherever there is a {side.name}" if isinstance(side, Call) else "always"
            self.warnings.append(f"{side} is {bound}: this holds {what}")
        elif length < 0 or (length == 0 and sign == "<"):
            self.warnings.append(f"{side} is {bound}: this never holds")

    def _is_past(self, side: Name | Call) -> bool:
        if isinstance(side, Name):
            return side.path[0] in ("idle", "in_stage")
        fact = self.scope.facts.get(side.name.path[0])
        return side.function in ("since", "until") and fact is not None and fact.kind in ("first", "last")

    def _warn_minutes(self, node: Comparison) -> None:
        self.warnings += [
            said
            for side in (node.left, node.right)
            if isinstance(side, Duration) and (said := minutes_for_months(self.text, side.offset))
        ]

    def _bounds(self, name: str) -> tuple[float, float]:
        score, fact = self.scope.scores.get(name), self.scope.facts.get(name)
        if score is not None:
            return -inf if score.min is None else score.min, inf if score.max is None else score.max
        counts = fact is not None and fact.kind in ("count", "rolling") and name not in self.scope.lessened
        return (0 if counts else -inf), inf

    def _warn_never(self, node: Comparison) -> None:
        for side in (node.left, node.right):
            if isinstance(side, Call) and side.function in ("since", "until"):
                fact = self.scope.facts[side.name.path[0]]
                who = f"has no {fact.name}" if fact.kind == "latest_time" else "never did it"
                self.warnings.append(
                    f"`not` of a comparison with {side} also holds for who {who}; "
                    f"write `exists({side.name}) and …`, or the opposite comparison"
                )


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounded(name: str, low: float, high: float) -> str:
    bounds = [f"{word} {bound:g}" for word, bound in (("at least", low), ("at most", high)) if abs(bound) < inf]
    return f"{name} is {' and '.join(bounds)}"


def _joined(kind: type[AllOf], parts: list[_Part], *, leave_out: bool = False) -> _Part:
    """All parts or any of them; None where one is None, unless these are left out."""
    left = [part for part in parts if part is not None]
    if len(left) < len(parts) and not leave_out:
        return None
    return kind(tuple(left)) if len(left) > 1 else left[0] if left else None
