"""Facts: counts, sums, rolling counts and sums, first, last and latest values, and what a ledger comes to."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Literal, cast

from mypy_extensions import i64

from stream.core import exact, ledgers, timed_points
from stream.core.amounts import Amount
from stream.core.customer import IN_LARGE, NEVER, NONE, FactState, Life
from stream.core.event import Event, PropertyPath, is_null, lookup_to_list
from stream.core.exact import MILLION
from stream.core.interaction import MAX_TIME
from stream.core.memory import TimedPoints
from stream.core.scoring import number
from stream.core.stage_change import Value
from stream.core.step_counts import StepCounts
from stream.core.time_zone import TimeZone
from stream.core.times import parse_local_time

FactKind = Literal[
    "count", "rolling", "sum", "rolling_sum", "first", "last", "latest", "latest_time", "ledger_count", "ledger_sum"
]
COUNT: Final = 0
SUM: Final = 1
FIRST: Final = 2
LAST: Final = 3
ROLLING: Final = 4
ROLLING_SUM: Final = 5
LATEST: Final = 6
LATEST_TIME: Final = 7
LEDGER_COUNT: Final = 8
LEDGER_SUM: Final = 9
CODES: Final[dict[str, int]] = {
    "count": COUNT,
    "sum": SUM,
    "first": FIRST,
    "last": LAST,
    "rolling": ROLLING,
    "rolling_sum": ROLLING_SUM,
    "latest": LATEST,
    "latest_time": LATEST_TIME,
    "ledger_count": LEDGER_COUNT,
    "ledger_sum": LEDGER_SUM,
}
"""A number for each kind, which is compared sooner than its name."""

MAX_TEXT: Final = 256
"""Bytes of UTF-8 that a text fact keeps at most; a longer one is ignored like one of a wrong type."""


@dataclass(frozen=True)
class Fact:
    """One fact of a lifecycle."""

    name: str
    index: int
    kind: FactKind
    code: int
    """The kind, as in CODES."""
    path: PropertyPath | None
    """The path of the property that `latest` and `latest_time` read."""
    within: int
    """Milliseconds of a rolling window, else 0."""
    keep: int
    """How many times a rolling count or sum keeps, or entries the ledger of one; else 0."""
    label: tuple[str, str] = ("", "")
    """The lifecycle's id and the fact's name."""
    amount: Amount | None = None
    """What `sum` adds up."""
    ledger: int = -1
    """The place of the ledger that it reads; -1: none."""
    zone: TimeZone | None = None
    """Where the times of `latest_time` are from that name no zone."""

    @property
    def paths(self) -> tuple[PropertyPath, ...]:
        """The properties that it reads."""
        if self.amount is not None:
            return self.amount.paths
        return () if self.path is None else (self.path,)

    @property
    def varies(self) -> bool:
        """The passing of time alone changes it."""
        return self.within > 0


def has_state(code: int) -> bool:
    """Whether a fact of the kind with this code stands in `Life.facts`."""
    return ROLLING <= code <= LATEST_TIME


def initial(code: int) -> FactState:
    """The state of a fact of the kind with this code before anything was seen."""
    if code == ROLLING_SUM:
        return timed_points.empty(1)
    return [] if code == ROLLING else None


def initial_number(code: int) -> int:
    """Its number then."""
    return NONE if code in (FIRST, LAST) else 0


def value(fact: Fact, life: Life, now: i64) -> Value | None:
    """What a reader sees at `now`; None where the fact does not exist yet."""
    code = fact.code
    if code == COUNT:
        return exact.number_of_fact(life, fact.index)
    if code == SUM:
        return total(life, fact.index)
    if code <= LAST:
        time = life.numbers[fact.index]
        if time == NONE:
            return None
        moment: int = time
        return moment
    if code == ROLLING:
        return rolling(fact, life, now)
    if code in (ROLLING_SUM, LEDGER_SUM):
        return millionths(fact, life, now) / MILLION
    if code == LEDGER_COUNT:
        return millionths(fact, life, now)
    state = life.facts[fact.index]
    return state[1] if isinstance(state, tuple) else None


def total(life: Life, index: i64) -> float:
    """What the sum with that index comes to."""
    number = life.numbers[index]
    if number == IN_LARGE:
        return exact.number_of_fact(life, index) / MILLION
    return float(number) / 1e6


def kept(fact: Fact, life: Life) -> object:
    """What is kept of a fact: a count, millionths, a time, times, (time, value) or points; None: nothing."""
    if fact.code <= SUM:
        return exact.number_of_fact(life, fact.index)
    if fact.code <= LAST:
        return None if life.numbers[fact.index] == NONE else life.numbers[fact.index]
    return life.facts[fact.index] if has_state(fact.code) else None


def millionths(fact: Fact, life: Life, now: i64) -> int:
    """A rolling sum, or the sum of a ledger, in millionths, or the count of a ledger, at `now`."""
    if fact.ledger < 0:
        return timed_points.sum_at(cast("TimedPoints", life.facts[fact.index]), 0, now, fact.within)
    assert life.memory is not None
    state = life.memory.ledgers[fact.ledger]
    if fact.code == LEDGER_SUM:
        return ledgers.sum_within(state, now, fact.within) if fact.within else state.total
    return ledgers.count_within(state, now, fact.within) if fact.within else state.count


def steps(fact: Fact, life: Life, now: i64) -> timed_points.Steps:
    """When a rolling sum, or the sum or count of a ledger within a time, changes after `now`, and by how much."""
    found: timed_points.Steps = []
    if fact.ledger < 0:
        timed_points.ends(cast("TimedPoints", life.facts[fact.index]), 0, now, fact.within, found)
    else:
        assert life.memory is not None
        ledgers.ends(life.memory.ledgers[fact.ledger], now, fact.within, fact.kind == "ledger_count", found)
    return found


def rolling(fact: Fact, life: Life, now: i64) -> int:
    """A rolling count at `now`."""
    times = cast("list[int]", life.facts[fact.index])
    oldest = now - fact.within
    count = len(times)
    if count == 0 or times[0] > oldest:
        return count
    return count - bisect_right(times, oldest)


def ends(fact: Fact, life: Life, now: i64) -> list[int]:
    """The times after `now` at which a rolling count drops."""
    times = cast("list[int]", life.facts[fact.index])
    within = fact.within
    return [time + within for time in times if now < time + within <= MAX_TIME]


def end_below(fact: Fact, life: Life, now: i64, count: i64) -> i64:
    """The time after `now` at which a rolling count falls below `count` (at least 1), or NEVER."""
    times = cast("list[int]", life.facts[fact.index])
    if len(times) < count:
        return NEVER
    moment: i64 = times[-count] + fact.within
    return moment if now < moment <= MAX_TIME else NEVER


def apply(fact: Fact, life: Life, sign: int, time: i64, event: Event, step_counts: StepCounts) -> None:
    """Count one interaction at `time`.

    What cannot be used is counted in `step_counts`: a property of a wrong type, size or magnitude; for a sum, as for a
    signal, also one that is absent.
    """
    index, code = fact.index, fact.code
    if code == COUNT:
        exact.add_to_count(life, index, sign)
    elif code == ROLLING:
        _keep(fact, cast("list[int]", life.facts[index]), time, life.clock)
    elif code == SUM:
        assert fact.amount is not None
        amount = fact.amount.of(event)
        if amount is None:
            step_counts.wrong_type(fact.label)
        else:
            exact.add_to_sum(life, index, amount if sign > 0 else -amount)
    elif code == ROLLING_SUM:
        apply_elements(fact, life, sign, time, [event], step_counts)
    elif code == LATEST:
        assert fact.path is not None
        found = lookup_to_list(fact.path, event)
        if _is_scalar(found):
            _latest(life, index, time, cast("Value", found))
        elif found is not None:
            step_counts.wrong_type(fact.label)
    elif code == LATEST_TIME:
        _latest_time(fact, life, time, event, step_counts)
    else:
        known = life.numbers[index]
        if known == NONE or (time < known if code == FIRST else time > known):
            life.numbers[index] = time


def apply_elements(
    fact: Fact, life: Life, sign: int, time: i64, elements: list[Event], step_counts: StepCounts
) -> None:
    """Count the elements of a list, in order; a rolling sum takes them as one entry."""
    if fact.code != ROLLING_SUM:
        for event in elements:
            apply(fact, life, sign, time, event, step_counts)
        return
    assert fact.amount is not None
    total, any_points = 0, False
    for event in elements:
        amount = fact.amount.of(event)
        if amount is None:
            step_counts.wrong_type(fact.label)
        else:
            total, any_points = total + round(amount * 1e6), True
    if any_points and life.clock - time < fact.within:
        points = cast("TimedPoints", life.facts[fact.index])
        lost = timed_points.keep(points, time, [sign * total], life.clock, fact.within, fact.keep)
        if lost:
            step_counts.lost(fact.label, lost)


def _latest_time(fact: Fact, life: Life, time: int, event: Event, step_counts: StepCounts) -> None:
    """Rule 26: the time that a property names; null removes the one there is."""
    assert fact.path is not None
    found = lookup_to_list(fact.path, event)
    if found is None:
        if is_null(fact.path, event):
            _latest(life, fact.index, time, None)
        return
    assert fact.zone is not None
    read = parse_local_time(found, fact.zone)
    if read is None:
        step_counts.wrong_type(fact.label)
    else:
        _latest(life, fact.index, time, read)


def _latest(life: Life, index: int, time: int, found: Value | None) -> None:
    """Take a value, unless there is one of a later time."""
    state = life.facts[index]
    if state is None or time >= cast("tuple[int, Value | None]", state)[0]:
        life.facts[index] = (time, found)


def _keep(fact: Fact, times: list[int], time: int, clock: int) -> None:
    """Insert in ascending order; drop what left the window (the clock never returns) and all but the largest."""
    at = len(times)
    while at and times[at - 1] > time:
        at -= 1
    if at == len(times):
        times.append(time)
    else:
        times.insert(at, time)
    oldest = clock - fact.within
    gone = max(0, len(times) - fact.keep)
    while gone < len(times) and times[gone] <= oldest:
        gone += 1
    if gone:
        del times[:gone]


def _is_scalar(found: object) -> bool:
    if isinstance(found, str):
        return len(found) <= MAX_TEXT and (found.isascii() or len(found.encode("utf-8", "replace")) <= MAX_TEXT)
    return isinstance(found, bool) or number(found) is not None
