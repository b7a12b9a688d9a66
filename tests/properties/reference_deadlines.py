"""The next deadline of a customer in a lifecycle (rule 12), by bisection or by asking at every millisecond.

Neither knows a closed form: both only ask what a condition is worth with no interaction at some time.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.properties.reference_grammar import Atom, Compare, Name, Operand, atoms
from tests.properties.reference_life import END_OF_TIME, Life

DeadlineFinder = Callable[[Life, int], int | None]
"""From a life and the last millisecond to look at to the next deadline, None where none comes until then."""


def flips(life: Life, atom: Atom, limit: int) -> list[int]:
    """The milliseconds after the clock, up to the limit, at which time alone turns this comparison.

    What changes in steps, such as a rolling count, does so only where something counted becomes too old. Any other
    comparison turns at most once: a decaying score moves towards 0 without turning back, clamps keep that, and a
    duration only grows.
    """
    sides: tuple[Operand, ...] = (atom.left, atom.right) if isinstance(atom, Compare) else (atom.operand,)
    for name in [side.path[0] for side in sides if isinstance(side, Name)]:
        turning_points = life.turning_points(name)
        if turning_points is not None:
            return [t for t in set(turning_points) if life.clock < t <= limit]
    before, after = life.clock, limit
    first = life.truth(atom, before, None)
    if after <= before or life.truth(atom, after, None) == first:
        return []
    while after - before > 1:
        middle = (before + after) // 2
        if life.truth(atom, middle, None) == first:
            before = middle
        else:
            after = middle
    return [after]


def comes_true(life: Life, t: int) -> bool:
    """Whether a transition out of the current stage holds at t and did not a millisecond earlier."""
    conditions = [when for _, _, when in life.leaving()]
    return any(life.holds(when, t, None) and not life.holds(when, t - 1, None) for when in conditions)


def deadline_by_bisection(life: Life, limit: int) -> int | None:
    """The next deadline: the first of all comparisons' turning points at which a condition comes true."""
    limit = min(limit, END_OF_TIME)
    turns = {t for _, _, when in life.leaving() for atom in atoms(when) for t in flips(life, atom, limit)}
    return next((t for t in sorted(turns) if comes_true(life, t)), None)


def deadline_by_trying(life: Life, limit: int, horizon_ms: int = 1000) -> int | None:
    """The next deadline, by asking at every millisecond up to the horizon past the clock."""
    last = min(limit, END_OF_TIME, life.clock + horizon_ms)
    return next((t for t in range(life.clock + 1, last + 1) if comes_true(life, t)), None)
