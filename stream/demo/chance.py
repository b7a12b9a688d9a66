"""Chance that is the same on every Python: of the random module, only `random()` is held to its sequence."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Chance:
    """The luck of one person."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def happens(self, probability: float) -> bool:
        """Whether something does, that has a probability between 0 and 1."""
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def one_of(self, choices: Sequence[_T]) -> _T:
        """One of some things, each as likely as the others."""
        return choices[int(self._random() * len(choices))]

    def number(self, mean: float) -> int:
        """One of the two whole numbers around `mean`, so that this is their average."""
        whole = int(mean)
        return whole + self.happens(mean - whole)

    def share(self) -> float:
        """A number from 0 to 1, without 1."""
        return self._random()
