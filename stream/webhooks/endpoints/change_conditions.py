"""Conditions over a stage change, in the language of lifecycle files: text to a predicate, once, when it is loaded.

What a change does not have, and what is of another type, makes a comparison false, and `not` of it true (rule 11).
Against a number, a text that is exactly a JSON number counts as that number (rule 16). Lengths of time are measured at
the change's own time.
"""

from collections.abc import Callable
from functools import reduce
from typing import Final

from stream.codec.stage_change_reader import SubscribedChange
from stream.core.expressions import And, Bare, Comparison, ConditionError, Duration, Literal, Name, Node, Not, Or
from stream.core.language.contradictions import HAS_PART, check_contradictions
from stream.core.language.habits import without_quotes
from stream.core.language.names import HOW_LONG, unknown
from stream.core.language.parser import TEXT_OPERATORS, parse, quote
from stream.core.language.unquoted import check_shared
from stream.core.operators import EQ, MIRRORED, OPERATOR
from stream.core.predicates import compare
from stream.core.text_numbers import number_of
from stream.webhooks.endpoints.change_names import ROOTS, TYPE_NAMES, KnownNames, Read, Resolved, resolve

Holds = Callable[[SubscribedChange], bool]
"""Whether a condition holds for a change."""
_CONSTANTS: Final = (Literal, Duration)


def compile_change_condition(text: str, known: KnownNames | None = None) -> Holds:
    """The predicate of a condition. Raises ConditionError with the place of what is wrong.

    `known` has the names of the lifecycles whose changes come; without it any other name may be a score or a fact.
    """
    tree = parse(text, ROOTS)
    holds = _node(tree, known)
    check_contradictions(tree)
    return holds


def _node(node: Node, known: KnownNames | None) -> Holds:
    if isinstance(node, Not):
        part = _node(node.part, known)
        return lambda change: not part(change)
    if isinstance(node, And | Or):
        check_shared(node.parts)
        parts = [_node(each, known) for each in node.parts]
        return reduce(_both if isinstance(node, And) else _either, parts)
    return _bare(node, known) if isinstance(node, Bare) else _comparison(node, known)


def _both(one: Holds, other: Holds) -> Holds:
    return lambda change: one(change) and other(change)


def _either(one: Holds, other: Holds) -> Holds:
    return lambda change: one(change) or other(change)


def _bare(node: Bare, known: KnownNames | None) -> Holds:
    """A value that must be exactly true."""
    operand = node.operand
    if isinstance(operand, _CONSTANTS):
        if isinstance(operand, Literal) and isinstance(operand.value, str):
            right = f"to == {quote(operand.value)}"
            message = f"a text alone decides nothing; a stage that was entered is asked for by {right}"
            raise ConditionError(message, operand.offset)
        raise ConditionError("a constant alone decides nothing; compare a name with it", node.offset)
    resolved = resolve(operand, known)
    if resolved.type not in ("boolean", "any"):
        raise ConditionError(f"this is {TYPE_NAMES[resolved.type]}, not true or false; compare it", node.offset)
    read = resolved.read
    return lambda change: read(change) is True


def _comparison(node: Comparison, known: KnownNames | None) -> Holds:
    left, right = resolve(node.left, known), resolve(node.right, known)
    if isinstance(node.left, _CONSTANTS) and isinstance(node.right, _CONSTANTS):
        raise ConditionError("both sides are constants: the answer never changes", node.offset)
    if node.operator in TEXT_OPERATORS:
        return _part(node, left)
    if node.operator == "in":
        return _membership(node, left, right, known)
    _check_types(node, left, right)
    _check_texts(node.left, node.right, known)
    _check_texts(node.right, node.left, known)
    if isinstance(node.left, _CONSTANTS):
        return _compared(right, MIRRORED[node.operator], left)
    return _compared(left, node.operator, right)


def _compared(left: Resolved, sign: str, right: Resolved) -> Holds:
    read, constant, operator = left.read, right.constant, OPERATOR[sign]
    if constant is None:
        other = right.read
        return lambda change: _alike(read(change), operator, other(change))
    if isinstance(constant, str):
        if sign == "==":
            return lambda change: read(change) == constant
        return lambda change: compare(read(change), operator, constant)
    if isinstance(constant, bool) or left.type in ("number", "duration"):
        return lambda change: compare(read(change), operator, constant)
    return lambda change: compare(_number_like(read(change)), operator, constant)


def _alike(a: object, operator: int, b: object) -> bool:
    """Two values of a change: a text beside a number is the number that it may be."""
    if isinstance(a, str) != isinstance(b, str):
        a, b = _number_like(a), _number_like(b)
    return compare(a, operator, b)


def _number_like(found: object) -> object:
    return number_of(found) if isinstance(found, str) else found


def _membership(node: Comparison, left: Resolved, right: Resolved, known: KnownNames | None) -> Holds:
    if left.type in ("list", "duration", "time"):
        raise ConditionError(f"a list never holds {TYPE_NAMES[left.type]}", node.offset)
    if not isinstance(node.right, Literal):
        return _in_list(node, left, right)
    items = node.right.value
    if not isinstance(items, tuple):
        raise ConditionError(_no_list(node), node.right.offset)
    if not items:
        raise ConditionError("nothing is in an empty list", node.right.offset)
    for item in items:
        kind = resolve(item, None).type
        if left.type not in ("any", kind):
            message = f"{TYPE_NAMES[left.type]} is never {TYPE_NAMES[kind]}{_quotes(left, item.value)}"
            raise ConditionError(message, item.offset)
    _check_texts(node.left, node.right, known)
    return _among(left.read, tuple(item.value for item in items))


def _in_list(node: Comparison, left: Resolved, right: Resolved) -> Holds:
    """A text is in a list that a change has."""
    if right.type != "list":
        raise ConditionError(_no_list(node), node.right.offset)
    if left.type not in ("text", "any"):
        raise ConditionError(f"{node.right} holds texts; this is {TYPE_NAMES[left.type]}", node.offset)
    many, read = right.read, left.read
    return lambda change: read(change) in _texts(many(change))


def _no_list(node: Comparison) -> str:
    hint = ""
    if isinstance(node.left, Literal) and isinstance(node.left.value, str):
        hint = f"; a part of a text is asked for by {node.right} contains {quote(node.left.value)}"
    return f'`in` needs a list such as ["a", "b"], or channels or actions{hint}'


def _among(read: Read, constants: tuple[object, ...]) -> Holds:
    """A value is one of some constants."""
    texts = frozenset(each for each in constants if isinstance(each, str))
    others = [each for each in constants if not isinstance(each, str)]
    if not others:
        return lambda change: read(change) in texts

    def holds(change: SubscribedChange) -> bool:
        found = read(change)
        if isinstance(found, str):
            if found in texts:
                return True
            found = number_of(found)
        for each in others:
            if compare(found, EQ, each):
                return True
        return False

    return holds


def _part(node: Comparison, left: Resolved) -> Holds:
    """A text has a part, or a list has an element."""
    operator, right = node.operator, node.right
    if isinstance(node.left, Literal):
        turned = f": {right} {operator} {quote(node.left.value)}" if isinstance(node.left.value, str) else ""
        raise ConditionError(f"what is looked into stands before {operator!r}{turned}", node.offset)
    fits = left.type in ("text", "any") or (left.type == "list" and operator == "contains")
    if not fits:
        raise ConditionError(f"{operator!r} looks into a text; this is {TYPE_NAMES[left.type]}", node.offset)
    if not isinstance(right, Literal) or not isinstance(right.value, str):
        raise ConditionError(f"{operator!r} asks for one text in double quotes", right.offset)
    read, part = left.read, right.value
    if left.type == "list":
        return lambda change: part in _texts(read(change))
    has = HAS_PART[operator]

    def holds(change: SubscribedChange) -> bool:
        found = read(change)
        return isinstance(found, str) and has(found, part)

    return holds


def _texts(found: object) -> list[object]:
    return found if isinstance(found, list) else []


def _check_types(node: Comparison, left: Resolved, right: Resolved) -> None:
    either = {left.type, right.type}
    if "list" in either:
        raise ConditionError("a list compares by `in` or `contains` only", node.offset)
    if len(either) > 1 and (either & {"duration", "time"} or "any" not in either):
        hint = ""
        if either == {"duration", "number"}:
            hint = "; a duration has a unit, as in 90d"
        elif "time" in either or "any" in either:
            hint = f"; {HOW_LONG}"
        elif either == {"number", "text"}:
            hint = _quotes(left, right.constant) or _quotes(right, left.constant)
        raise ConditionError(f"compares {TYPE_NAMES[left.type]} with {TYPE_NAMES[right.type]}{hint}", node.offset)
    if node.operator in ("==", "!="):
        if "duration" in either:
            message = f"{node.operator!r} on a length of time would hold for one millisecond only; use < <= > >="
            raise ConditionError(message, node.offset)
    elif "boolean" in either:
        raise ConditionError(f"true and false have no order; {node.operator!r} does not apply", node.offset)


def _quotes(side: Resolved, constant: object) -> str:
    """What to say of a number in quotes, or of one that needs them; empty of all else."""
    if side.type == "number":
        return without_quotes(constant)
    is_number = isinstance(constant, int | float) and not isinstance(constant, bool)
    return f'; write "{constant}"' if side.type == "text" and is_number else ""


def _check_texts(side: object, other: object, known: KnownNames | None) -> None:
    """Raise ConditionError for a constant that a stage or a lifecycle never is."""
    if known is None or not isinstance(side, Name) or not isinstance(other, Literal):
        return
    what, there = {
        "to": ("stage", known.stages),
        "from": ("stage", known.stages),
        "lifecycle": ("lifecycle", known.lifecycles),
    }.get(str(side), ("", ()))
    for each in other.value if isinstance(other.value, tuple) else (other,):
        if there and isinstance(each.value, str) and each.value not in there:
            raise ConditionError(unknown(each.value, list(there), what), each.offset)
