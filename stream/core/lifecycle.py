"""A lifecycle as it runs: validated, immutable, indexed by what an interaction can touch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stream.core.customer import Life
from stream.core.event import PropertyPath
from stream.core.expressions import Node
from stream.core.facts import Fact, initial
from stream.core.predicates import Predicate
from stream.core.scoring import Score


@dataclass(frozen=True)
class Condition:
    """A condition made ready."""

    text: str
    tree: Node
    with_event: Predicate
    """Whether it holds at a time, seeing an interaction."""
    without_event: Predicate | None
    """Whether it holds at a time by itself; None: never."""
    timed: bool
    """The passing of time alone may make it hold."""
    warnings: tuple[str, ...]
    reads_state: bool = False
    """It names more than the interaction: as a `where`, it is asked before anything of the interaction is applied."""
    by_interaction: Predicate | None = None
    """What of it the interaction alone decides, the rest taken for true; None: nothing."""


@dataclass(frozen=True)
class Points:
    """What one signal adds to one score."""

    score: str
    slot: int
    half_life: int | None
    amount: float | None
    """None: the property at `path` says how much."""
    path: PropertyPath | None


@dataclass(frozen=True, eq=False)
class Signal:
    """One reason for points; equal to itself alone."""

    label: tuple[str, str]
    """The lifecycle's id and the signal's name."""
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
    over: PropertyPath | None = None
    """It applies to each element of the list there; None: to the interaction."""


@dataclass(frozen=True)
class Counted:
    """What one word does to one fact."""

    fact: Fact
    sign: int
    """1, or -1 where the word stands under `minus`."""
    where: Condition | None
    over: PropertyPath | None = None


@dataclass(frozen=True)
class Reaction:
    """What an interaction of one name does in a lifecycle."""

    word: str | None
    """None: the name is its own word."""
    passive: bool
    """It is no sign of life."""
    signals: tuple[Signal, ...]
    """In file order."""
    counted: tuple[Counted, ...]
    """In file order of the facts."""


@dataclass(frozen=True)
class Stage:
    """One stage."""

    name: str
    title: str
    channels: tuple[str, ...]
    actions: tuple[str, ...]


@dataclass(frozen=True)
class Transition:
    """A way out of some stages into another."""

    index: int
    sources: frozenset[str]
    target: str
    condition: Condition


@dataclass(frozen=True)
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
    decays: tuple[bool, ...]
    """Per slot: its score does."""
    facts: tuple[Fact, ...]
    fact_fingerprints: tuple[str, ...]
    stages: dict[str, Stage]
    transitions: tuple[Transition, ...]
    reactions: dict[str, Reaction]
    """By event name, and by every word that does something."""
    otherwise: Reaction
    """To names without one of their own, whose word is the name itself."""
    transitions_from: dict[str, tuple[Transition, ...]]
    """By stage."""
    timed_from: dict[str, tuple[Condition, ...]]
    """By stage: the conditions of its transitions that the passing of time alone may make true."""
    digest: bytes
    """8 bytes, equal for lifecycles that mean and lay out the same."""
    warnings: tuple["Problem", ...] = ()

    @property
    def first_stage(self) -> str:
        """Where everyone starts."""
        return next(iter(self.stages))

    def reaction(self, name: str) -> Reaction:
        """What an interaction of that event name does."""
        found = self.reactions.get(name)
        return self.otherwise if found is None else found

    def begin(self, time: int, born: str, identified: bool) -> Life:
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
            sums=[0.0] * len(self.slots),
            ats=[0] * len(self.slots),
            millionths=[0] * len(self.slots),
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
