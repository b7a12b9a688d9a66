"""One subject driven by hand through `step`: times in milliseconds, lifecycles as YAML."""

from collections.abc import Iterable, Mapping
from textwrap import dedent

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core import facts, scoring
from stream.core.customer import Customer, Life
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import Interaction, Kind
from stream.core.lifecycle import Lifecycle
from stream.core.model import due, model_of
from stream.core.stage_change import StageChange, Value
from stream.core.step import step
from stream.core.step_counts import StepCounts

SECOND = 1_000
Move = tuple[str | None, str | None, int]


def lifecycle(text: str, name: str = "shop") -> Lifecycle:
    """The lifecycle that `text` describes, its name and, where it has none, its one stage added."""
    body = dedent(text)
    stages = "" if "stages:" in body else "\nstages: {start: {}}"
    return parse(f"lifecycle: {name}\n{body}{stages}", f"{name}.yaml").lifecycle


def moves(changes: Iterable[StageChange]) -> list[Move]:
    """From, to and time of each change."""
    return [(each.from_stage, each.to_stage, each.at) for each in changes]


class Subject:
    """A subject that nothing is known of yet, and the lifecycles that it goes through."""

    def __init__(
        self,
        *lifecycles: Lifecycle,
        kind: Kind = "customer",
        forget_after: int | None = None,
        forget_identified_after: int | None = None,
    ) -> None:
        self.model = model_of(lifecycles, forget_after, forget_identified_after)
        self.kind = kind
        self.customer: Customer | None = None
        self.step_counts = StepCounts()
        self.changes: list[StageChange] = []
        """Everything that happened so far."""
        self._offset = 0

    def sees(
        self,
        time: int,
        name: str,
        properties: Mapping[str, object] | None = None,
        *,
        context: Mapping[str, object] | None = None,
        id: str | None = None,  # noqa: A002 - the interaction's
    ) -> list[StageChange]:
        """Apply an interaction; `id` is the interaction's."""
        known, unknown = ("c1", None) if self.kind == "customer" else (None, "a1")
        return self.applies(Interaction(known, unknown, id, name, time, properties or {}, context or {}))

    def applies(self, interaction: Interaction) -> list[StageChange]:
        """Apply an interaction, whoever it says it is of."""
        arrival = Arrival(interaction, 0, self._offset)
        self._offset += 1
        self.customer, caused = step(self.model, self.customer, arrival, self.step_counts)
        self.changes += caused
        return caused

    def waits(self, until: int) -> list[StageChange]:
        """Let time pass."""
        self.customer, caused = step(self.model, self.customer, Passing(until), self.step_counts)
        self.changes += caused
        return caused

    def life(self, name: str = "shop") -> Life:
        """The life in one lifecycle."""
        assert self.customer is not None
        return self.customer.lives[name]

    def stage(self, name: str = "shop") -> str:
        """The stage in one lifecycle."""
        return self.life(name).stage

    def score(self, score: str, at: int | None = None) -> float:
        """A score, at the clock or later."""
        life = self.life()
        (found,) = (each for each in self.model.lifecycles[0].scores if each.name == score)
        return scoring.read(found, life, life.clock if at is None else at)

    def fact(self, fact: str, at: int | None = None) -> Value | None:
        """A fact, at the clock or later."""
        life = self.life()
        (found,) = (each for each in self.model.lifecycles[0].facts if each.name == fact)
        return facts.value(found, life, life.clock if at is None else at)

    def next_due(self) -> int | None:
        """When time alone will next do something."""
        assert self.customer is not None
        return due(self.model, self.customer)
