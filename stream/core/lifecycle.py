"""A lifecycle as it runs: validated, immutable, indexed by what an interaction can touch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from librt.vecs import vec
from mypy_extensions import i64

from stream.core import ledgers, timed_points
from stream.core.amounts import Amount
from stream.core.bands import Band
from stream.core.counting import Figured
from stream.core.customer import NEVER, WINDOW_NUMBERS, Life, Window
from stream.core.event import PropertyPath
from stream.core.expressions import Node
from stream.core.facts import Fact, has_state, initial, initial_number
from stream.core.figures import Figure, FigureSet
from stream.core.guards import HasHeld
from stream.core.ledgers import Ledger
from stream.core.limits import Limit, OncePerValue
from stream.core.memory import Memory, SignalMemory
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
    amount: Amount
    reset: int = -1
    """The score's place in `Memory.resets`; -1: nothing resets it."""


@dataclass(frozen=True)
class LatestPoints:
    """Points for the latest value of a property (rule 24)."""

    path: PropertyPath
    lowered: bool
    """A text is lowered first."""
    points: Mapping[str | float, int]
    """Millionths by `value_key` of a value."""
    slot: int
    place: int
    """In `Memory.signals`: the time of the latest value, and 1, or 0 where that is null."""
    reset: int
    score: str


MemoryKind = Literal["times", "values", "points", "latest"]
"""What a signal remembers: times that counted, hashes of values, points that expire, or the time of the latest value
and 1, or 0 where that is null."""


@dataclass(frozen=True, eq=False)
class Signal:
    """One reason for points; equal to itself alone."""

    label: tuple[str, str]
    """The lifecycle's id and the signal's name."""
    name: str
    index: int
    where: Condition | None
    points: tuple[Points, ...]
    limit: Limit | None
    """How often it may count; None: as often as it matches."""
    limit_text: str
    """The same in words, as in "at most 5 per 1d"; empty where there is none."""
    window: int
    """Its place in `Life.windows`; -1 without `at_most` in windows."""
    fingerprint: str
    """Equal for two signals that mean the same, whatever their place in the file."""
    over: PropertyPath | None = None
    """It applies to each element of the list there; None: to the interaction."""
    expires: int = 0
    """Milliseconds after which its points leave their scores; 0: never."""
    keep: int = 0
    """Entries of points that expire that are kept, else 0."""
    expiring: int = -1
    """The place of its points that expire in `Memory.signals`; -1: none."""
    latest: LatestPoints | None = None
    resets: tuple[Score, ...] = ()
    """The scores that it resets."""
    ledger: int = -1
    """It counts for what makes an entry of this ledger; -1: of none."""
    ledger_where: Condition | None = None

    @property
    def paths(self) -> tuple[PropertyPath, ...]:
        """The properties that its points and its limit read."""
        paths = [path for points in self.points for path in points.amount.paths]
        if self.latest is not None:
            paths.append(self.latest.path)
        if isinstance(self.limit, OncePerValue):
            paths.append(self.limit.path)
        return tuple(paths)


@dataclass(frozen=True)
class Counted:
    """What one word does to one fact."""

    fact: Fact
    sign: int
    """1, or -1 where the word stands under `minus`."""
    where: Condition | None
    over: PropertyPath | None = None


@dataclass(frozen=True)
class Entered:
    """What one word does to one ledger."""

    ledger: Ledger
    role: int
    """EACH, UPDATE or MINUS of `stream.core.ledgers`."""
    where: Condition | None
    label: tuple[str, str]
    """The lifecycle's id and the ledger's name."""


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
    entered: tuple[Entered, ...] = ()
    """In file order of the ledgers."""
    simple: bool = True
    """Each signal and fact applies to the interaction as it is, whatever the customer's state, and by itself."""
    floored: tuple[Score, ...] = ()
    """The scores with a floor that its signals add to."""
    figured: tuple[Figured, ...] = ()
    """In file order of the figures that are made of interactions."""
    ledger_figures: tuple[tuple[Figure, ...], ...] = ()
    """By `entered`: the figures that are made of its ledger's entries."""


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
    """With what `at_most_every` and `hold` ask beside."""
    limits: str = ""
    """These two in words; empty where there is neither."""
    taken: int = -1
    """Its place in `Memory.taken`; -1 without `at_most_every`."""
    held: HasHeld | None = None


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
    ledgers: tuple[Ledger, ...]
    ledger_fingerprints: tuple[str, ...]
    memories: tuple[tuple[int, MemoryKind], ...]
    """Per place in `Memory.signals`: the signal's index, and what it remembers."""
    resets: tuple[str, ...]
    """Per place in `Memory.resets`: the score's name."""
    bands: tuple[Band, ...]
    is_extended: bool
    """Its lives hold what the first versions of this software did not know."""
    taken: tuple[str, ...]
    """Per place in `Memory.taken`: the transition, so that it is found in an edited file."""
    held: tuple[str, ...]
    """The same of `Memory.held`."""
    held_in: dict[str, tuple[HasHeld, ...]]
    """By stage that has any: what the transitions out of it ask to hold."""
    time_zone: str
    """The zone of calendar windows and local times as the file names it; empty: UTC, since it names none."""
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
    figures: FigureSet | None = None
    """None: no figures are kept."""

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
            lifecycle=self.id,
            identified=identified,
            clock=time,
            stage=self.first_stage,
            entered=time,
            born=born,
            sequence=0,
            active=time,
            fired=0,
            deadline=NEVER,
            counts=vec[i64]([0] * len(self.signals)),
            windows=vec[i64]([0] * (WINDOW_NUMBERS * self.windows)),
            sums=vec[float]([0.0] * len(self.slots)),
            ats=vec[i64]([0] * len(self.slots)),
            millionths=vec[i64]([0] * len(self.slots)),
            numbers=vec[i64]([initial_number(fact.code) for fact in self.facts]),
            facts=[initial(fact.code) for fact in self.facts] if self.has_states else [],
            memory=self.empty_memory() if self.remembers else None,
        )

    @property
    def windows(self) -> int:
        """Signals with `at_most` in windows."""
        return sum(signal.window >= 0 for signal in self.signals)

    @property
    def has_states(self) -> bool:
        """A fact stands in `Life.facts`."""
        return any(has_state(fact.code) for fact in self.facts)

    @property
    def remembers(self) -> bool:
        """Lives here have a `Memory`."""
        return bool(self.memories or self.resets or self.ledgers or self.taken or self.held or self.figure_windows)

    @property
    def figures_remember(self) -> bool:
        """Lives keep something for figures alone."""
        of = self.figures
        if of is None:
            return False
        return len(of.windows) > 0 or any(each.takes_returns and not each.on_order_day for each in of.figures)

    @property
    def figure_windows(self) -> int:
        """Places in `Memory.figures`."""
        return 0 if self.figures is None else len(self.figures.windows)

    def empty_memory(self) -> Memory:
        """The memory of a life that begins."""
        signals: list[SignalMemory] = []
        for signal, kind in self.memories:
            if kind == "points":
                signals.append(timed_points.empty(len(self.signals[signal].points)))
            else:
                signals.append(b"" if kind == "values" else [])
        states = [ledgers.empty() for _ in self.ledgers]
        windows: list[list[Window]] = [[] for _ in range(self.figure_windows)]
        resets: list[int | None] = [None] * len(self.resets)
        return Memory(signals, resets, states, [None] * len(self.taken), [None] * len(self.held), windows)


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
