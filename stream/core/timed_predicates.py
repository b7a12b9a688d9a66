"""Comparisons of what changes with time alone, with constants: each knows when its answer changes."""

from typing import Final

from mypy_extensions import i64

from stream.core import facts, scoring
from stream.core.accessors import Accessor, Anchor
from stream.core.customer import NEVER, NONE, Life
from stream.core.event import Event
from stream.core.facts import Fact
from stream.core.interaction import MAX_TIME
from stream.core.operators import GE, GT, LE, compare_numbers, grows
from stream.core.predicates import Among, Predicate
from stream.core.scoring import Score

ALL_OF_TIME: Final = 1 << 60
"""More milliseconds than lie between any two times; a condition may name any length."""


class ScorePredicate(Predicate):
    """A decaying score with a constant: its answer changes at most once by time alone, to that of 0."""

    def __init__(self, score: Score, operator: int, constant: float) -> None:
        self.score = score
        self.operator = operator
        self.constant = constant
        self.ends = compare_numbers(operator, score.clamp(0.0), constant)
        """Whether it holds once everything has decayed."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return compare_numbers(self.operator, scoring.read(self.score, life, now), self.constant)

    def may(self, life: Life, now: i64) -> bool:
        return self.ends or self.holds(life, now, None)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        if self.ends == up:
            moment = scoring.crossing(self.score, life, now, self.operator, self.constant)
            if moment != NEVER:
                moments.append(moment)


class ElapsedPredicate(Predicate):
    """The time since an anchor with a constant duration."""

    def __init__(self, anchor: Anchor, operator: int, length: int) -> None:
        self.anchor = anchor
        self.operator = operator
        self.length = length
        self.ends = grows(operator)
        self.flip: i64 = max(-ALL_OF_TIME, min(length + (1 if operator in (GT, LE) else 0), ALL_OF_TIME))
        """After how many milliseconds its answer changes."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        start = self.anchor.start(life)
        return start != NONE and (now - start >= self.flip) == self.ends

    def may(self, life: Life, now: i64) -> bool:
        start = self.anchor.start(life)
        return start != NONE and (self.ends or now - start < self.flip)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        if self.ends != up:
            return
        start = self.anchor.start(life)
        if start != NONE and now < start + self.flip <= MAX_TIME:
            moments.append(start + self.flip)


class ElapsedAtEvent(ElapsedPredicate):
    """The time that passed from an anchor to the interaction at hand, with a constant duration."""

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return event is not None and super().holds(life, event.time, event)


class RollingPredicate(Predicate):
    """A rolling count with a constant, by `<` or `<=` and their opposites: it falls by time alone."""

    def __init__(self, fact: Fact, operator: int, constant: float) -> None:
        self.fact = fact
        self.ends = not grows(operator)
        """Whether it holds below `count`; at and above it, it is the other way round."""
        self.count = 0
        while not compare_numbers(GT if operator in (LE, GT) else GE, self.count, constant) and self.count <= fact.keep:
            self.count += 1

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return (facts.rolling(self.fact, life, now) < self.count) == self.ends

    def may(self, life: Life, now: i64) -> bool:
        return self.ends or self.holds(life, now, None)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        if self.ends == up and self.count > 0:
            moment = facts.end_below(self.fact, life, now, self.count)
            if moment != NEVER:
                moments.append(moment)


class RollingAmong(Among):
    """A rolling count is one of some constants, or (negated outside) is not."""

    def __init__(self, fact: Fact, accessor: Accessor, constants: tuple[object, ...]) -> None:
        super().__init__(accessor, constants)
        self.fact = fact

    def may(self, life: Life, now: i64) -> bool:
        return True

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        moments.extend(facts.ends(self.fact, life, now))
