"""Constants that contradict each other: what can be seen at load without any data.

Each operand that is compared with constants gets the set of values left to it; none left means that the
condition never holds. A number there stands for the texts that are this number, too (rule 16).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Final, NamedTuple

from stream.core.expressions import And, Bare, Call, Comparison, ConditionError, Duration, Literal, Name, Node, Not, Or
from stream.core.operators import MIRRORED
from stream.core.text_numbers import number_of

OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MAX_CASES = 256

HAS_PART: Final[dict[str, Callable[[str, str], bool]]] = {
    "contains": lambda text, part: part in text,
    "starts": str.startswith,
    "ends": str.endswith,
}
"""By operator: whether a text has the part."""

Case = tuple[tuple[Node, bool], ...]
"""Comparisons that hold together; True marks a negated one."""


def check_contradictions(tree: Node) -> None:
    """Raise ConditionError for an `and` that can never hold because of its constants."""
    for node in _conjunctions(tree):
        parts: list[tuple[Node, bool]] = [(part, False) for part in node.parts if isinstance(part, Comparison | Bare)]
        parts += [(part.part, True) for part in node.parts if isinstance(part, Not)]
        culprit = contradiction(tuple(parts))
        if culprit is not None:
            raise ConditionError(
                "contradicts another comparison of the same `and`: together they never hold", culprit.offset
            )


def _conjunctions(node: Node) -> list[And]:
    """Every `and`, those nested directly in one another flattened."""
    if isinstance(node, Not):
        return _conjunctions(node.part)
    if isinstance(node, Or):
        return [each for part in node.parts for each in _conjunctions(part)]
    if isinstance(node, And):
        flat: list[Node] = []
        inner: list[And] = []
        for part in node.parts:
            if isinstance(part, And):
                nested = _conjunctions(part)
                flat += nested[0].parts
                inner += nested[1:]
            else:
                flat.append(part)
                inner += _conjunctions(part)
        return [And(tuple(flat)), *inner]
    return []


def cases(node: Node, *, negated: bool = False) -> list[Case]:
    """The ways in which `node` can hold (disjunctive normal form); at most MAX_CASES of them."""
    if isinstance(node, Not):
        return cases(node.part, negated=not negated)
    if isinstance(node, Comparison | Bare):
        return [((node, negated),)]
    parts = [cases(part, negated=negated) for part in node.parts]
    if isinstance(node, And) == negated:
        return [case for part in parts for case in part][:MAX_CASES]
    joined: list[Case] = [()]
    for part in parts:
        joined = [(*one, *two) for one, two in product(joined, part)][:MAX_CASES]
    return joined


def contradiction(case: Case) -> Comparison | Bare | None:
    """The comparison of `case` that leaves its operand no value; None where all can hold together."""
    left: dict[str, _Values] = {}
    said: set[tuple[str, str, str, bool]] = set()
    for node, negated in case:
        found = _constraint(node)
        if found is None:
            continue
        text = (found.operand, found.operator, repr(found.constant))
        if (*text, not negated) in said:
            return found.node
        said.add((*text, negated))
        operator = _as_it_holds(found, negated=negated)
        if operator:
            values = left.setdefault(found.operand, _Values())
            values.narrow(operator, found.constant)
            if values.empty():
                return found.node
    return None


class _Constraint(NamedTuple):
    """A comparison of an operand with a constant, the operand on the left."""

    node: Comparison | Bare
    operand: str
    operator: str
    constant: object
    always_there: bool


def _constraint(node: Node) -> _Constraint | None:
    if isinstance(node, Bare):
        return _Constraint(node, str(node.operand), "==", True, _always_there(node.operand))
    if not isinstance(node, Comparison):
        return None
    operator, left, right = node.operator, node.left, node.right
    if isinstance(left, Literal | Duration):
        left, right = right, left
        operator = MIRRORED.get(operator, "")
    if not isinstance(right, Literal | Duration) or not operator:
        return None
    value = right.value
    if isinstance(left, Call) and left.function == "until" and isinstance(right, Duration):
        left, operator, value = replace(left, function="since"), MIRRORED.get(operator, ""), -right.value
    constant = tuple(each.value for each in value) if isinstance(value, tuple) else value
    return _Constraint(node, str(left), operator, constant, _always_there(left))


def _as_it_holds(found: _Constraint, *, negated: bool) -> str:
    """The operator by which the values are narrowed; empty where it leaves more of them than can be said."""
    if not negated:
        return found.operator
    if isinstance(found.node, Bare):
        return "!="
    # `not` also holds where the value is absent
    return OPPOSITE.get(found.operator, "") if found.always_there else ""


def _always_there(operand: object) -> bool:
    return isinstance(operand, Name) and operand.path[0] in ("stage", "idle", "in_stage", "identified")


@dataclass
class _Values:
    """What is left of an operand's values: an interval, a set that it must be in, what it must not be, parts of it."""

    low: tuple[float, bool] | None = None
    high: tuple[float, bool] | None = None
    only: list[object] | None = None
    never: list[object] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    """What texts must contain, start or end with."""

    def narrow(self, operator: str, constant: object) -> None:
        if operator in ("==", "in"):
            allowed = list(constant) if isinstance(constant, tuple) else [constant]
            self.only = allowed if self.only is None else _shared(self.only, allowed)
        elif operator == "!=":
            self.never.append(constant)
        elif operator in HAS_PART and isinstance(constant, str):
            self.parts.append((operator, constant))
        elif isinstance(constant, bool) or not isinstance(constant, int | float):
            return  # the order of texts is left alone
        elif operator in (">", ">="):
            bound = (float(constant), operator == ">")
            self.low = bound if self.low is None else max(self.low, bound)
        else:
            bound = (float(constant), operator == "<")
            if self.high is None or bound[0] < self.high[0] or (bound[0] == self.high[0] and bound[1]):
                self.high = bound

    def empty(self) -> bool:
        if self.only is not None:
            return not any(self._inside(each) for each in self.only)
        if any(_exclude_each_other(one, two) for one, two in combinations(self.parts, 2)):
            return True
        if self.low is None or self.high is None:
            return False
        return self.low[0] > self.high[0] or (self.low[0] == self.high[0] and (self.low[1] or self.high[1]))

    def _inside(self, value: object) -> bool:
        if _has(self.never, value) or (self.parts and isinstance(value, bool)):
            return False
        if isinstance(value, str) and not all(HAS_PART[operator](value, part) for operator, part in self.parts):
            return False
        if self.low is None and self.high is None:
            return True
        if isinstance(value, str):
            value = number_of(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if self.low is not None and (value < self.low[0] or (value == self.low[0] and self.low[1])):
            return False
        return self.high is None or value < self.high[0] or (value == self.high[0] and not self.high[1])


def _exclude_each_other(one: tuple[str, str], two: tuple[str, str]) -> bool:
    """Whether no text starts, or ends, with both."""
    operator, short = min(one, two, key=lambda each: len(each[1]))
    other, long = max(two, one, key=lambda each: len(each[1]))
    return operator == other and operator != "contains" and not HAS_PART[operator](long, short)


def _shared(one: list[object], two: list[object]) -> list[object]:
    """What both allow; of a number and a text that is this number, the text."""
    return [
        *(each for each in one if _has(two, each) or _is_one_of(each, two)),
        *(each for each in two if _is_one_of(each, one)),
    ]


def _is_one_of(text: object, values: list[object]) -> bool:
    """Whether it is a text that is one of the numbers."""
    return isinstance(text, str) and (number := number_of(text)) is not None and _has(values, number)


def _has(values: list[object], value: object) -> bool:
    return any(
        type(each) is type(value) or {type(each), type(value)} == {int, float} for each in values if each == value
    )
