"""How what the product says is held against what was reckoned."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from tests.figures.moves import moves
from tests.figures.product import Told


def differences(found: Mapping[Hashable, int], expected: Mapping[Hashable, int]) -> dict[Hashable, tuple[int, int]]:
    """By name, what was found and what was reckoned, where they differ; what is not there is 0."""
    names = sorted(found.keys() | expected.keys(), key=str)
    pairs = {name: (found.get(name, 0), expected.get(name, 0)) for name in names}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def moves_of(told: Told, zone: str, by: Sequence[str]) -> dict[Hashable, int]:
    """What comes by itself, from the stage changes, and the facts that these carry."""
    facts = {fact: told.changes["facts"].map(lambda facts, of=fact: facts.get(of)) for fact in by}
    return dict(moves(told.changes.assign(**facts), zone, by))
