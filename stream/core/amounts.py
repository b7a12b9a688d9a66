"""Numbers that points, sums and ledgers take: constants, properties, and products of both (rule 16)."""

from math import isfinite

from stream.core.event import Event, PropertyPath, lookup
from stream.core.scoring import LIMIT, number
from stream.core.text_numbers import number_of


class Amount:
    """A number; this one is a constant."""

    def __init__(self, text: str, constant: float = 0.0) -> None:
        self.text = text
        """As the lifecycle file has it."""
        self.constant = constant
        self.paths: tuple[PropertyPath, ...] = ()
        """The properties that it is made of."""

    def of(self, event: Event) -> float | None:
        """The number for an interaction; None where it is absent, no number, or not below 1e15 in magnitude."""
        return self.constant


class PropertyAmount(Amount):
    """The number at one path."""

    def __init__(self, text: str, path: PropertyPath) -> None:
        super().__init__(text)
        self.path = path
        self.paths = (path,)

    def of(self, event: Event) -> float | None:
        return number(lookup(self.path, event))


class Product(Amount):
    """Factors multiplied from left to right, as doubles; the factors themselves are not bounded."""

    def __init__(self, text: str, negative: bool, factors: tuple[PropertyPath | float, ...]) -> None:
        super().__init__(text)
        self.negative = negative
        self.factors = factors
        self.paths = tuple(each for each in factors if isinstance(each, PropertyPath))

    def of(self, event: Event) -> float | None:
        product = -1.0 if self.negative else 1.0
        for each in self.factors:
            factor = _factor(lookup(each, event)) if isinstance(each, PropertyPath) else each
            if factor is None:
                return None
            product *= factor
        return product if -LIMIT < product < LIMIT else None


def _factor(value: object) -> float | None:
    """A value as a finite double; None where it is no number."""
    if isinstance(value, str):
        value = number_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None
