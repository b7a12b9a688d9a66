"""Numbers that change in steps by the passing of time alone, and comparisons of them with constants (rule 23).

Scores with points that expire, rolling sums, and what a ledger comes to within a time. Between two steps nothing
changes; so a comparison's answer can change at these moments only, and walking along them finds each.
"""

from mypy_extensions import i64

from stream.core import facts, scoring
from stream.core.accessors import Number
from stream.core.customer import Life
from stream.core.event import Event
from stream.core.exact import MILLION
from stream.core.facts import Fact
from stream.core.operators import EQ, compare_numbers
from stream.core.predicates import Predicate
from stream.core.scoring import Score
from stream.core.timed_points import Steps


class Stepping(Number):
    """A number that changes in steps; this one never does."""

    def steps(self, life: Life, now: i64) -> Steps:
        """When it changes after `now`, and by how much, in units of `value`; in no order."""
        return []

    def total(self, life: Life, now: i64) -> int:
        """The number in its own units: millionths, or a count."""
        return 0

    def value(self, total: int) -> float:
        """What a reader sees of `total`."""
        return total / MILLION

    def number(self, life: Life, now: i64) -> float:
        return self.value(self.total(life, now))

    def walk(self, life: Life, now: i64) -> list[tuple[int, float]]:
        """The moments after `now` at which it changes, ascending, and what it is from each on."""
        steps = self.steps(life, now)
        steps.sort()
        total = self.total(life, now)
        walked: list[tuple[int, float]] = []
        for place, (moment, change) in enumerate(steps):
            total += change
            if place + 1 == len(steps) or steps[place + 1][0] != moment:
                walked.append((moment, self.value(total)))
        return walked


class ExpiringScore(Stepping):
    """A permanent score with points that expire."""

    def __init__(self, score: Score) -> None:
        self.score = score

    def steps(self, life: Life, now: i64) -> Steps:
        return scoring.steps(self.score, life, now)

    def total(self, life: Life, now: i64) -> int:
        return scoring.millionths(self.score, life, now)

    def value(self, total: int) -> float:
        return self.score.clamp(total / MILLION)


class SteppingFact(Stepping):
    """A rolling sum, or the sum or count of a ledger within a time."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact
        self.counts = fact.kind == "ledger_count"
        self.only_falls = fact.ledger >= 0
        """Time alone never raises it: no entry is worth less than nothing."""

    def steps(self, life: Life, now: i64) -> Steps:
        return facts.steps(self.fact, life, now)

    def total(self, life: Life, now: i64) -> int:
        return facts.millionths(self.fact, life, now)

    def value(self, total: int) -> float:
        return float(total) if self.counts else total / MILLION


class SteppingPredicate(Predicate):
    """A number that changes in steps compares with a constant, or is one of several."""

    def __init__(self, number: Stepping, operator: int, constants: tuple[float, ...]) -> None:
        self.number = number
        self.operator = operator
        """With several constants: EQ."""
        self.constants = constants

    def test(self, value: float) -> bool:
        """Whether it holds of a value."""
        for constant in self.constants:
            if compare_numbers(self.operator, value, constant):
                return True
        return False

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        return self.test(self.number.number(life, now))

    def may(self, life: Life, now: i64) -> bool:
        return True

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        before = self.holds(life, now, None)
        for moment, value in self.number.walk(life, now):
            after = self.test(value)
            if after != before and after == up:
                moments.append(moment)
            before = after


def is_one_of(number: Stepping, constants: tuple[float, ...]) -> SteppingPredicate:
    """The predicate of `number in [...]`."""
    return SteppingPredicate(number, EQ, constants)
