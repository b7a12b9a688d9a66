"""Which comparisons a transition waits for."""

from typing import Final

from stream.core.explanation.explanation import Compared, Explained

_FAR: Final = 1.0
"""How far a comparison is that no number decides, and a number of which nothing is there yet."""


def mark_decisive(part: Explained, *, wanted: bool = True) -> None:
    """Mark what decides that a condition is not as wanted: all that is not, where all is needed, else the nearest."""
    if part.holds is wanted:
        return
    part.decisive = True
    if isinstance(part, Compared):
        if part.scores is not None:
            mark_decisive(part.scores, wanted=wanted)
    elif part.kind == "not":
        mark_decisive(part.parts[0], wanted=not wanted)
    elif (part.kind == "all") == wanted:
        for each in part.parts:
            mark_decisive(each, wanted=wanted)
    else:
        mark_decisive(min(part.parts, key=lambda each: _distance(each, wanted=wanted)), wanted=wanted)


def _distance(part: Explained, *, wanted: bool) -> float:
    """0 where it is as wanted; of a number the share that is missing, 1 where all is; added up where all is needed."""
    if part.holds is wanted:
        return 0.0
    if isinstance(part, Compared):
        return missing_share(part) if part.scores is None else _distance(part.scores, wanted=wanted)
    if part.kind == "not":
        return _distance(part.parts[0], wanted=not wanted)
    distances = [_distance(each, wanted=wanted) for each in part.parts]
    return sum(distances) if (part.kind == "all") == wanted else min(distances)


def missing_share(part: Compared) -> float:
    """Which share of a comparison that is not as wanted is missing: 0 to 1, and 1 where no number decides it."""
    value, missing = part.value, part.missing
    if missing is None or not isinstance(value, int | float):
        return _FAR
    return min(_FAR, abs(missing) / max(abs(value), abs(value + missing)))
