"""Points and sums that expire (rule 23), of which the largest times are kept.

Where the text was silent, or has two readings:
- Points of 0 are points, and take a place; what takes none is an interaction that gives no score a number.
- A sum has the `keep` of points, 64, where it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_history import Counted, Told
from tests.properties.reference_values import Source, millionths, number

KEPT = 64


@dataclass(frozen=True)
class Entry:
    """What one interaction added, all its elements together, in millionths."""

    at: int
    arrival: int
    amount: int


def largest(entries: Sequence[Entry], told: Source) -> list[Entry]:
    """The entries with the largest times that are kept, among equal times the later arrivals."""
    keep = told.get("keep", KEPT)
    assert isinstance(keep, int)
    return sorted(entries, key=lambda each: (each.at, each.arrival))[-keep:]


def amount_within(entries: Sequence[Entry], told: Source, length: str, t: int) -> int:
    """What the kept entries come to at t that are younger than the length under this key."""
    within = milliseconds(str(told[length]))
    return sum(each.amount for each in largest(entries, told) if t - each.at < within)


def expiring_points(told: Source, counted: Sequence[Counted], score: str, t: int) -> int:
    """What a signal adds to a score at t, in millionths."""
    with_points = [each for each in counted if each.added]
    entries = [
        Entry(at, arrival, sum(millionths(each.added.get(score, 0)) for each in with_points if each.arrival == arrival))
        for at, arrival in {(each.at, each.arrival) for each in with_points}
    ]
    return amount_within(entries, told, "expires", t)


def rolling_sum(told: Source, history: Sequence[Told], t: int) -> float:
    """The value of a sum with `within` at t."""
    added = [
        (each.arrival, each.sign * millionths(each.value)) for each in history if isinstance(each.value, int | float)
    ]
    entries = [
        Entry(at, arrival, sum(amount for other, amount in added if other == arrival))
        for at, arrival in {(each.at, each.arrival) for each in history}
    ]
    return amount_within(entries, told, "within", t) / 1e6


def amount_of(told: Told) -> int:
    """What a sum takes of an interaction or element, in millionths."""
    return told.sign * millionths(number(told.value))
