"""Points of the latest value (rule 24).

Where the text was silent, or has two readings:
- `count` of a contribution is 1 while there is a value, also one that has no points; 0 after a null, and after a reset.
- After a reset no value is known: one that is older than those before the reset, but later than the reset's time,
  is the latest again.
- With `lower`, a text that is a number is still one; an explicit null is one.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.properties.reference_conditions import Missing, kind_of, lowered, numeral
from tests.properties.reference_grammar import Bare, Call, Name, parse
from tests.properties.reference_history import Counted, Reset, is_gone
from tests.properties.reference_values import Source, found_at, mapping, millionths, number


def value_told(told: Source, seen: Source) -> object:
    """The value that an interaction tells, None for an explicit null; ABSENT where it tells none."""
    atom = parse(str(told["latest"]))
    assert isinstance(atom, Bare)
    name = atom.operand.argument if isinstance(atom.operand, Call) else atom.operand
    assert isinstance(name, Name)
    value = found_at(seen, name.path)
    if value is not None and isinstance(atom.operand, Call):
        value = lowered(value)
    return value if value is None or kind_of(value) in ("text", "number", "boolean") else Missing.ABSENT


def points_of(told: Source, value: object) -> float:
    """The points of a value; 0 for those that have none."""
    points = {same_for_all(key): each for key, each in mapping(told["points"]).items()}
    return number(points.get(same_for_all(value), 0))


def same_for_all(value: object) -> tuple[str, object]:
    """What a value is known by: a text that is a number by that number, and 1 is not true."""
    found = numeral(value)
    return kind_of(found), found


def latest_points(counted: Sequence[Counted], resets: Sequence[Reset], score: str) -> tuple[int, int]:
    """What the latest value adds to a score, in millionths, and 1 where there is a value."""
    known = [each for each in counted if score in each.added and not is_gone(each, resets)]
    if not known:
        return 0, 0
    latest = [each for each in known if each.at == max(other.at for other in known)][-1]
    return millionths(latest.added[score]), int(not latest.is_null)
