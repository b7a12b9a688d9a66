"""Points and sums that expire (rule 23), of which the largest times are kept.

Where the text was silent, or has two readings:
- Points of 0 are points, and take a place; what takes none is an interaction that gives no score a number.
- A sum has the `keep` of points, 64, where it has none.
- An entry whose points were all reset is gone, and takes no place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_history import Counted, Reset, Told
from tests.properties.reference_values import MILLION, Source, millionths, number

KEPT = 64


@dataclass(frozen=True)
class Entry:
    """What one interaction added, all its elements together, in millionths."""

    at: int
    arrival: int
    amounts: Mapping[str, int]
    """By score; a sum has one alone, without a name."""


def largest(entries: Sequence[Entry], told: Source) -> list[Entry]:
    """The entries with the largest times that are kept, among equal times the later arrivals."""
    keep = told.get("keep", KEPT)
    assert isinstance(keep, int)
    return sorted(entries, key=lambda each: (each.at, each.arrival))[-keep:]


def amount_within(entries: Sequence[Entry], name: str, length: object, t: int) -> int:
    """What entries come to at t that are younger than this length."""
    return sum(each.amounts.get(name, 0) for each in entries if t - each.at < milliseconds(str(length)))


def expiring_points(
    told: Source, counted: Sequence[Counted], resets: Mapping[str, Sequence[Reset]], score: str, t: int
) -> int:
    """What a signal adds to a score at t, in millionths; `resets` are those of each score."""
    entries: list[Entry] = []
    of_all = [each for several in resets.values() for each in several]
    for arrival in sorted({each.arrival for each in counted} | {each.arrival for each in of_all}):
        for reset in of_all:
            if reset.arrival == arrival:
                entries = [without(each, reset.score) for each in entries]
        new = [each for each in counted if each.arrival == arrival]
        amounts: dict[str, int] = {}
        for each in new:
            for name, points in each.added.items():
                if not any(reset.arrival <= arrival and each.at <= reset.at for reset in resets[name]):
                    amounts[name] = amounts.get(name, 0) + millionths(points)
        entries += [Entry(new[0].at, arrival, amounts)] if new else []
        entries = largest([each for each in entries if each.amounts], told)
    return amount_within(entries, score, told["expires"], t)


def without(entry: Entry, score: str) -> Entry:
    """The entry after a reset of a score."""
    return replace(entry, amounts={name: amount for name, amount in entry.amounts.items() if name != score})


def rolling_sum(told: Source, history: Sequence[Told], t: int) -> float:
    """The value of a sum with `within` at t."""
    entries = [
        Entry(at, arrival, {"": sum(amount_of(each) for each in history if each.arrival == arrival)})
        for at, arrival in {(each.at, each.arrival) for each in history}
    ]
    return amount_within(largest(entries, told), "", told["within"], t) / MILLION


def amount_of(told: Told) -> int:
    """What a sum takes of an interaction or element, in millionths."""
    return told.sign * millionths(number(told.value))
