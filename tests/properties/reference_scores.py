"""What each signal adds to a score at some time, from all that ever counted."""

from __future__ import annotations

from collections.abc import Sequence

from tests.properties.reference_expiring import expiring_points
from tests.properties.reference_history import Counted
from tests.properties.reference_lifecycle import Lifecycle
from tests.properties.reference_values import mapping, millionths

VANISHED = 2.0**-30
"""A decaying score below this magnitude is 0."""


class Score:
    """One score of a lifecycle, after this history."""

    def __init__(self, lifecycle: Lifecycle, name: str, history: Sequence[Counted]) -> None:
        self.lifecycle = lifecycle
        self.name = name
        self.half_life = lifecycle.half_life(name)
        self.history = history
        self.signals = [each for each, told in lifecycle.signals.items() if name in mapping(told.get("add"))]
        """Those that name it, in file order."""

    def points(self, signal: str, t: int) -> float:
        """What a signal's points come to at t."""
        return self.millionths(signal, t) / 1e6 if self.half_life is None else self.decayed(signal, t)

    def millionths(self, signal: str, t: int) -> int:
        """What a signal adds to a permanent score at t."""
        told = self.lifecycle.signals[signal]
        counted = [each for each in self.history if each.signal == signal]
        if "expires" in told:
            return expiring_points(told, counted, self.name, t)
        return sum(millionths(each.added[self.name]) for each in counted if self.name in each.added)

    def decayed(self, signal: str, t: int) -> float:
        """What a signal adds to a decaying score at t."""
        assert self.half_life is not None
        total = 0.0
        for each in self.history:
            if each.signal == signal and self.name in each.added:
                total += each.added[self.name] * 2.0 ** -((t - each.at) / self.half_life)
        return total

    def raw(self, t: int) -> float:
        """The sum of the signals before clamps: in file order, of a permanent score exactly."""
        if self.half_life is None:
            return sum(self.millionths(signal, t) for signal in self.signals) / 1e6
        total = 0.0
        for signal in self.signals:
            total += self.decayed(signal, t)
        return total

    def read(self, raw: float) -> float:
        """The score as it is read: nothing below 2^-30, then clamped."""
        limits = self.lifecycle.scores[self.name]
        read = 0.0 if self.half_life is not None and abs(raw) < VANISHED else raw
        if isinstance(low := limits.get("min"), int | float):
            read = max(read, float(low))
        if isinstance(high := limits.get("max"), int | float):
            read = min(read, float(high))
        return read
