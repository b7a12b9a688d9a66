"""One comparison: its types checked, compiled to a closure, and when time alone changes its answer.

A comparison with a value that does not exist, or between different types, is false, also `!=`.
"""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from stream.core import facts, scoring
from stream.core.customer import Life
from stream.core.expressions import Bare, Comparison, ConditionError, Duration, Literal, Name
from stream.core.interaction import MAX_TIME
from stream.core.operands import TYPE_NAMES, Closure, Read, Scope, resolve, unknown

Flips = Callable[[Life, int], list[int]]

MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Atom(NamedTuple):
    """A compiled comparison or bare name."""

    holds: Closure
    needs_event: bool
    flips: Flips | None = None
    """Later times, after the given one, at which the answer may change by time alone."""


def compile_bare(node: Bare, scope: Scope) -> Atom:
    """A name that must be exactly true. Raises ConditionError where it can never be."""
    if isinstance(node.operand, Literal | Duration):
        raise ConditionError("a constant alone decides nothing; compare a name with it", node.offset)
    read = resolve(node.operand, scope)
    if read.type not in ("boolean", "any"):
        raise ConditionError(f"this is {TYPE_NAMES[read.type]}, not true or false; compare it", node.offset)
    get = read.get
    return Atom(lambda life, now, event: get(life, now, event) is True, read.needs_event)


def compile_comparison(node: Comparison, scope: Scope) -> Atom:
    """A comparison. Raises ConditionError where its types do not fit or its answer can never change."""
    left, right = resolve(node.left, scope), resolve(node.right, scope)
    constant = (Literal, Duration)
    if isinstance(node.left, constant) and isinstance(node.right, constant):
        raise ConditionError("both sides are constants: the answer never changes", node.offset)
    operator = node.operator
    if operator == "in":
        return _membership(node, left, right, scope)
    _check_types(node, left, right)
    _check_known(node.left, node.right, scope)
    _check_known(node.right, node.left, scope)
    if isinstance(node.left, constant):
        left, right, operator = right, left, MIRRORED[operator]
    if left.varies or right.varies:
        if not isinstance(node.left, constant) and not isinstance(node.right, constant):
            raise ConditionError("what changes with time alone compares with constants only", node.offset)
        return _timed(node, left, operator, right.constant)
    return Atom(_compare(left, operator, right), left.needs_event or right.needs_event)


def _check_types(node: Comparison, left: Read, right: Read) -> None:
    if "list" in (left.type, right.type):
        raise ConditionError("a list compares by `in` only, and stands on its right", node.offset)
    either = {left.type, right.type}
    if len(either) > 1 and (either & {"duration", "time"} or "any" not in either):
        hint = ""
        if "duration" in either and "number" in either:
            hint = "; a duration has a unit, as in 90d"
        elif "time" in either:
            hint = "; how long ago a time fact was is since(fact)"
        raise ConditionError(f"compares {TYPE_NAMES[left.type]} with {TYPE_NAMES[right.type]}{hint}", node.offset)
    if node.operator not in ("==", "!=") and "boolean" in either:
        raise ConditionError(f"true and false have no order; {node.operator!r} does not apply", node.offset)
    if node.operator in ("==", "!=") and any(side.varies and side.fact is None for side in (left, right)):
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
        if side.path == ("stage",) and text not in scope.stages:
            raise ConditionError(unknown(text, list(scope.stages), "stage"), each.offset)
        if side.path == ("event", "type") and scope.words.get(text, text) != text:
            raise ConditionError(
                f"{text!r} is an event name; event.type has its word {scope.words[text]!r} "
                f"(event.name has the name as sent)",
                each.offset,
            )


def _membership(node: Comparison, left: Read, right: Read, scope: Scope) -> Atom:
    if isinstance(node.right, Literal) and right.type == "list":
        items = node.right.value
        assert isinstance(items, tuple)
        if not items:
            raise ConditionError("nothing is in an empty list", node.right.offset)
        if left.varies and left.fact is None:
            raise ConditionError("`in` on what changes with time alone would hold for a moment only", node.offset)
        for item in items:
            kind = resolve(item, scope).type
            if left.type not in ("any", kind):
                raise ConditionError(f"{TYPE_NAMES[left.type]} is never {TYPE_NAMES[kind]}", item.offset)
        _check_known(node.left, node.right, scope)
        constants = tuple(item.value for item in items)
        if left.fact is not None:
            for item in items:
                _check_keep(node, left, "==", item.value)
            return Atom(_among(left, constants), False, _rolling_flips(left))
        return Atom(_among(left, constants), left.needs_event)
    if not (isinstance(node.right, Name) and node.right.path[0] in ("properties", "context")):
        raise ConditionError('`in` needs a list such as ["a", "b"], or a property that holds one', node.offset)
    if left.varies:
        raise ConditionError("what changes with time alone compares with constants only", node.offset)
    if left.type in ("time", "duration", "list"):
        raise ConditionError(f"a property never holds {TYPE_NAMES[left.type]}", node.offset)
    one, many = left.get, right.get

    def holds(life: Life, now: int, event: object) -> bool:
        found = many(life, now, event)  # type: ignore[arg-type]  # an Event or None, passed on
        wanted = one(life, now, event)  # type: ignore[arg-type]
        return isinstance(found, list) and any(equal(wanted, each) for each in found)

    return Atom(holds, True)


def _among(left: Read, constants: tuple[object, ...]) -> Closure:
    get = left.get
    return lambda life, now, event: (
        (found := get(life, now, event)) is not None and any(equal(found, each) for each in constants)
    )


def _compare(left: Read, operator: str, right: Read) -> Closure:
    one, two = left.get, right.get
    if isinstance(text := right.constant, str):
        # Nothing but an equal text equals a text.
        if operator == "==":
            return lambda life, now, event: one(life, now, event) == text
        if operator == "!=":
            return lambda life, now, event: isinstance(found := one(life, now, event), str) and found != text
    if operator == "==":
        return lambda life, now, event: equal(one(life, now, event), two(life, now, event))
    if operator == "!=":
        return lambda life, now, event: _unequal(one(life, now, event), two(life, now, event))
    order = scoring.COMPARE[operator]
    if left.type == "number" and right.type == "number":
        return lambda life, now, event: order(one(life, now, event), two(life, now, event))  # type: ignore[arg-type]

    def ordered(life: Life, now: int, event: object) -> bool:
        a, b = one(life, now, event), two(life, now, event)  # type: ignore[arg-type]  # an Event or None, passed on
        kind = _kind(a)
        return kind in ("number", "text") and kind == _kind(b) and order(a, b)  # type: ignore[arg-type]  # same kind

    return ordered


def _kind(value: object) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def equal(a: object, b: object) -> bool:
    """Whether two values are of one type and equal; lists and objects are not equal to anything."""
    kind = _kind(a)
    return kind is not None and kind == _kind(b) and a == b


def _unequal(a: object, b: object) -> bool:
    kind = _kind(a)
    return kind is not None and kind == _kind(b) and a != b


def _timed(node: Comparison, left: Read, operator: str, constant: object) -> Atom:
    assert isinstance(constant, int | float)
    get = left.get
    if left.score is not None:
        score, order, threshold = left.score, scoring.COMPARE[operator], constant

        def crossing(life: Life, now: int) -> list[int]:
            moment = scoring.crossing(score, life, now, threshold, operator)
            return [] if moment is None else [moment]

        return Atom(lambda life, now, _e: order(scoring.read(score, life, now), threshold), False, crossing)
    if left.fact is not None:
        _check_keep(node, left, operator, constant)
        fact = Read("number", lambda _l, _n, _e: constant)
        return Atom(_compare(left, operator, fact), False, _rolling_flips(left))
    assert left.anchor is not None
    order, anchor = scoring.COMPARE[operator], left.anchor
    length = int(constant) + (operator in (">", "<="))

    def flip(life: Life, now: int) -> list[int]:
        start = anchor(life)
        return [start + length] if start is not None and now < start + length <= MAX_TIME else []

    def holds(life: Life, now: int, event: object) -> bool:
        passed = get(life, now, event)  # type: ignore[arg-type]  # an Event or None, passed on
        return passed is not None and order(passed, constant)  # type: ignore[arg-type]  # a duration

    return Atom(holds, False, flip)


def _rolling_flips(left: Read) -> Flips:
    fact = left.fact
    assert fact is not None
    return lambda life, now: facts.ends(fact, life, now)


def _check_keep(node: Comparison, left: Read, operator: str, constant: object) -> None:
    """A rolling count of `keep` times cannot tell `keep` from more."""
    assert left.fact is not None
    assert isinstance(constant, int | float)
    keep = left.fact.keep
    decided = constant <= keep if operator in ("<", ">=") else constant < keep
    if operator in ("==", "!=") and constant != int(constant):
        decided = True
    if not decided:
        enough = ceil(constant) + (operator not in ("<", ">="))
        raise ConditionError(
            f"{left.fact.name} keeps its latest {keep} times only and cannot decide this; "
            f"give the fact keep: {enough} or more",
            node.offset,
        )
