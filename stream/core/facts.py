"""Facts: counts, sums, rolling counts, first, last and latest values."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, Literal, cast

from stream.core.customer import FactState, Life
from stream.core.event import PropertyPath
from stream.core.interaction import MAX_TIME
from stream.core.scoring import MILLION, number
from stream.core.stage_change import Value

FactKind = Literal["count", "rolling", "sum", "first", "last", "latest", "latest_time"]

MAX_TEXT: Final = 256
"""Bytes of UTF-8 that a text fact keeps at most; a longer one is ignored like one of a wrong type."""


@dataclass(frozen=True)
class Fact:
    """One fact of a lifecycle."""

    name: str
    index: int
    kind: FactKind
    path: PropertyPath | None
    """The path of the property that `sum` and `latest` read."""
    within: int
    """Milliseconds of a rolling count's window, else 0."""
    keep: int
    """How many times a rolling count keeps, else 0."""


def initial(fact: Fact) -> FactState:
    """The state before anything was seen."""
    if fact.kind in ("count", "sum"):
        return 0
    return [] if fact.kind == "rolling" else None


def value(fact: Fact, life: Life, now: int) -> Value | None:
    """What a reader sees at `now`; None where the fact does not exist yet."""
    state = life.facts[fact.index]
    if isinstance(state, int):
        return state / MILLION if fact.kind == "sum" else state
    if isinstance(state, list):
        return rolling(fact, life, now)
    return None if state is None else state[1]


def rolling(fact: Fact, life: Life, now: int) -> int:
    """A rolling count at `now`."""
    times = cast("list[int]", life.facts[fact.index])
    oldest = now - fact.within
    count = len(times)
    if count == 0 or times[0] > oldest:
        return count
    return count - bisect_right(times, oldest)


def ends(fact: Fact, life: Life, now: int) -> list[int]:
    """The times after `now` at which a rolling count drops."""
    times = cast("list[int]", life.facts[fact.index])
    within = fact.within
    return [time + within for time in times if now < time + within <= MAX_TIME]


def end_below(fact: Fact, life: Life, now: int, count: int) -> int | None:
    """The time after `now` at which a rolling count falls below `count` (at least 1); None where it never will."""
    times = cast("list[int]", life.facts[fact.index])
    if len(times) < count:
        return None
    moment = times[-count] + fact.within
    return moment if now < moment <= MAX_TIME else None


def apply(fact: Fact, life: Life, sign: int, time: int, found: object) -> bool:
    """Count one interaction at `time`; `found` is the property where the fact reads one.

    Returns False where the property is there but of a type, size or magnitude that the fact cannot use; for a sum, as
    for a signal, also where it is absent.
    """
    index, kind = fact.index, fact.kind
    if kind == "count":
        life.facts[index] = cast("int", life.facts[index]) + sign
    elif kind == "rolling":
        _keep(fact, cast("list[int]", life.facts[index]), time, life.clock)
    elif kind == "sum":
        amount = number(found)
        if amount is None:
            return False
        life.facts[index] = cast("int", life.facts[index]) + sign * round(amount * 1e6)
    elif kind == "latest":
        if not _is_scalar(found):
            return found is None
        state = life.facts[index]
        if state is None or time >= cast("tuple[int, Value]", state)[0]:
            life.facts[index] = (time, cast("Value", found))
    else:
        known = cast("int | None", life.facts[index])
        if known is None or (time < known if kind == "first" else time > known):
            life.facts[index] = time
    return True


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
