"""Walks of one customer through a preset, and what the walks of a test file leave out.

A walk's time begins at 0, on the grid of every `at_most`; milliseconds, written as `3 * DAY`.
"""

from collections.abc import Callable, Iterable
from functools import cache
from inspect import signature
from types import ModuleType
from typing import NamedTuple

from stream.codec.lifecycle_yaml import lifecycle_files
from stream.core import facts, scoring
from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.stage_change import StageChange, Value
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.kit.times import DAY

MINUTE = 60_000
BEGIN = 19_000 * DAY


load = cache(lifecycle_files.load)
"""A preset, read once for all walks."""


class Taken(NamedTuple):
    """A transition out of one of its stages."""

    source: str
    target: str
    transition: int


class Walk:
    """One customer, anonymous or identified, in one preset; never forgotten unless a test asks for it."""

    def __init__(self, preset: str | Lifecycle, *, identified: bool = True, forget_after: int | None = None) -> None:
        self.lifecycle = load(preset).lifecycle if isinstance(preset, str) else preset
        self.model = model_of([self.lifecycle], forget_after)
        self.identified = identified
        self.context: dict[str, object] = {}
        """What comes with every interaction."""
        self.customer: Customer | None = None
        self.step_counts = StepCounts()
        self.changes: list[StageChange] = []
        self.taken: list[Taken] = []

    @property
    def stage(self) -> str:
        """Where the customer is."""
        assert self.customer is not None
        return self.customer.lives[self.lifecycle.id].stage

    @property
    def last(self) -> StageChange:
        """The latest stage change."""
        return self.changes[-1]

    def fact(self, name: str) -> Value | None:
        """A fact as it is now."""
        assert self.customer is not None
        life = self.customer.lives[self.lifecycle.id]
        (found,) = (each for each in self.lifecycle.facts if each.name == name)
        return facts.value(found, life, life.clock)

    def score(self, name: str) -> float:
        """A score as it is now."""
        assert self.customer is not None
        life = self.customer.lives[self.lifecycle.id]
        (found,) = (each for each in self.lifecycle.scores if each.name == name)
        return scoring.read(found, life, life.clock)

    def counted(self, signal: str) -> int:
        """How often a signal counted."""
        return self.step_counts.signals.get((self.lifecycle.id, signal), 0)

    def does(self, time: int, name: str, **properties: object) -> list[str | None]:
        """The customer does something; returns the stages that it enters, by deadlines until then too."""
        customer_id, anonymous_id = ("c-1", None) if self.identified else (None, "a-1")
        done = Interaction(customer_id, anonymous_id, None, name, BEGIN + time, properties, self.context)
        return self._step(Arrival(done, 0, 0))

    def passes(self, until: int) -> list[str | None]:
        """Time passes; returns the stages that the customer enters by this."""
        return self._step(Passing(BEGIN + until))

    def turns(self, at: int) -> list[str | None]:
        """The stages that the customer enters at `at` by the passing of time: not a millisecond earlier."""
        early = self.passes(at - 1)
        assert early == [], f"entered {early} at {self.last.at - BEGIN}, before {at}"
        stages = self.passes(at)
        assert all(change.at == BEGIN + at for change in self.changes[len(self.changes) - len(stages) :])
        return stages

    def _step(self, given: Arrival | Passing) -> list[str | None]:
        self.customer, changes = step(self.model, self.customer, given, self.step_counts)
        self.changes += changes
        self.taken += [
            Taken(change.from_stage, change.to_stage, self._index(change))
            for change in changes
            if change.from_stage is not None and change.to_stage is not None
        ]
        return [change.to_stage for change in changes]

    def _index(self, change: StageChange) -> int:
        for transition in self.lifecycle.transitions:
            if (
                change.from_stage in transition.sources
                and transition.target == change.to_stage
                and transition.condition.text == change.transition
            ):
                return transition.index
        raise AssertionError(f"no transition of the file is {change}")


def walks_of(module: ModuleType) -> list[Callable[[Walk], None]]:
    """The tests of a module that take a walk and nothing else."""
    return [
        each
        for name, each in vars(module).items()
        if name.startswith("test_") and list(signature(each).parameters) == ["walk"]
    ]


def left_out(preset: str, walks: Iterable[Callable[[Walk], None]], *, identified: bool) -> list[str]:
    """The stages and ways (each transition from each of its stages) of a preset that no walk takes."""
    lifecycle = load(preset).lifecycle
    stages = set(lifecycle.stages)
    transitions = lifecycle.transitions
    ways = {Taken(source, each.target, each.index) for each in transitions for source in each.sources}
    for walk in walks:
        walked = Walk(preset, identified=identified)
        walk(walked)
        stages -= {change.to_stage for change in walked.changes if change.to_stage is not None}
        ways -= set(walked.taken)
    return sorted(stages) + [f"transition {way.transition + 1}: {way.source} -> {way.target}" for way in sorted(ways)]
