"""When time alone moves a customer (rule 12): the first millisecond at which a condition becomes true.

Between the moments at which one of its parts changes, a condition's answer stays the same; so only these are
looked at, and of them only those at which a part begins to hold.
"""

from typing import Final

from mypy_extensions import i64

from stream.core.customer import NEVER, Life
from stream.core.lifecycle import Lifecycle
from stream.core.predicates import Predicate

MAX_FIRED: Final = 64
"""Deadlines of one lifecycle without an interaction in between; then the customer waits."""


def schedule(lifecycle: Lifecycle, life: Life) -> None:
    """Set the life's next deadline."""
    best: i64 = NEVER
    if life.fired < MAX_FIRED:
        for condition in lifecycle.timed_from.get(life.stage, ()):
            predicate = condition.without_event
            if predicate is not None:
                best = min(best, _rise(predicate, life, best))
    life.deadline = best


def rises(predicate: Predicate, life: Life) -> int | None:
    """The first millisecond after the clock at which time alone makes `predicate` hold; None: it never does."""
    moment = _rise(predicate, life, NEVER)
    return None if moment == NEVER else moment


def _rise(predicate: Predicate, life: Life, before: i64) -> i64:
    """The same, where it is before `before`; else NEVER."""
    now = life.clock
    if not predicate.may(life, now):
        return NEVER
    moments: list[int] = []
    predicate.turns(life, now, True, moments)
    if len(moments) > 1:
        moments.sort()
    moment: i64
    for moment in moments:
        if moment >= before:
            break
        if predicate.holds(life, moment, None) and not predicate.holds(life, moment - 1, None):
            return moment
    return NEVER
