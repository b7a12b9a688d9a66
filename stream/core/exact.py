"""Counts and sums of a life, exact however large.

Those that a double holds exactly, too, stand in the life's vecs, where they take neither an object nor time; others in
a dictionary beside, under their slot, or for a fact under -1 - its index.
"""

from typing import Final

from librt.vecs import vec
from mypy_extensions import i64

from stream.core.customer import IN_LARGE, Life

LIMIT: Final = 1 << 52
"""Numbers in a vec are smaller than this in magnitude, so that a thousand of them can be added up in 64 bits."""
MILLION: Final = 1_000_000
_FAST: Final = 2.0**51
_ROUNDING: Final = 1.5 * 2.0**52
"""Added to a number below _FAST in magnitude, it leaves no place for a fraction: a half goes to the even side."""


def points_of(life: Life, slot: i64) -> int:
    """Millionths in a slot of a permanent score."""
    return _number(life, life.millionths, slot, slot)


def set_points(life: Life, slot: i64, number: int) -> None:
    """Let a slot have that many millionths."""
    _set(life, life.millionths, slot, slot, number)


def add_points(life: Life, slot: i64, amount: float) -> None:
    """Add an amount to a slot, rounded to a millionth."""
    _add(life, life.millionths, slot, slot, amount * 1e6)


def number_of_fact(life: Life, index: i64) -> int:
    """A count, or a sum in millionths."""
    return _number(life, life.numbers, index, -1 - index)


def set_number_of_fact(life: Life, index: i64, number: int) -> None:
    """Let a count or a sum be that much."""
    _set(life, life.numbers, index, -1 - index, number)


def add_to_sum(life: Life, index: i64, amount: float) -> None:
    """Add an amount to a sum, rounded to a millionth."""
    _add(life, life.numbers, index, -1 - index, amount * 1e6)


def add_to_count(life: Life, index: i64, sign: int) -> None:
    """Count one more, or one less."""
    number = life.numbers[index]
    if -LIMIT + 1 < number < LIMIT - 1:
        life.numbers[index] = number + sign
    else:
        set_number_of_fact(life, index, number_of_fact(life, index) + sign)


def in_units(millionths: int) -> float:
    """Millionths as the number that a reader sees."""
    return millionths / MILLION


def _number(life: Life, numbers: vec[i64], place: i64, key: i64) -> int:
    number = numbers[place]
    if number == IN_LARGE:
        assert life.large is not None
        return life.large[key]
    return number


def _set(life: Life, numbers: vec[i64], place: i64, key: i64, number: int) -> None:
    large = life.large
    if -LIMIT < number < LIMIT:
        numbers[place] = number
        if large is not None:
            large.pop(key, None)
            if not large:
                life.large = None
        return
    numbers[place] = IN_LARGE
    if large is None:
        large = life.large = {}
    large[key] = number


def _add(life: Life, numbers: vec[i64], place: i64, key: i64, amount: float) -> None:
    before = numbers[place]
    if -_FAST < amount < _FAST and before != IN_LARGE:
        whole: i64 = int(amount + _ROUNDING - _ROUNDING)
        after = before + whole
        if -LIMIT < after < LIMIT:
            numbers[place] = after
            return
    _set(life, numbers, place, key, _number(life, numbers, place, key) + round(amount))
