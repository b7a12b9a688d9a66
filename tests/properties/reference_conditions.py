"""Conditions of the lifecycle language evaluated in three values: True, False, or None for "unknown".

Where the text was silent:
- A comparison with one side that names the interaction, while there is none, is unknown even where its other
  side does not exist.
- A null in a list is like an absent value: equal to nothing.
- A property that is a number is compared whatever its size; the limit of 1e15 is for what is kept.
- A time (a `first` or `last` fact) compares with another time only.
- A text that is a number is taken for one beside a number only: `in` with a list of literals asks element by
  element, so "5" is in [5] and in ["5"], and 5 is not in ["5"].
- `contains`, `starts` and `ends` are false of whatever is no text, and `contains` also of what is no list.
- `lower` of what is neither a text nor a list does not exist. In a list, what is no text stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from math import isfinite

from tests.properties.reference_grammar import (
    Atom,
    Bare,
    Condition,
    Constant,
    Duration,
    Junction,
    Name,
    Not,
    Operand,
    Time,
)

Truth = bool | None


class Missing(Enum):
    """Why an operand has no value."""

    ABSENT = "it does not exist"
    UNKNOWN = "it names the interaction, and there is none"


def evaluate(condition: Condition, truth_of: Callable[[Atom], Truth]) -> Truth:
    """The truth of a condition in Kleene's logic; every atom is asked, also where the answer is clear."""
    if isinstance(condition, Junction):
        truths = [evaluate(part, truth_of) for part in condition.parts]
        deciding = condition.word == "or"
        if deciding in truths:
            return deciding
        return None if None in truths else not deciding
    if isinstance(condition, Not):
        truth = evaluate(condition.part, truth_of)
        return None if truth is None else not truth
    return truth_of(condition)


def truth_of_atom(
    atom: Atom, value_of: Callable[[Operand], object], is_number: Callable[[Name], bool] = lambda _: False
) -> Truth:
    """The truth of one comparison or bare name, given the values of its operands.

    `is_number` tells the names of scores, counts and sums, which are numbers whatever happens.
    """
    if isinstance(atom, Bare):
        value = value_of(atom.operand)
        return None if value is Missing.UNKNOWN else value is True
    left, right = value_of(atom.left), value_of(atom.right)
    if Missing.UNKNOWN in (left, right):
        return None

    def certain(operand: Operand) -> bool:
        if isinstance(operand, Constant):
            return kind_of(operand.value) == "number"
        return isinstance(operand, Name) and is_number(operand)

    if atom.sign != "in":
        return compare(atom.sign, beside_number(left, certain(atom.right)), beside_number(right, certain(atom.left)))
    if not isinstance(right, list | tuple):
        return False
    literals = isinstance(atom.right, Constant)
    return any(
        compare(
            "==",
            beside_number(left, literals and kind_of(item) == "number"),
            beside_number(item, certain(atom.left)),
        )
        for item in right
    )


def beside_number(value: object, numeric: bool) -> object:
    """The value that counts; beside what is certainly a number, of a text that is one the number."""
    return numeral(value) if numeric else value


def numeral(value: object) -> object:
    """Of a text that is exactly a JSON number, finite as a double, that number; else the value itself."""
    if not isinstance(value, str) or value != value.strip() or value[:1] not in "-0123456789":
        return value
    try:
        found = json.loads(value)
        finite = isfinite(float(found))
    except (ValueError, OverflowError, TypeError):
        return value
    return found if finite and kind_of(found) == "number" else value


def compare(sign: str, left: object, right: object) -> bool:
    """One comparison of two values; false for absent values and for different types."""
    if sign == "in":
        return isinstance(right, list | tuple) and any(compare("==", left, item) for item in right)
    if sign in ("contains", "starts", "ends"):
        return fits(sign, left, right)
    kind = kind_of(left)
    if kind != kind_of(right) or kind in ("absent", "list", "object"):
        return False
    if sign in ("==", "!="):
        return (left == right) is (sign == "==")
    order = order_of(left, right)
    return kind != "boolean" and {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]


def fits(sign: str, left: object, right: object) -> bool:
    """Whether a text stands in another, at its start or at its end; or in a list, as an element."""
    if isinstance(left, list | tuple):
        return sign == "contains" and any(compare("==", element, right) for element in left)
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    return {"contains": right in left, "starts": left.startswith(right), "ends": left.endswith(right)}[sign]


def lowered(value: object) -> object:
    """A text in small letters, or a list with its texts so."""
    if isinstance(value, list | tuple):
        return [each.lower() if isinstance(each, str) else each for each in value]
    if isinstance(value, str):
        return value.lower()
    return value if value is Missing.UNKNOWN else Missing.ABSENT


def order_of(left: object, right: object) -> int:
    """Below, at or above 0 as the left value is less, equal or greater; both are of the same type."""
    if isinstance(left, Duration | Time) and isinstance(right, Duration | Time):
        left, right = left.ms, right.ms
    if isinstance(left, int | float) and isinstance(right, int | float):
        return (left > right) - (left < right)
    return (str(left) > str(right)) - (str(left) < str(right))


def kind_of(value: object) -> str:
    """The type of a value as the language sees it. A boolean is not a number, null is absent."""
    if value is None or isinstance(value, Missing):
        return "absent"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "list"
    return "object" if isinstance(value, Mapping) else type(value).__name__
