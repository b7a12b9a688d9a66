"""Two builds and what is measured of both in turn: figures of several rounds, and their ratios."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.bench.builds import Build

Say = Callable[[str], None]
LIFECYCLES = ("trivial", "metrics", "dense")
_FILES = Path(__file__).parents[1] / "lifecycles"


class Pair(NamedTuple):
    """The build that is measured, and the one that it is measured against."""

    new: Build
    old: Build

    def turns(self, rounds: int) -> Iterator[tuple[int, Build]]:
        """Round and build: each is the first as often as the other, since a machine and a broker change as they run."""
        for each in range(rounds):
            for build in (self.old, self.new) if each % 2 == 0 else (self.new, self.old):
                yield each, build

    def lifecycle(self, name: str) -> str:
        """The file of a lifecycle, the same for both builds: the preset `metrics` is the older build's.

        An older build does not know what a later preset uses, such as figures.
        """
        if name == "metrics":
            return str(self.old.folder / "stream" / "presets" / "metrics.yaml")
        return str(_FILES / f"{name}.yaml")


class Figure(NamedTuple):
    """What one measure gave for both builds, round by round."""

    part: str
    lifecycle: str
    """Empty where there is but one."""
    measure: str
    """With its unit, such as `CPU us/event`."""
    new: Sequence[float]
    old: Sequence[float]
    more_is_better: bool = False

    @property
    def gain(self) -> float:
        """How many times as good the new build is, by medians."""
        return self._gain(median(self.new), median(self.old))

    @property
    def gain_of_best(self) -> float:
        """The same by the best round of each, which other work on the machine disturbed least."""
        best = max if self.more_is_better else min
        return self._gain(best(self.new), best(self.old))

    @property
    def gain_of_pairs(self) -> float:
        """The same, the median of the rounds' own."""
        return median(self._gain(new, old) for new, old in zip(self.new, self.old, strict=True))

    def _gain(self, new: float, old: float) -> float:
        return new / old if self.more_is_better else old / new

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        gains = {"gain": self.gain, "gain_of_best": self.gain_of_best, "gain_of_pairs": self.gain_of_pairs}
        return {**self._asdict(), **gains}


def figures(
    part: str, lifecycle: str, found: Mapping[str, Sequence[Mapping[str, float]]], measures: Mapping[str, bool]
) -> list[Figure]:
    """A figure for each of `measures`, whose value says that more is better; `found`: rounds of `new` and of `old`."""
    return [
        Figure(
            part, lifecycle, name, [each[name] for each in found["new"]], [each[name] for each in found["old"]], more
        )
        for name, more in measures.items()
    ]
