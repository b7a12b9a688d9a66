"""Conditions over a stage change once more, straight from the rules: trees of tuples over the JSON object as it is.

    ("and", [tree, …])  ("or", [tree, …])  ("not", tree)  ("true", operand)  (operator, operand, operand)

An operand is ("name", text), ("lower" | "since" | "until" | "exists", text), ("is", constant) or ("length", ms).
Written without a look at the product: nothing is shared but Python's own comparison of two numbers or two texts.
"""

import json
import math
import re
from typing import Any

JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?", re.ASCII)
ORDER = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def holds(tree: Any, change: dict[str, Any]) -> bool:
    """Whether a tree holds for the value of a stage change."""
    match tree:
        case ("and", parts):
            return all(holds(part, change) for part in parts)
        case ("or", parts):
            return any(holds(part, change) for part in parts)
        case ("not", part):
            return not holds(part, change)
        case ("true", operand):
            return value_of(operand, change) is True
        case ("in", one, ("is", list() as constants)):
            return any(compared(one, "==", ("is", each), change) for each in constants)
        case ("in", one, many):
            return value_of(one, change) in (value_of(many, change) or [])
        case ("contains" | "starts" | "ends" as operator, one, (_, part)):
            return has_part(operator, value_of(one, change), part)
        case (operator, one, other):
            return compared(one, operator, other, change)
    raise AssertionError(tree)


def has_part(operator: str, found: Any, part: str) -> bool:
    if isinstance(found, list):
        return operator == "contains" and part in found
    if not isinstance(found, str):
        return False
    return {"contains": part in found, "starts": found[: len(part)] == part, "ends": found.endswith(part)}[operator]


def compared(one: Any, operator: str, other: Any, change: dict[str, Any]) -> bool:
    a, b = value_of(one, change), value_of(other, change)
    if is_number(a) and isinstance(b, str) and other[0] != "is":
        b = number_in(b)
    if is_number(b) and isinstance(a, str) and one[0] != "is":
        a = number_in(a)
    if isinstance(a, bool) and isinstance(b, bool):
        return operator in ("==", "!=") and ORDER[operator](a, b)
    alike = (isinstance(a, str) and isinstance(b, str)) or (is_number(a) and is_number(b))
    return alike and ORDER[operator](a, b)


def is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def number_in(text: str) -> Any:
    """The number that JSON would have; None where it is none, or not finite as a double."""
    if not JSON_NUMBER.fullmatch(text):
        return None
    found = json.loads(text)
    return found if math.isfinite(float(found)) else None


def value_of(operand: Any, change: dict[str, Any]) -> Any:
    kind, what = operand
    if kind in ("is", "length"):
        return what
    if kind in ("since", "until"):
        time = change["facts"].get(what.removeprefix("facts."))
        if not is_number(time) or isinstance(time, float):
            return None
        return change["at"] - time if kind == "since" else time - change["at"]
    found = named(what, change)
    if kind == "exists":
        return found is not None
    if kind == "lower":
        if isinstance(found, list):
            return [each.lower() for each in found]
        return found.lower() if isinstance(found, str) else None
    return found


def named(name: str, change: dict[str, Any]) -> Any:
    if name.startswith("facts."):
        return change["facts"].get(name[6:])
    if name.startswith("scores."):
        return change["scores"].get(name[7:])
    if name in ("trigger", "trigger.type", "late"):
        return change["trigger"][{"trigger": "kind", "trigger.type": "type", "late": "late"}[name]]
    if name in change:
        return change[name]
    if name in ("customer_id", "anonymous_id"):
        return None
    return change["scores"].get(name, change["facts"].get(name))
