"""Scores with a floor (rule 25), added up interaction by interaction.

Where the text has two readings: the negative contributions from which is taken what was lifted are those of the
interaction at hand, one for each signal, its elements together. They always suffice, and what is told of a signal then
is what it really added.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.properties.reference_history import Counted, Reset, is_gone
from tests.properties.reference_values import millionths


def floored(history: Sequence[Counted], resets: Sequence[Reset], score: str, floor: float) -> dict[str, int]:
    """What each signal really added to a score, in millionths."""
    totals: dict[str, int] = {}
    for arrival in sorted({each.arrival for each in history} | {each.arrival for each in resets}):
        until_now = [each for each in resets if each.arrival <= arrival]
        if any(each.arrival == arrival for each in until_now):
            totals = {}
        added: dict[str, int] = {}
        for each in history:
            if each.arrival == arrival and score in each.added and not is_gone(each, until_now):
                added[each.signal] = added.get(each.signal, 0) + millionths(each.added[score])
        lifted = max(0, millionths(floor) - sum(totals.values()) - sum(added.values()))
        for signal in sorted(added):
            taken = min(lifted, max(0, -added[signal]))
            lifted -= taken
            totals[signal] = totals.get(signal, 0) + added[signal] + taken
    return totals
