"""The parts of a condition as they run: comparisons, and their joining by `and`, `or` and `not`.

Each knows whether it holds and, for the search of deadlines, whether time alone may make it hold and when its
answer changes. A comparison with a value that does not exist, or between different types, is false, also `!=`.
"""

from typing import Any

from mypy_extensions import i64

from stream.core.accessors import Accessor, Number
from stream.core.customer import Life
from stream.core.event import Event
from stream.core.operators import EQ, GT, LE, LT, NE, compare_numbers
from stream.core.text_numbers import number_of


class Predicate:
    """Part of a condition; this one never holds."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        """Whether it holds for a life at a time, seeing an interaction or none."""
        return False

    def may(self, life: Life, now: i64) -> bool:
        """Whether it holds at `now` or may later, by the passing of time alone; True where that is not known."""
        return self.holds(life, now, None)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        """Add the times after `now` at which time alone may make it begin to hold (`up`) or end to."""


class IsTrue(Predicate):
    """A value is exactly true."""

    def __init__(self, accessor: Accessor) -> None:
        self.accessor = accessor

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return self.accessor.get(life, now, event) is True


class NumberPredicate(Predicate):
    """A number that time does not change, with a constant."""

    def __init__(self, number: Number, operator: int, constant: float) -> None:
        self.number = number
        self.operator = operator
        self.constant = constant

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return compare_numbers(self.operator, self.number.number(life, now), self.constant)


class TextPredicate(Predicate):
    """A value with a constant text: equal, or a text that is another."""

    def __init__(self, accessor: Accessor, text: str, equal: bool) -> None:
        self.accessor = accessor
        self.text = text
        self.equal = equal

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        return isinstance(found, str) and (found == self.text) == self.equal


class Compared(Predicate):
    """Any two values by any operator."""

    def __init__(self, left: Accessor, operator: int, right: Accessor) -> None:
        self.left = left
        self.operator = operator
        self.right = right

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return compare(self.left.get(life, now, event), self.operator, self.right.get(life, now, event))


class NumberLike(Predicate):
    """A value that may be a number, or a text that is one, with what is a number."""

    def __init__(self, accessor: Accessor, operator: int, number: Accessor) -> None:
        self.accessor = accessor
        self.operator = operator
        self.number = number

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        if isinstance(found, str):
            found = number_of(found)
        return compare(found, self.operator, self.number.get(life, now, event))


class Among(Predicate):
    """A value is one of some constants."""

    def __init__(self, accessor: Accessor, constants: tuple[object, ...]) -> None:
        self.accessor = accessor
        self.constants = constants

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        for each in self.constants:
            if compare(found, EQ, each):
                return True
        return False


class AmongNumbers(Among):
    """A value is one of some constants, or a text that is one of the numbers among them."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        number = number_of(found) if isinstance(found, str) else None
        for each in self.constants:
            if compare(found, EQ, each) or (number is not None and compare(number, EQ, each)):
                return True
        return False


class Within(Predicate):
    """A value is in the list that a property holds."""

    def __init__(self, accessor: Accessor, many: Accessor) -> None:
        self.accessor = accessor
        self.many = many

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.many.get(life, now, event)
        if not isinstance(found, list):
            return False
        wanted = self.accessor.get(life, now, event)
        for each in found:
            if compare(wanted, EQ, each):
                return True
        return False


class NumberWithin(Within):
    """A number is in the list that a property holds, as a number or as a text that is one."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.many.get(life, now, event)
        if not isinstance(found, list):
            return False
        wanted = self.accessor.get(life, now, event)
        for each in found:
            if compare(wanted, EQ, number_of(each) if isinstance(each, str) else each):
                return True
        return False


class Not(Predicate):
    """Another predicate does not hold."""

    def __init__(self, predicate: Predicate, timed: bool) -> None:
        self.predicate = predicate
        self.timed = timed
        """Time alone may change its answer."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return not self.predicate.holds(life, now, event)

    def may(self, life: Life, now: i64) -> bool:
        return self.timed or self.holds(life, now, None)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        self.predicate.turns(life, now, not up, moments)


class AllOf(Predicate):
    """Every part holds."""

    def __init__(self, parts: tuple[Predicate, ...]) -> None:
        self.parts = parts

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        for part in self.parts:
            if not part.holds(life, now, event):
                return False
        return True

    def may(self, life: Life, now: i64) -> bool:
        for part in self.parts:
            if not part.may(life, now):
                return False
        return True

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        for part in self.parts:
            part.turns(life, now, up, moments)


class AnyOf(AllOf):
    """At least one part holds."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        for part in self.parts:
            if part.holds(life, now, event):
                return True
        return False

    def may(self, life: Life, now: i64) -> bool:
        for part in self.parts:
            if part.may(life, now):
                return True
        return False


def compare(a: object, operator: int, b: object) -> bool:
    """Whether two values are of one type and `a operator b` holds; booleans, lists and objects have no order."""
    if isinstance(a, str):
        return isinstance(b, str) and _in_order(a, operator, b)
    if isinstance(a, bool):
        return isinstance(b, bool) and ((operator == EQ and a == b) or (operator == NE and a != b))
    if isinstance(a, int | float):
        return isinstance(b, int | float) and not isinstance(b, bool) and _in_order(a, operator, b)
    return False


def _in_order(a: Any, operator: int, b: Any) -> bool:
    """As Python orders them: numbers exactly, whole ones beyond what a double holds too; text by code point."""
    if operator == EQ:
        return bool(a == b)
    if operator == NE:
        return bool(a != b)
    if operator == LT:
        return bool(a < b)
    if operator == LE:
        return bool(a <= b)
    return bool(a > b) if operator == GT else bool(a >= b)
