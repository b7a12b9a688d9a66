"""Customers who differ, told of: the interactions are read once more, and applied to these customers alone.

So nothing has to be kept of all the others to explain these; what is told is as `lifecycle simulate --explain` tells.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stream.codec.explanations import data
from stream.codec.files.source_file import Record
from stream.core.customer import Customer
from stream.core.explain import explain_life
from stream.core.inputs import Arrival, Passing
from stream.core.model import Model
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.offline.diff.history import Noted, interactions
from stream.offline.diff.shares import Task
from stream.offline.diff.tally import Move, Witness
from stream.offline.diff.versions import Versions

Told = dict[str, Any]
"""Part of the document, as `schemas/diff.schema.json` has it."""


class _Run:
    """One customer in one of the two lifecycles."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._customer: Customer | None = None
        self._counts = StepCounts()
        self.way: list[Told] = []
        self.parted: Told | None = None
        """The explanation of when it parts; None: there is no customer then."""

    def apply(self, given: Arrival | Passing) -> None:
        self._customer, changes = step(self._model, self._customer, given, self._counts)
        self.way += [_stay(change) for change in changes]

    def explain(self, at: int | None) -> Told | None:
        """As it is at its clock, or at `at` where that is later."""
        if self._customer is None:
            return None
        lifecycle = self._model.lifecycles[0]
        clock = self._customer.lives[lifecycle.id].clock
        return data(explain_life(self._model, self._customer, lifecycle, clock if at is None else max(at, clock)))

    @property
    def identified(self) -> bool:
        return self._customer is not None and self._customer.identified


class _Pair:
    """One customer in both."""

    def __init__(self, witness: Witness, versions: Versions) -> None:
        self.witness = witness
        self.runs = tuple(_Run(model) for model in versions.models)

    def apply(self, arrival: Arrival) -> None:
        parts_now = arrival.offset == self.witness.offset
        if parts_now and self._parts_by_time():
            self.pass_to(self.witness.at)
            self._note()
            parts_now = False
        for run in self.runs:
            run.apply(arrival)
        if parts_now:
            self._note()

    def finish(self, until: int, offset: int) -> None:
        if offset == self.witness.offset:
            self.pass_to(self.witness.at)
            self._note()
        self.pass_to(until)

    def pass_to(self, time: int) -> None:
        for run in self.runs:
            run.apply(Passing(time))

    def told(self, until: int | None) -> Told:
        """What there is to say of this customer."""
        witness = self.witness
        ends = [run.explain(until) for run in self.runs]
        old, new = witness.parting.old, witness.parting.new
        return {
            f"{witness.kind}_id": witness.id,
            "identified": any(run.identified for run in self.runs),
            "difference": witness.ending.difference,
            "parted": {
                "at": witness.at,
                "record": witness.offset,
                "from": witness.parting.source,
                "old": move_data(old),
                "new": move_data(new),
                "old_explanation": self.runs[0].parted,
                "new_explanation": self.runs[1].parted,
            },
            "old": {"way": self.runs[0].way, "explanation": ends[0]},
            "new": {"way": self.runs[1].way, "explanation": ends[1]},
        }

    def _parts_by_time(self) -> bool:
        parting = self.witness.parting
        moves = [each for each in (parting.old, parting.new) if each is not None]
        return any(each.trigger in ("deadline", "forgotten") for each in moves)

    def _note(self) -> None:
        for run in self.runs:
            run.parted = run.explain(self.witness.at)


def explained(
    task: Task,
    witnesses: Sequence[Witness],
    progress: Callable[[Iterable[Record], str], Iterable[Record]],
) -> list[Told]:
    """What there is to say of each of these customers, in their order. Raises InputFileError as the first reading."""
    versions = task.versions()
    pairs = {(each.kind, each.id): _Pair(each, versions) for each in witnesses}
    if not pairs:
        return []
    noted = Noted()
    for offset, interaction in interactions(task.history, noted, progress):
        pair = pairs.get((interaction.kind, interaction.subject))
        if pair is not None:
            pair.apply(Arrival(interaction, 0, offset))
    if task.until is not None:
        for pair in pairs.values():
            pair.finish(task.until, noted.records)
    return [pair.told(task.until) for pair in pairs.values()]


def move_data(move: Move | None) -> Told | None:
    """A move as JSON; None where it stays where it is."""
    if move is None:
        return None
    trigger = {"kind": move.trigger, "type": move.type}
    return {"to": move.target, "trigger": trigger, "transition": move.transition}


def _stay(change: StageChange) -> Told:
    return {"stage": change.to_stage, "at": change.at}
