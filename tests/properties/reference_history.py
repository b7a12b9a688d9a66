"""What is noted of a life, in order of arrival: nothing of it is ever changed or taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Counted:
    """A signal that counted, for an interaction or for one element of a list in it."""

    signal: str
    arrival: int
    """The how manieth interaction of this life it was, from 0; the same for all elements of one interaction."""
    at: int
    """The interaction's time."""
    added: Mapping[str, float]
    """Points by score; a score that was given no number is left out."""
    key: object = None
    """What was found at the path of `once`."""
    is_null: bool = False
    """Whether the value that a signal with `latest` was told is an explicit null."""


@dataclass(frozen=True)
class Told:
    """What a fact took from an interaction, or from one element of a list in it."""

    fact: str
    arrival: int
    at: int
    sign: int
    """1, or -1 for a word of `minus`."""
    value: object
    """What `sum` or `latest` found."""


@dataclass(frozen=True)
class Written:
    """What came for an entry of a ledger."""

    ledger: str
    arrival: int
    at: int
    role: str
    """`each`, `update` or `minus`."""
    by: object
    """The key of the entry; None where the interaction names none."""
    amount: int | None
    """In millionths; None where there is none that counts."""
    returned: int | None
    """The magnitude of what was returned, in millionths; None where that is everything."""
    unreadable: bool
    """Whether `returned` is there, but no number."""
    return_id: object
    """The key of the return; None where it has none."""


@dataclass(frozen=True)
class Reset:
    """A reset of a score."""

    score: str
    arrival: int
    at: int


def is_gone(counted: Counted, resets: Sequence[Reset]) -> bool:
    """Whether points are gone by a later reset of the score, or never were: they came with no later time than one."""
    return any(counted.arrival <= each.arrival or counted.at <= each.at for each in resets)
