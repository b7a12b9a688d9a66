"""What each signal adds to a score at some time, from all that ever counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.properties.reference_expiring import expiring_points
from tests.properties.reference_floor import floored
from tests.properties.reference_history import Counted, Reset, is_gone
from tests.properties.reference_latest import latest_points
from tests.properties.reference_lifecycle import Lifecycle
from tests.properties.reference_values import MILLION, Source, listed, mapping, millionths, number

VANISHED = 2.0**-30
"""A decaying score below this magnitude is 0."""


class Score:
    """One score of a lifecycle, after this history."""

    def __init__(
        self, lifecycle: Lifecycle, name: str, history: Sequence[Counted], resets: Mapping[str, Sequence[Reset]]
    ) -> None:
        self.lifecycle = lifecycle
        self.name = name
        self.half_life = lifecycle.half_life(name)
        self.history = history
        self.resets = resets
        """Of each score."""
        self.signals = [each for each, told in lifecycle.signals.items() if name in scores_of(told)]
        """Those that name it, in file order."""

    def points(self, signal: str, t: int) -> float:
        """What a signal's points come to at t."""
        return self.millionths(signal, t) / MILLION if self.half_life is None else self.decayed(signal, t)

    def count(self, signal: str) -> int:
        """How often a signal has counted; of the latest value, whether there is one."""
        counted = self.counted(signal)
        if "latest" in self.lifecycle.signals[signal]:
            return latest_points(counted, self.resets[self.name], self.name)[1]
        return len(counted)

    def counted(self, signal: str) -> list[Counted]:
        """What counted of a signal."""
        return [each for each in self.history if each.signal == signal]

    def living(self) -> list[Counted]:
        """What counted and has points here that are not reset."""
        resets = self.resets[self.name]
        return [each for each in self.history if self.name in each.added and not is_gone(each, resets)]

    def millionths(self, signal: str, t: int) -> int:
        """What a signal adds to a permanent score at t."""
        told, resets = self.lifecycle.signals[signal], self.resets[self.name]
        floor = self.lifecycle.scores[self.name].get("floor")
        if floor is not None:
            return floored(self.history, resets, self.name, number(floor)).get(signal, 0)
        if "expires" in told:
            return expiring_points(told, self.counted(signal), self.resets, self.name, t)
        if "latest" in told:
            return latest_points(self.counted(signal), resets, self.name)[0]
        return sum(millionths(each.added[self.name]) for each in self.living() if each.signal == signal)

    def decayed(self, signal: str, t: int) -> float:
        """What a signal adds to a decaying score at t."""
        assert self.half_life is not None
        total = 0.0
        for each in self.living():
            if each.signal == signal:
                total += each.added[self.name] * 2.0 ** -((t - each.at) / self.half_life)
        return total

    def raw(self, t: int) -> float:
        """The sum of the signals before clamps: in file order, of a permanent score exactly."""
        if self.half_life is None:
            return sum(self.millionths(signal, t) for signal in self.signals) / MILLION
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


def scores_of(signal: Source) -> list[object]:
    """The scores that a signal adds to."""
    return [*mapping(signal.get("add")), *listed(signal.get("to"))]
