"""Constants that contradict each other: what can be seen at load without any data.

Each operand that is compared with constants gets the set of values left to it; none left means that the
condition never holds. A number there stands for the texts that are this number, too (rule 16).
"""

from dataclasses import dataclass, field
from itertools import product

from stream.core.expressions import And, Bare, Call, Comparison, ConditionError, Duration, Literal, Name, Node, Not, Or
from stream.core.operators import MIRRORED
from stream.core.text_numbers import number_of

OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MAX_CASES = 256

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
    for node, negated in case:
        if not isinstance(node, Comparison | Bare):
            continue
        found = _constraint(node, negated=negated)
        if found is None:
            continue
        operand, operator, constant = found
        values = left.setdefault(operand, _Values())
        values.narrow(operator, constant)
        if values.empty():
            return node
    return None


def _constraint(node: Comparison | Bare, *, negated: bool) -> tuple[str, str, object] | None:
    if isinstance(node, Bare):
        return _operand(node.operand), "!=" if negated else "==", True
    operator, left, right = node.operator, node.left, node.right
    if isinstance(left, Literal | Duration):
        left, right = right, left
        operator = MIRRORED.get(operator, "")
    if not isinstance(right, Literal | Duration) or not operator:
        return None
    if operator == "in" and isinstance(right, Literal) and isinstance(right.value, tuple):
        return None if negated else (_operand(left), "in", tuple(each.value for each in right.value))
    if negated and not _always_there(left):
        return None  # `not` also holds where the value is absent
    return _operand(left), OPPOSITE[operator] if negated else operator, right.value


def _operand(operand: object) -> str:
    return f"{operand.function}({operand.name})" if isinstance(operand, Call) else str(operand)


def _always_there(operand: object) -> bool:
    return isinstance(operand, Name) and operand.path[0] in ("stage", "idle", "in_stage", "identified")


@dataclass
class _Values:
    """What is left of an operand's values: an interval, a set that it must be in, values that it must not be."""

    low: tuple[float, bool] | None = None
    high: tuple[float, bool] | None = None
    only: list[object] | None = None
    never: list[object] = field(default_factory=list)

    def narrow(self, operator: str, constant: object) -> None:
        if operator in ("==", "in"):
            allowed = list(constant) if isinstance(constant, tuple) else [constant]
            self.only = allowed if self.only is None else _shared(self.only, allowed)
        elif operator == "!=":
            self.never.append(constant)
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
        if self.low is None or self.high is None:
            return False
        return self.low[0] > self.high[0] or (self.low[0] == self.high[0] and (self.low[1] or self.high[1]))

    def _inside(self, value: object) -> bool:
        if _has(self.never, value):
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
