"""The order of numbers by an operator that is known at load, as a small integer."""

from typing import Final

LT: Final = 0
LE: Final = 1
GT: Final = 2
GE: Final = 3
EQ: Final = 4
NE: Final = 5

OPERATOR: Final = {"<": LT, "<=": LE, ">": GT, ">=": GE, "==": EQ, "!=": NE}
"""By the text of a condition."""
MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""By operator, the one that says the same with its two sides exchanged."""


def compare_numbers(operator: int, a: float, b: float) -> bool:
    """Whether `a operator b` holds for two numbers."""
    if operator == GE:
        return a >= b
    if operator == LT:
        return a < b
    if operator == GT:
        return a > b
    if operator == LE:
        return a <= b
    return (a == b) == (operator == EQ)


def grows(operator: int) -> bool:
    """Whether `a operator b` can only begin to hold while `a` grows, and end while it falls."""
    return operator in (GT, GE)
