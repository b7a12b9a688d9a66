"""How far a comparison is from being as it should be."""

from math import ceil, floor, ulp
from typing import Final

from stream.core.explanation.operands import Present
from stream.core.operators import OPERATOR, compare_numbers
from stream.core.text_numbers import number_of

_OPPOSITE: Final = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def missing_of(one: Present, operator: str, other: Present, wanted: bool) -> float | None:
    """The least change of `one` by which `one operator other` becomes as `wanted`, which it is not.

    None where no number decides, where any change would do, and where none can.
    """
    if operator == "in":
        if not wanted or not isinstance(other.value, tuple):
            return None
        ways = [missing_of(one, "==", Present("number", each), True) for each in other.value]
        known = [way for way in ways if way is not None]
        return min(known, key=abs) if known else None
    if operator not in OPERATOR:
        return None
    value = _number(one, other)
    needed = _number(other, one)
    if value is None or needed is None:
        return None
    if not wanted:
        operator = _OPPOSITE[operator]
    return _whole_change(value, operator, needed) if one.whole else _change(value, operator, needed)


def _number(side: Present, opposite: Present) -> float | None:
    """Rule 16: a text of whatever type was last seen is a number where it is compared with what is always one."""
    value = side.value
    if isinstance(value, str) and side.varied and opposite.unit == "number" and not opposite.varied:
        value = number_of(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole_change(value: float, operator: str, needed: float) -> float | None:
    if operator == ">=":
        return ceil(needed) - int(value)
    if operator == ">":
        return floor(needed) + 1 - int(value)
    if operator == "<=":
        return floor(needed) - int(value)
    if operator == "<":
        return ceil(needed) - 1 - int(value)
    return int(needed) - int(value) if operator == "==" and needed == int(needed) else None


def _change(value: float, operator: str, needed: float) -> float | None:
    if operator == "!=":
        return None
    change = needed - value
    finest = ulp(float(max(abs(value), abs(needed))))
    for steps in range(4):  # the sum of the two is rounded; and what is more than a number begins with the next one
        for moved in (change + steps * finest, change - steps * finest):
            if compare_numbers(OPERATOR[operator], value + moved, needed):
                return moved
    return None
