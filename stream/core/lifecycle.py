"""A lifecycle as it runs: validated, immutable, indexed by what an interaction can touch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stream.core.conditions import Condition
from stream.core.customer import Life
from stream.core.facts import Fact, initial
from stream.core.paths import Path
from stream.core.scoring import Score


class Points(NamedTuple):
    """What one signal adds to one score."""

    score: str
    slot: int
    half_life: int | None
    amount: float | None
    """None: the property at `path` says how much."""
    path: Path | None


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason for points."""

    name: str
    index: int
    where: Condition | None
    points: tuple[Points, ...]
    once: bool
    times: int
    """Most that count in one window of `per`; 0: no limit."""
    per: int
    """Milliseconds."""
    window: int
    """Its place in `Life.windows`; -1 without `at_most`."""
    fingerprint: str
    """Equal for two signals that mean the same, whatever their place in the file."""


class Counted(NamedTuple):
    """What one word does to one fact."""

    fact: Fact
    sign: int
    """1, or -1 where the word stands under `minus`."""
    where: Condition | None


class Stage(NamedTuple):
    """One stage."""

    name: str
    title: str
    channels: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """A way out of some stages into another."""

    index: int
    sources: frozenset[str]
    target: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One lifecycle. Signals, facts and transitions keep their order in the file."""

    id: str
    version: int
    title: str
    words: Mapping[str, str]
    """Event name to word; every word to itself."""
    passive: frozenset[str]
    scores: tuple[Score, ...]
    signals: tuple[Signal, ...]
    slots: tuple[tuple[int, str], ...]
    """Per slot: the signal's index and the score's name."""
    facts: tuple[Fact, ...]
    fact_fingerprints: tuple[str, ...]
    stages: Mapping[str, Stage]
    transitions: tuple[Transition, ...]
    signals_of: Mapping[str, tuple[Signal, ...]]
    """By word."""
    counted_of: Mapping[str, tuple[Counted, ...]]
    """By word, including the facts that any interaction moves."""
    counted_always: tuple[Counted, ...]
    """The facts that an interaction moves whose word is not in `counted_of`."""
    transitions_from: Mapping[str, tuple[Transition, ...]]
    """By stage."""
    timed_from: Mapping[str, tuple[Condition, ...]]
    """By stage: the conditions of its transitions that the passing of time alone can make true."""
    digest: bytes
    """8 bytes, equal for lifecycles that mean and lay out the same."""
    warnings: tuple["Problem", ...] = ()

    @property
    def first_stage(self) -> str:
        """Where everyone starts."""
        return next(iter(self.stages))

    def begin(self, time: int, born: str, *, identified: bool) -> Life:
        """A life that begins at `time`; it is not yet in any stage's sequence."""
        return Life(
            identified=identified,
            clock=time,
            stage=self.first_stage,
            entered=time,
            born=born,
            sequence=0,
            active=time,
            fired=0,
            deadline=None,
            counts=[0] * len(self.signals),
            windows=[[] for signal in self.signals if signal.window >= 0],
            sums=[0] * len(self.slots),
            ats=[0] * len(self.slots),
            facts=[initial(fact) for fact in self.facts],
        )


class Problem(NamedTuple):
    """Something wrong, or to be warned of, in a lifecycle's definition."""

    path: tuple[str | int, ...]
    """Keys and indexes from the top of the document to the place."""
    message: str
    offset: int | None = None
    """Characters into the text at that place; None: the value as a whole."""
    on_key: bool = False
    """The key is meant, not its value."""


class DefinitionError(Exception):
    """A definition with problems; all of them are listed."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems
