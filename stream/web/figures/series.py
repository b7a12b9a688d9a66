"""The numbers of one figure, rate, stage or move over the periods, against those before."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from stream.codec.figures import exact
from stream.core.figures import Figure, Rate

MILLION: Final = 1_000_000


class Values(NamedTuple):
    """Of each period, and of each as many days earlier as there are days; counts, or millionths of amounts."""

    now: Sequence[int]
    before: Sequence[int]

    @property
    def total(self) -> int:
        """Of all periods together."""
        return sum(self.now)

    @property
    def total_before(self) -> int:
        """Of as many days just before."""
        return sum(self.before)


def values_of(sums: Sequence[int] | None, periods: int) -> Values:
    """Of what was added up by span; None: there was nothing."""
    found = [0] * (2 * periods) if sums is None else sums
    return Values(found[periods:], found[:periods])


def figure_series(values: Values, *, money: bool, compared: bool) -> dict[str, Any]:
    """The values of a figure; `compared`: all days before are kept."""
    shown = [each / MILLION for each in values.now] if money else values.now
    total, before = values.total, values.total_before
    return {
        "values": shown,
        "exact": [exact_text(each, money=money) for each in values.now],
        "total": total / MILLION if money else total,
        "total_exact": exact_text(total, money=money),
        "before": (before / MILLION if money else before) if compared else None,
        "before_values": ([each / MILLION for each in values.before] if money else values.before) if compared else None,
        "change": change(total, before) if compared else None,
    }


def exact_text(number: int, *, money: bool) -> str:
    """A sum as a decimal number."""
    return exact(number) if money else str(number)


class Divided(NamedTuple):
    """The values of a rate; None where it would divide by 0."""

    now: list[float | None]
    before: list[float | None]
    total: float | None
    total_before: float | None


def rate_values(rate: Rate, of: Figure, to: Figure, dividends: Values, divisors: Values) -> Divided:
    """One figure divided by another, period by period and as a whole."""
    factor = (100 if rate.percent else 1) * (1 if of.is_money else MILLION)
    unit = 1 if to.is_money else MILLION

    def divided(dividend: int, divisor: int) -> float | None:
        return None if divisor == 0 else dividend * factor / (divisor * unit)

    return Divided(
        [divided(*each) for each in zip(dividends.now, divisors.now, strict=True)],
        [divided(*each) for each in zip(dividends.before, divisors.before, strict=True)],
        divided(dividends.total, divisors.total),
        divided(dividends.total_before, divisors.total_before),
    )


def rate_series(values: Divided, *, compared: bool) -> dict[str, Any]:
    """The values of a rate; `compared`: all days before are kept."""
    return {
        "values": values.now,
        "total": values.total,
        "before": values.total_before if compared else None,
        "before_values": values.before if compared else None,
        "change": change(values.total, values.total_before) if compared else None,
    }


def change(now: float | None, before: float | None) -> float | None:
    """By which share it is more than before, or less; None where there was nothing."""
    if now is None or not before:
        return None
    return (now - before) / abs(before)
