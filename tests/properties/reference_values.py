"""What an interaction says: values at paths, computed numbers, and what may be kept of them.

Where the text was silent (rule 16): a factor that is too large for a double is infinite, so that the whole is
absent; without `*` and `-`, a product is the property itself, taken as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.properties.reference_conditions import Missing, numeral
from tests.properties.reference_grammar import Bare, Constant, Name, parse, parse_product

MILLION = 1_000_000
"""A whole number, so that what is kept in millionths is read as the double that is nearest to it, however large."""
LARGEST = 1e15
"""Numbers at or above this magnitude are not taken from interactions."""

Source = Mapping[str, object]
"""A lifecycle or an interaction, as YAML or JSON gives it. With `over`, the element at hand is its `item`."""


def listed(value: object) -> list[object]:
    """The value where it is a list, nothing for None, else the list of it alone."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def mapping(value: object) -> Mapping[str, object]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def number(value: object) -> float:
    """A value that is known to be a number."""
    assert isinstance(value, int | float)
    return value


def time_of(interaction: Source) -> int:
    """When the interaction happened, ms since the epoch."""
    time = interaction["time"]
    assert isinstance(time, int)
    return time


def path_of(text: object) -> tuple[str, ...]:
    """The path of a property as written, such as `properties.a.b`."""
    atom = parse(str(text))
    assert isinstance(atom, Bare)
    assert isinstance(atom.operand, Name)
    return atom.operand.path


def found_at(interaction: Source, path: Sequence[str]) -> object:
    """What stands at a path such as `("properties", "a", "b")`; an explicit null is None."""
    value: object = interaction
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return Missing.ABSENT
        value = value[key]
    return value


def property_of(interaction: Source, path: Sequence[str]) -> object:
    """What stands at a path; null and absent are ABSENT."""
    value = found_at(interaction, path)
    return Missing.ABSENT if value is None else value


def countable(value: object) -> bool:
    """Whether a value is a number that scores and facts take."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def latest_of(value: object) -> bool:
    """Whether a `latest` fact takes this value."""
    text = isinstance(value, str) and len(value.encode()) <= 256
    return text or isinstance(value, bool) or countable(value)


def millionths(value: float) -> int:
    """A number in whole millionths, ties to even."""
    return round(value * 1e6)


def key_of(value: object) -> object:
    """What a value is told apart by (rule 18): a whole number is its decimal text; None where it is no key."""
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        return ("text", value) if value else None
    if isinstance(value, int | float):
        return ("text", str(int(value))) if value == int(value) else ("number", value)
    return None


def key_at(told: Source, name: str, interaction: Source) -> object:
    """The key at the path that stands under a name; None where there is no path or no key."""
    return key_of(property_of(interaction, path_of(told[name]))) if name in told else None


def computed(told: object, interaction: Source) -> float | None:
    """A number, or what the product that is told comes to (rule 16); None where that is not a number to take."""
    if not isinstance(told, str):
        return number(told) if countable(told) else None
    product = parse_product(told)
    factors = [numeral(factor_of(each, interaction)) for each in product.factors]
    if len(factors) > 1 or product.negative:
        result = 1.0
        for place, factor in enumerate(factors):
            if isinstance(factor, bool) or not isinstance(factor, int | float):
                return None
            result = as_double(factor) if place == 0 else result * as_double(factor)
        factors = [-result if product.negative else result]
    return number(factors[0]) if countable(factors[0]) else None


def factor_of(factor: Name | Constant, interaction: Source) -> object:
    """The value of one factor."""
    return factor.value if isinstance(factor, Constant) else property_of(interaction, factor.path)


def as_double(value: float) -> float:
    """A number of JSON as an IEEE double."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
