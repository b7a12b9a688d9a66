"""When time alone moves a customer (rule 12): the first millisecond at which a condition becomes true.

Between the moments at which one of its parts changes, a condition's answer stays the same; so only these are
looked at, and of them only those at which a part begins to hold.
"""

from typing import Final

from stream.core.customer import Life
from stream.core.lifecycle import Lifecycle
from stream.core.predicates import Predicate

MAX_FIRED: Final = 64
"""Deadlines of one lifecycle without an interaction in between; then the customer waits."""


def schedule(lifecycle: Lifecycle, life: Life) -> None:
    """Set the life's next deadline."""
    best: int | None = None
    if life.fired < MAX_FIRED:
        for condition in lifecycle.timed_from.get(life.stage, ()):
            predicate = condition.without_event
            if predicate is not None:
                moment = rises(predicate, life, best)
                if moment is not None:
                    best = moment
    life.deadline = best


def rises(predicate: Predicate, life: Life, before: int | None = None) -> int | None:
    """The first millisecond after the clock, and before `before`, at which time alone makes `predicate` hold."""
    now = life.clock
    if not predicate.may(life, now):
        return None
    moments: list[int] = []
    predicate.turns(life, now, True, moments)
    if len(moments) > 1:
        moments.sort()
    for moment in moments:
        if before is not None and moment >= before:
            break
        if predicate.holds(life, moment, None) and not predicate.holds(life, moment - 1, None):
            return moment
    return None
