"""One comparison: its types checked, and the predicate that it becomes."""

from math import ceil
from typing import NamedTuple

from stream.core.accessors import Number
from stream.core.event import ROOTS
from stream.core.expressions import Bare, Call, Comparison, ConditionError, Duration, Literal, Name, Operand
from stream.core.language.habits import without_quotes
from stream.core.language.names import HOW_LONG, TYPE_NAMES, ResolvedOperand, Scope, unknown
from stream.core.language.operands import resolve
from stream.core.language.parser import TEXT_OPERATORS
from stream.core.language.text_parts import compile_text_part, part_of_text
from stream.core.language.unquoted import check_event, check_text
from stream.core.operators import MIRRORED, OPERATOR
from stream.core.predicates import (
    Among,
    AmongNumbers,
    Compared,
    IsTrue,
    Not,
    NumberLike,
    NumberPredicate,
    NumberWithin,
    Predicate,
    TextPredicate,
    Within,
)
from stream.core.stepping import SteppingFact, SteppingPredicate, is_one_of
from stream.core.timed_predicates import (
    ElapsedAtEvent,
    ElapsedPredicate,
    RollingAmong,
    RollingPredicate,
    ScorePredicate,
)


class Atom(NamedTuple):
    """A comparison or bare name made ready."""

    predicate: Predicate
    needs_event: bool
    rises: bool = False
    """Time alone may make it hold."""
    falls: bool = False
    """Time alone may end it."""


def compile_bare(node: Bare, scope: Scope) -> Atom:
    """A name that must be exactly true. Raises ConditionError where it can never be."""
    if isinstance(node.operand, Literal | Duration):
        if isinstance(node.operand, Literal):
            check_text(node.operand, scope)
        raise ConditionError("a constant alone decides nothing; compare a name with it", node.offset)
    resolved = resolve(node.operand, scope, alone=True)
    if resolved.type not in ("boolean", "any"):
        raise ConditionError(f"this is {TYPE_NAMES[resolved.type]}, not true or false; compare it", node.offset)
    return Atom(IsTrue(resolved.accessor), resolved.needs_event)


def compile_comparison(node: Comparison, scope: Scope) -> Atom:
    """A comparison. Raises ConditionError where its types do not fit or its answer can never change."""
    check_event(node, scope)
    left, right = resolve(node.left, scope), resolve(node.right, scope)
    constant = (Literal, Duration)
    if isinstance(node.left, constant) and isinstance(node.right, constant):
        raise ConditionError("both sides are constants: the answer never changes", node.offset)
    operator = node.operator
    if operator == "in":
        return _membership(node, left, right, scope)
    if operator in TEXT_OPERATORS:
        return Atom(compile_text_part(node, left), left.needs_event)
    _check_types(node, left, right)
    _check_known(node.left, node.right, scope)
    _check_known(node.right, node.left, scope)
    if isinstance(node.left, constant):
        left, right, operator = right, left, MIRRORED[operator]
    if left.varies or right.varies:
        if not isinstance(node.left, constant) and not isinstance(node.right, constant):
            raise ConditionError("what changes with time alone compares with constants only", node.offset)
        return _timed(node, left, operator, right.constant, at_event=scope.at_event)
    return Atom(_compare(left, operator, right), left.needs_event or right.needs_event)


def _check_types(node: Comparison, left: ResolvedOperand, right: ResolvedOperand) -> None:
    if "list" in (left.type, right.type):
        raise ConditionError("a list compares by `in` only, and stands on its right", node.offset)
    either = {left.type, right.type}
    if len(either) > 1 and (either & {"duration", "time"} or "any" not in either):
        hint = ""
        if "duration" in either and "number" in either:
            hint = "; a duration has a unit, as in 90d"
        elif "time" in either:
            hint = f"; {HOW_LONG}"
        elif either == {"number", "text"}:
            hint = without_quotes(left.constant) or without_quotes(right.constant)
        raise ConditionError(f"compares {TYPE_NAMES[left.type]} with {TYPE_NAMES[right.type]}{hint}", node.offset)
    if node.operator not in ("==", "!=") and "boolean" in either:
        raise ConditionError(f"true and false have no order; {node.operator!r} does not apply", node.offset)
    if node.operator in ("==", "!=") and any(side.varies and not side.jumps for side in (left, right)):
        raise ConditionError(
            f"{node.operator!r} on what changes with time alone would hold for a moment only; use < <= > >=",
            node.offset,
        )


def _check_known(side: object, other: object, scope: Scope) -> None:
    """A constant that `stage` or `event.type` can never be is a mistake."""
    if not isinstance(side, Name) or not isinstance(other, Literal):
        return
    values = other.value if isinstance(other.value, tuple) else (other,)
    for each in values:
        text = each.value
        if not isinstance(text, str):
            continue
        if side.path == ("stage",) and scope.stages and text not in scope.stages:
            raise ConditionError(unknown(text, list(scope.stages), "stage"), each.offset)
        if side.path == ("event", "type") and scope.words.get(text, text) != text:
            raise ConditionError(
                f"{text!r} is an event name; event.type has its word {scope.words[text]!r} "
                f"(event.name has the name as sent)",
                each.offset,
            )


def _membership(node: Comparison, left: ResolvedOperand, right: ResolvedOperand, scope: Scope) -> Atom:
    if isinstance(node.right, Literal) and right.type == "list":
        return _among(node, node.right, left, scope)
    if not _may_be_list(node.right):
        raise ConditionError(
            f'`in` needs a list such as ["a", "b"], or a property that holds one{part_of_text(node, right)}',
            node.offset,
        )
    if left.varies:
        raise ConditionError("what changes with time alone compares with constants only", node.offset)
    if left.type in ("time", "duration", "list"):
        raise ConditionError(f"a property never holds {TYPE_NAMES[left.type]}", node.offset)
    return Atom((NumberWithin if left.type == "number" else Within)(left.accessor, right.accessor), True)


def _among(node: Comparison, many: Literal, left: ResolvedOperand, scope: Scope) -> Atom:
    """A value is one of some constants."""
    items = many.value
    assert isinstance(items, tuple)
    if not items:
        raise ConditionError("nothing is in an empty list", many.offset)
    if left.varies and not left.jumps:
        raise ConditionError("`in` on what changes with time alone would hold for a moment only", node.offset)
    for item in items:
        kind = resolve(item, scope).type
        if left.type not in ("any", kind):
            hint = without_quotes(item.value) if left.type == "number" else ""
            raise ConditionError(f"{TYPE_NAMES[left.type]} is never {TYPE_NAMES[kind]}{hint}", item.offset)
    _check_known(node.left, many, scope)
    constants = tuple(item.value for item in items)
    if left.stepping is not None:
        for item in items:
            _check_keep(node, left, "==", item.value)
        numbers = tuple(float(each) for each in constants if isinstance(each, int | float))
        return Atom(is_one_of(left.stepping, numbers), False, rises=True, falls=True)
    if left.fact is not None:
        for item in items:
            _check_keep(node, left, "==", item.value)
        return Atom(RollingAmong(left.fact, left.accessor, constants), False, rises=True, falls=True)
    mixed = left.type == "any" and any(_is_number(constant) for constant in constants)
    return Atom((AmongNumbers if mixed else Among)(left.accessor, constants), left.needs_event)


def _may_be_list(operand: Operand) -> bool:
    name = operand.name if isinstance(operand, Call) and operand.function == "lower" else operand
    return isinstance(name, Name) and name.path[0] in ROOTS


def _compare(left: ResolvedOperand, operator: str, right: ResolvedOperand) -> Predicate:
    constant = right.constant
    if isinstance(constant, str) and operator in ("==", "!="):
        return TextPredicate(left.accessor, constant, operator == "==")
    if isinstance(left.accessor, Number) and isinstance(constant, int | float):
        return NumberPredicate(left.accessor, OPERATOR[operator], float(constant))
    if left.type == "number" and right.type == "any":
        left, right, operator = right, left, MIRRORED[operator]
    if left.type == "any" and right.type == "number":
        return NumberLike(left.accessor, OPERATOR[operator], right.accessor)
    return Compared(left.accessor, OPERATOR[operator], right.accessor)


def _is_number(constant: object) -> bool:
    return isinstance(constant, int | float) and not isinstance(constant, bool)


def _timed(node: Comparison, left: ResolvedOperand, operator: str, constant: object, *, at_event: bool) -> Atom:
    assert isinstance(constant, int | float)
    if left.score is not None:
        score = ScorePredicate(left.score, OPERATOR[operator], float(constant))
        return Atom(score, False, rises=score.ends, falls=not score.ends)
    if left.stepping is not None:
        _check_keep(node, left, operator, constant)
        stepping = SteppingPredicate(left.stepping, OPERATOR[operator], (float(constant),))
        one_way = operator not in ("==", "!=") and isinstance(left.stepping, SteppingFact) and left.stepping.only_falls
        falling = operator in (">", ">=")
        return Atom(stepping, False, rises=not (one_way and falling), falls=not one_way or falling)
    if left.fact is not None:
        _check_keep(node, left, operator, constant)
        if operator in ("==", "!="):
            among = RollingAmong(left.fact, left.accessor, (constant,))
            return Atom(among if operator == "==" else Not(among, timed=True), False, rises=True, falls=True)
        rolling = RollingPredicate(left.fact, OPERATOR[operator], float(constant))
        return Atom(rolling, False, rises=rolling.ends, falls=not rolling.ends)
    assert left.anchor is not None
    if left.until:  # fact - clock <= D says the same as clock - fact >= -D
        operator, constant = MIRRORED[operator], -constant
    if at_event:
        return Atom(ElapsedAtEvent(left.anchor, OPERATOR[operator], int(constant)), needs_event=True)
    elapsed = ElapsedPredicate(left.anchor, OPERATOR[operator], int(constant))
    return Atom(elapsed, False, rises=elapsed.ends, falls=not elapsed.ends)


def _check_keep(node: Comparison, left: ResolvedOperand, operator: str, constant: object) -> None:
    """A rolling count that keeps `keep` times, or entries of a ledger, cannot distinguish `keep` from more."""
    fact = left.fact
    if isinstance(left.stepping, SteppingFact) and left.stepping.counts:
        fact = left.stepping.fact
    if fact is None:
        return
    assert isinstance(constant, int | float)
    keep = fact.keep
    decided = constant <= keep if operator in ("<", ">=") else constant < keep
    if operator in ("==", "!=") and constant != int(constant):
        decided = True
    if not decided:
        enough = ceil(constant) + (operator not in ("<", ">="))
        kept, keeper = ("times", "fact") if fact.ledger < 0 else ("entries", "ledger")
        raise ConditionError(
            f"{fact.name} keeps its latest {keep} {kept} only and cannot decide this; "
            f"give the {keeper} keep: {enough} or more",
            node.offset,
        )
