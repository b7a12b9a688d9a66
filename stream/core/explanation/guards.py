"""What `at_most_every` and `hold` ask of a transition beside its condition, and until when they hold it back."""

from typing import cast

from stream.core.customer import Life
from stream.core.explanation.explanation import Guard
from stream.core.guards import HasHeld, NotTakenWithin
from stream.core.interaction import MAX_TIME
from stream.core.lifecycle import Transition
from stream.core.predicates import AllOf, Predicate


def without_guards(transition: Transition) -> Predicate:
    """What the transition's condition alone asks."""
    predicate = transition.condition.with_event
    if transition.taken >= 0:
        predicate = cast("AllOf", predicate).parts[1]
    return predicate if transition.held is None else cast("HasHeld", predicate).condition


def explain_guards(transition: Transition, life: Life) -> tuple[Guard, ...]:
    """At the life's clock."""
    found: list[Guard] = []
    if transition.held is not None:
        found.append(_hold(transition.held, life))
    if transition.taken >= 0:
        rested = cast("AllOf", transition.condition.with_event).parts[0]
        found.append(_at_most_every(cast("NotTakenWithin", rested), life))
    return tuple(found)


def _hold(guard: HasHeld, life: Life) -> Guard:
    since = guard.begun(life, life.clock)
    holds = guard.holds(life, life.clock, None)
    return Guard("hold", guard.length, holds, since, None if holds else _after(since, guard.length))


def _at_most_every(guard: NotTakenWithin, life: Life) -> Guard:
    assert life.memory is not None
    taken = life.memory.taken[guard.place]
    holds = guard.holds(life, life.clock, None)
    return Guard("at_most_every", guard.length, holds, taken, None if holds else _after(taken, guard.length))


def _after(begun: int | None, length: int) -> int | None:
    return begun + length if begun is not None and begun + length <= MAX_TIME else None
