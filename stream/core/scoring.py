"""Scores: sums of points that decay, or integer millionths that do not.

A decaying score at time t is  sum(points * 2^-((t - t_i) / half_life)): exponential decay, of which a
running sum rebased to its latest time is the exact state, whatever the order of arrival.
"""

from dataclasses import dataclass
from math import log2
from math import pow as power
from typing import Final, cast

from mypy_extensions import i64

from stream.core import timed_points
from stream.core.customer import IN_LARGE, NEVER, Life
from stream.core.exact import MILLION, add_points, points_of, set_points
from stream.core.interaction import MAX_TIME
from stream.core.memory import TimedPoints
from stream.core.operators import compare_numbers
from stream.core.text_numbers import number_of

ZERO: Final = 2.0**-30
"""A score of a smaller magnitude is 0."""
LIMIT: Final = 1e15
"""Points and facts are numbers below this in magnitude."""
_FEW: Final = 1_000
"""So many numbers of `stream.core.exact` can be added up in 64 bits."""
_EXACT: Final = 1 << 53
"""Whole numbers below this are doubles, too."""


@dataclass(frozen=True)
class Expiring:
    """Where points of a permanent score are that leave it by and by."""

    slot: int
    place: int
    """In `Memory.signals`."""
    column: int
    within: int
    """Milliseconds."""

    def millionths(self, life: Life, now: i64) -> int:
        """What is in the score at `now`."""
        return timed_points.sum_at(self.points(life), self.column, now, self.within)

    def points(self, life: Life) -> TimedPoints:
        """All that may still be there."""
        assert life.memory is not None
        return cast("TimedPoints", life.memory.signals[self.place])


@dataclass(frozen=True)
class Score:
    """One score of a lifecycle."""

    name: str
    half_life: int | None
    """Milliseconds; None: permanent."""
    min: float | None
    max: float | None
    slots: tuple[int, ...]
    """Where its signals' points are kept, in file order of the signals."""
    expiring: tuple[Expiring, ...] = ()
    """Of the slots, those whose points expire."""
    latest: tuple[int, ...] = ()
    """Where in `Memory.signals` the latest values are that give it points."""
    floor: float | None = None
    """What additions never take a permanent score below."""
    reset: int = -1
    """Its place in `Memory.resets`; -1: nothing resets it."""

    @property
    def varies(self) -> bool:
        """The passing of time alone changes it."""
        return self.half_life is not None or bool(self.expiring)

    def clamp(self, raw: float) -> float:
        """What a reader sees of the sum `raw`."""
        value = raw if raw >= ZERO or raw <= -ZERO else 0.0
        if self.min is not None and value < self.min:
            return self.min
        if self.max is not None and value > self.max:
            return self.max
        return value


def points(score: Score, life: Life, slot: i64, now: i64) -> float:
    """What one slot adds to its score at `now`."""
    half_life = score.half_life
    for expiring in score.expiring:
        if expiring.slot == slot:
            return expiring.millionths(life, now) / MILLION
    if half_life is None:
        return points_of(life, slot) / MILLION
    kept = life.sums[slot]
    return kept * power(2.0, float(life.ats[slot] - now) / float(half_life)) if kept else 0.0


def millionths(score: Score, life: Life, now: i64) -> int:
    """A permanent score at `now` in millionths, integers that are exact however large; before `min` and `max`."""
    total = 0
    for slot in score.slots:
        total += points_of(life, slot)
    for expiring in score.expiring:
        total += expiring.millionths(life, now)
    return total


def raw(score: Score, life: Life, now: i64) -> float:
    """The sum of the slots at `now`, before `min` and `max`."""
    half_life = score.half_life
    if half_life is None:
        return _permanent(score, life, now)
    length = float(half_life)
    sums, ats = life.sums, life.ats
    total = 0.0
    slot: i64
    for slot in score.slots:
        kept = sums[slot]
        if kept:
            total += kept * power(2.0, float(ats[slot] - now) / length)
    return total


def _permanent(score: Score, life: Life, now: i64) -> float:
    if score.expiring or len(score.slots) > _FEW:
        return millionths(score, life, now) / MILLION
    total: i64 = 0
    kept = life.millionths
    slot: i64
    for slot in score.slots:
        number = kept[slot]
        if number == IN_LARGE:
            return millionths(score, life, now) / MILLION
        total += number
    if -_EXACT < total < _EXACT:  # so that it is the same quotient
        return float(total) / 1e6
    return millionths(score, life, now) / MILLION


def read(score: Score, life: Life, now: i64) -> float:
    """The score at `now`, which is not before the life's clock."""
    return score.clamp(raw(score, life, now))


def add(life: Life, slot: i64, half_life: int | None, amount: float, time: i64) -> None:
    """Count `amount` points at `time`, which may be before points that are already there."""
    if half_life is None:
        add_points(life, slot, amount)
        return
    sums, ats = life.sums, life.ats
    kept = sums[slot]
    if not kept:
        sums[slot] = float(amount)
        ats[slot] = time
        return
    at = ats[slot]
    if time > at:
        sums[slot] = kept * power(2.0, float(at - time) / float(half_life)) + amount
        ats[slot] = time
    else:
        sums[slot] = kept + amount * power(2.0, float(time - at) / float(half_life))


def steps(score: Score, life: Life, now: i64) -> timed_points.Steps:
    """When points leave a permanent score after `now`, and by how many millionths that changes it."""
    found: timed_points.Steps = []
    for expiring in score.expiring:
        timed_points.ends(expiring.points(life), expiring.column, now, expiring.within, found)
    return found


def reset(score: Score, life: Life, time: i64) -> None:
    """Rule 25: take all points of a score away, and let nothing count there that comes with a time up to `time`."""
    memory = life.memory
    assert memory is not None
    known = memory.resets[score.reset]
    if known is None or time > known:
        memory.resets[score.reset] = time
    for slot in score.slots:
        life.sums[slot], life.ats[slot] = 0.0, 0
        set_points(life, slot, 0)
    for expiring in score.expiring:
        timed_points.forget(expiring.points(life), expiring.column)
    for place in score.latest:
        memory.signals[place] = []


def number(value: object) -> float | None:
    """The number that points and facts can use: also a text that is one, not a boolean, below 1e15 in magnitude.

    None for all else.
    """
    if isinstance(value, float):
        return value if -LIMIT < value < LIMIT else None
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if -LIMIT < value < LIMIT else None
    return number(number_of(value)) if isinstance(value, str) else None


def crossing(score: Score, life: Life, now: i64, operator: int, threshold: float) -> i64:
    """The first millisecond after `now` at which `score operator threshold` changes by decay alone, or NEVER.

    Decay moves a score monotonically to 0, so that it changes at most once. From
    |S| * 2^-(x / half_life) = |threshold| follows x = half_life * log2(|S| / |threshold|); this is then
    corrected to the millisecond by evaluation.
    """
    before = compare_numbers(operator, read(score, life, now), threshold)
    if compare_numbers(operator, score.clamp(0.0), threshold) == before:
        return NEVER
    assert score.half_life is not None
    size = abs(raw(score, life, now))
    guess = float(now) + score.half_life * max(0.0, log2(size / max(abs(threshold), ZERO)))
    if guess > MAX_TIME + 1:  # a double that large is not exact to the millisecond
        return NEVER
    low: i64 = now
    guessed: i64 = int(guess)
    high: i64 = max(guessed, now + 1)
    reach: i64 = 1
    while compare_numbers(operator, read(score, life, high), threshold) == before:
        low, high, reach = high, high + reach, reach * 2
    reach = 1
    while high - reach > low and compare_numbers(operator, read(score, life, high - reach), threshold) != before:
        high, reach = high - reach, reach * 2
    low = max(low, high - reach)
    while high - low > 1:
        middle = (low + high) // 2
        if compare_numbers(operator, read(score, life, middle), threshold) == before:
            low = middle
        else:
            high = middle
    return high if high <= MAX_TIME else NEVER
