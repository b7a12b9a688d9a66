"""Which conditions the passing of time alone can make true; which ones it can end is another matter."""

from stream.core.expressions import (
    And,
    Bare,
    Call,
    Comparison,
    Duration,
    Literal,
    Name,
    Node,
    Not,
    Operand,
    Or,
)
from stream.core.language.contradictions import MIRRORED, OPPOSITE
from stream.core.lifecycle import Lifecycle


def comes_with_time(lifecycle: Lifecycle, node: Node, *, negated: bool = False) -> bool:
    """Whether a comparison of the condition may turn true while nothing happens.

    Durations only grow, rolling counts only fall, and decaying scores only approach 0.
    """
    if isinstance(node, Not):
        return comes_with_time(lifecycle, node.part, negated=not negated)
    if isinstance(node, And | Or):
        return any(comes_with_time(lifecycle, part, negated=negated) for part in node.parts)
    if isinstance(node, Bare):
        return False
    return _comparison_comes(lifecycle, node, negated=negated)


def _comparison_comes(lifecycle: Lifecycle, node: Comparison, *, negated: bool) -> bool:
    operand, operator, constant = node.left, node.operator, node.right
    if isinstance(operand, Literal | Duration):
        operand, operator, constant = constant, MIRRORED.get(operator, operator), operand
    if negated:
        operator = OPPOSITE.get(operator, operator)
    if isinstance(operand, Call):
        return operand.function == "since" and operator in (">", ">=")
    if not isinstance(operand, Name) or len(operand.path) > 1:
        return False
    name = operand.path[0]
    if name in ("idle", "in_stage"):
        return operator in (">", ">=")
    if any(score.name == name and score.half_life is not None for score in lifecycle.scores):
        number = _number(constant)
        # One that is below 0 rises, one above falls, and both end at 0.
        return (number == 0 and "=" in operator) or (number < 0 if operator.startswith(">") else number > 0)
    rolling = any(fact.name == name and fact.kind == "rolling" for fact in lifecycle.facts)
    return rolling and operator not in (">", ">=")


def _number(constant: Operand) -> float:
    value = constant.value if isinstance(constant, Literal) else 0
    return value if isinstance(value, int | float) else 0
