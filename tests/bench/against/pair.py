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

    def turns(self, rounds: int) -> Iterator[tuple[int, str, Build]]:
        """Round, `new` or `old`, and the build.

        Each is the first of a round as often as the other, since a machine and a broker change as they run.
        """
        for each in range(rounds):
            for name in ("old", "new") if each % 2 == 0 else ("new", "old"):
                yield each, name, getattr(self, name)

    def lifecycle(self, name: str) -> str:
        """The file of a lifecycle, the same for both builds: the preset `metrics` is the older build's.

        An older build does not know what a later preset uses, such as figures.
        """
        if name == "metrics":
            return str(self.old.folder / "stream" / "presets" / "metrics.yaml")
        return str(_FILES / f"{name}.yaml")


class Figure(NamedTuple):
    """What one measure gave for this build and for another system, round by round."""

    part: str
    lifecycle: str
    """Empty where there is but one."""
    measure: str
    """With its unit, such as `CPU us/event`."""
    other: str
    """What this build is measured against: a commit, or another engine."""
    new: Sequence[float]
    old: Sequence[float]
    """Of the other; an engine has one round."""
    more_is_better: bool = False

    @property
    def gain(self) -> float:
        """How many times as good this build is, by medians."""
        return self._gain(median(self.new), median(self.old))

    @property
    def gain_of_best(self) -> float:
        """The same by the best round of each, which other work on the machine disturbed least."""
        best = max if self.more_is_better else min
        return self._gain(best(self.new), best(self.old))

    @property
    def gain_of_pairs(self) -> float | None:
        """The same, the median of the rounds' own; None where there are no pairs."""
        if len(self.new) != len(self.old):
            return None
        return median(self._gain(new, old) for new, old in zip(self.new, self.old, strict=True))

    def _gain(self, new: float, old: float) -> float:
        return new / old if self.more_is_better else old / new

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        gains = {"gain": self.gain, "gain_of_best": self.gain_of_best, "gain_of_pairs": self.gain_of_pairs}
        return {**self._asdict(), **gains}


class Rounds:
    """What rounds of both builds gave, until all of them are there."""

    def __init__(self, pair: Pair, part: str, lifecycle: str, measures: Mapping[str, bool]) -> None:
        """`measures`: names with units, and whether more is better."""
        self._pair, self._part, self._lifecycle, self._measures = pair, part, lifecycle, measures
        self._found: dict[str, list[Sequence[float]]] = {"new": [], "old": []}

    def add(self, name: str, *values: float) -> str:
        """One round of `new` or `old`, a value for each measure; a line that says what it was."""
        self._found[name].append(values)
        build: Build = getattr(self._pair, name)
        said = ", ".join(f"{digits(value)} {measure}" for value, measure in zip(values, self._measures, strict=True))
        return f"    {build.name}: {said}"

    def figures(self) -> list[Figure]:
        """One for each measure."""
        new, old = ([list(row) for row in zip(*self._found[name], strict=True)] for name in ("new", "old"))
        return [
            Figure(self._part, self._lifecycle, measure, self._pair.old.name, new[place], old[place], more)
            for place, (measure, more) in enumerate(self._measures.items())
        ]


def digits(number: float) -> str:
    """A figure as people read it."""
    return f"{number:,.0f}" if number >= 1_000 else f"{number:.2f}"
