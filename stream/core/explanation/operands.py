"""What stands on the two sides of a comparison, at present."""

from typing import Final

from stream.core import facts, scoring
from stream.core.accessors import lowered
from stream.core.customer import Life
from stream.core.explanation.explanation import Needed, Unit
from stream.core.expressions import EVENT_ROOTS, Call, Duration, Literal, Name, Operand
from stream.core.facts import Fact
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import Value

_COUNTS: Final = ("count", "rolling", "ledger_count")
TIMES: Final = ("first", "last", "latest_time")
"""Kinds of facts that are a time."""


class Present:
    """One side of a comparison."""

    def __init__(self, unit: Unit | None, value: Needed | None, whole: bool = False, varied: bool = False) -> None:
        """What it is, and nothing more."""
        self.unit = unit
        self.value = value
        """None where it does not exist, or is the interaction's."""
        self.whole = whole
        """Whatever it may become, it is a whole number."""
        self.varied = varied
        """It is of whatever type was last seen: a text that is a number may stand for that."""


def names_interaction(operand: Operand) -> bool:
    """Whether only an interaction has it."""
    if isinstance(operand, Call):
        operand = operand.name
    return isinstance(operand, Name) and operand.path[0] in EVENT_ROOTS


def present(operand: Operand, lifecycle: Lifecycle, life: Life) -> Present:
    """What an operand is at the life's clock."""
    if isinstance(operand, Literal):
        return _literal(operand)
    if isinstance(operand, Duration):
        return Present("duration", operand.value, whole=True)
    if names_interaction(operand):
        return Present(None, None)
    if isinstance(operand, Call):
        return _call(operand, lifecycle, life)
    name = operand.path[0]
    for score in lifecycle.scores:
        if score.name == name:
            return Present("number", scoring.read(score, life, life.clock))
    if (fact := _fact(name, lifecycle)) is not None:
        return _of_fact(fact, life)
    for band in lifecycle.bands:
        if band.name == name:
            return Present("text", band.value(life, life.clock))
    if name == "identified":
        return Present("boolean", life.identified)
    if name == "stage":
        return Present("text", life.stage)
    began: int = life.active if name == "idle" else life.entered
    return Present("duration", int(life.clock) - began, whole=True)


def _literal(literal: Literal) -> Present:
    value = literal.value
    if isinstance(value, tuple):
        # A list has constants alone, none of them a list.
        return Present(None, tuple(each.value for each in value if not isinstance(each.value, tuple)))
    return Present(_unit_of(value), value)


def _call(call: Call, lifecycle: Lifecycle, life: Life) -> Present:
    fact = _fact(call.name.path[0], lifecycle)
    assert fact is not None, "these functions are of facts, or of an interaction"
    value = facts.value(fact, life, life.clock)
    if call.function == "exists":
        return Present("boolean", value is not None)
    if call.function == "lower":
        found = lowered(value)
        return Present("text", found if isinstance(found, str) else None)
    if value is None or isinstance(value, str):
        return Present("duration", None, whole=True)
    time = int(value)
    now = int(life.clock)
    return Present("duration", time - now if call.function == "until" else now - time, whole=True)


def _fact(name: str, lifecycle: Lifecycle) -> Fact | None:
    for fact in lifecycle.facts:
        if fact.name == name:
            return fact
    return None


def _of_fact(fact: Fact, life: Life) -> Present:
    value = facts.value(fact, life, life.clock)
    if fact.kind in TIMES:
        return Present("time", value, whole=True)
    unit = None if value is None else _unit_of(value)
    return Present(unit, value, whole=fact.kind in _COUNTS, varied=fact.kind == "latest")


def _unit_of(value: Value) -> Unit:
    return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
