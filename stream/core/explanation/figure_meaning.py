"""What a figure means, in words for people who read its numbers."""

from typing import Final

from stream.core.figures import Figure
from stream.core.time_zone import Unit

_COARSER: Final[dict[str, tuple[Unit, ...]]] = {"day": ("week", "month"), "week": ("month",)}


def meaning_of(figure: Figure, per: Unit = "day") -> str:
    """What it counts or adds, what only once, and what is taken away; `per`: what its values are told of.

    Where a customer counts a number of times a day, week or month it says what that makes of longer times.
    """
    each = f"each {_any(figure.words)}"
    if figure.over:
        each = f"each element of {figure.over} of {each}"
    text = f"counts {each}" if figure.amount is None else f"adds {figure.amount.text} of {each}"
    if figure.where:
        text += f", where {' '.join(figure.where.split())}"
    if figure.ledger_name:
        text += f", each order of the ledger {figure.ledger_name} once"
    if figure.per == "ever":
        text += ", once for each customer"
    elif figure.per:
        text += f", at most {figure.times} a {figure.per} for each customer"
    if figure.minus:
        returned = _any(figure.minus)
        text += f", minus {returned} on the day of the {'order' if figure.on_order_day else returned}"
    if figure.per and figure.per != "ever":
        adds = f"a {per} and a total add up their" if per in _COARSER.get(figure.per, ()) else "a total adds up its"
        text += f"; {adds} {figure.per}s: who counts in two of them counts twice"
    return text


def _any(words: tuple[str, ...]) -> str:
    return " or ".join(words)
