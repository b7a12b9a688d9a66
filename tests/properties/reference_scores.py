"""What each signal adds to a score at some time, from all that ever counted."""

from __future__ import annotations

from collections.abc import Sequence

from tests.properties.reference_history import Counted
from tests.properties.reference_lifecycle import Lifecycle
from tests.properties.reference_values import millionths

VANISHED = 2.0**-30
"""A decaying score below this magnitude is 0."""


def permanent_points(history: Sequence[Counted], score: str, signal: str) -> int:
    """What a signal adds to a permanent score, in millionths."""
    return sum(millionths(each.added[score]) for each in history if each.signal == signal and score in each.added)


def decaying_points(history: Sequence[Counted], score: str, signal: str, half_life: int, t: int) -> float:
    """What a signal adds to a decaying score at t."""
    total = 0.0
    for each in history:
        if each.signal == signal and score in each.added:
            total += each.added[score] * 2.0 ** -((t - each.at) / half_life)
    return total


def raw_score(lifecycle: Lifecycle, history: Sequence[Counted], score: str, t: int) -> float:
    """The sum of the signals before clamps: in file order, of a permanent score exactly."""
    half_life = lifecycle.half_life(score)
    if half_life is None:
        return sum(permanent_points(history, score, signal) for signal in lifecycle.signals) / 1e6
    total = 0.0
    for signal in lifecycle.signals:
        total += decaying_points(history, score, signal, half_life, t)
    return total


def read_score(lifecycle: Lifecycle, score: str, raw: float) -> float:
    """The score as it is read: nothing below 2^-30, then clamped."""
    limits = lifecycle.scores[score]
    read = 0.0 if lifecycle.half_life(score) is not None and abs(raw) < VANISHED else raw
    if isinstance(low := limits.get("min"), int | float):
        read = max(read, float(low))
    if isinstance(high := limits.get("max"), int | float):
        read = min(read, float(high))
    return read
