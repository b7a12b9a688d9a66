"""Facts: counts, sums, rolling counts, first, last and latest values."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from stream.core.change import Value
from stream.core.customer import FactState, Life
from stream.core.interaction import MAX_TIME
from stream.core.paths import Path
from stream.core.scoring import MILLION, is_number

FactKind = Literal["count", "rolling", "sum", "first", "last", "latest"]

MAX_TEXT = 256
"""Bytes of UTF-8 that a text fact keeps at most; a longer one is ignored like one of a wrong type."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a lifecycle."""

    name: str
    index: int
    kind: FactKind
    path: Path | None
    """Of the property that `sum` and `latest` read."""
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
    if isinstance(state, list):
        return len(state) - bisect_right(state, now - fact.within)
    if isinstance(state, tuple):
        return state[1]
    return state / MILLION if fact.kind == "sum" and state is not None else state


def ends(fact: Fact, life: Life, now: int) -> list[int]:
    """The times after `now` at which a rolling count drops."""
    times = life.facts[fact.index]
    assert isinstance(times, list)
    live = times[bisect_right(times, now - fact.within) : bisect_right(times, MAX_TIME - fact.within)]
    return [time + fact.within for time in live]


def apply(fact: Fact, life: Life, sign: int, time: int, found: object) -> bool:
    """Count one interaction at `time`; `found` is the property where the fact reads one.

    Returns False where the property is there but of a type, size or magnitude that the fact cannot take.
    """
    state = life.facts[fact.index]
    kind = fact.kind
    if kind == "count":
        assert isinstance(state, int)
        life.facts[fact.index] = state + sign
    elif kind == "sum":
        if not is_number(found):
            return found is None
        assert isinstance(state, int)
        assert isinstance(found, int | float)
        life.facts[fact.index] = state + sign * round(found * 1e6)
    elif kind == "rolling":
        assert isinstance(state, list)
        _keep(fact, state, time, life.clock)
    elif kind == "latest":
        if not _is_scalar(found):
            return found is None
        if state is None or time >= state[0]:  # type: ignore[index]  # latest keeps (time, value)
            life.facts[fact.index] = (time, found)  # type: ignore[assignment]  # just checked
    elif state is None or (time < state if kind == "first" else time > state):  # type: ignore[operator]  # a time
        life.facts[fact.index] = time
    return True


def _keep(fact: Fact, times: list[int], time: int, clock: int) -> None:
    """Insert in ascending order; drop what left the window (the clock never returns) and all but the largest."""
    at = len(times)
    while at and times[at - 1] > time:
        at -= 1
    times.insert(at, time)
    oldest = clock - fact.within
    gone = max(0, len(times) - fact.keep)
    while gone < len(times) and times[gone] <= oldest:
        gone += 1
    del times[:gone]


def _is_scalar(found: object) -> bool:
    if isinstance(found, str):
        return len(found) <= MAX_TEXT and (found.isascii() or len(found.encode("utf-8", "replace")) <= MAX_TEXT)
    return isinstance(found, bool) or is_number(found)
