"""Two lifecycles run side by side: each interaction is applied to the customer in both, and what they do is compared.

As in `lifecycle simulate`, each customer goes by its own clock. Everything is kept in memory: it grows with the number
of customers, not of interactions.
"""

from xxhash import xxh3_64_intdigest

from stream.core.customer import Customer
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import Interaction, Kind
from stream.core.model import due
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from stream.offline.diff.tally import Ending, Move, Parting, Tally, Witness
from stream.offline.diff.versions import Versions


def rank_of(subject: str) -> int:
    """A number that an id alone decides: which share of the customers it belongs to, and who is shown."""
    return xxh3_64_intdigest(subject.encode("utf-8", "surrogatepass"))


Stop = tuple[str | None, int]
"""A stage that was entered, and when, epoch milliseconds; None: forgotten."""


class Parted:
    """Of a customer whose two lives differ: since when, and what they did since."""

    def __init__(self, offset: int, at: int, parting: Parting) -> None:
        self.offset = offset
        self.at = at
        self.parting = parting
        self.ways: tuple[list[Stop], list[Stop]] = ([], [])
        """Where each went since, by the names of stages in the new lifecycle."""

    @property
    def is_same_way(self) -> bool:
        """Whether both went to the same stages, whenever."""
        old, new = ([stage for stage, _ in way] for way in self.ways)
        return old == new


class Pair:
    """One customer in both lifecycles; None: it was never seen, or was forgotten."""

    def __init__(self) -> None:
        self.old: Customer | None = None
        self.new: Customer | None = None
        self.parted: Parted | None = None


class Comparison:
    """One run of both."""

    def __init__(self, versions: Versions, most: int) -> None:
        """Up to `most` customers who differ are kept of each kind, to be explained."""
        self._versions = versions
        self._old, self._new = versions.models
        self._pairs: dict[tuple[Kind, str], Pair] = {}
        self._counts = StepCounts()
        self._before = StepCounts()
        self.tally = Tally(most)

    @property
    def duplicates(self) -> int:
        """Interactions that were known by their id."""
        return self._counts.duplicates

    def take(self, interaction: Interaction, offset: int) -> None:
        """Apply an interaction, which is the record of that number, in both."""
        key = interaction.kind, interaction.subject
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pairs[key] = Pair()
        arrival = Arrival(interaction, 0, offset)
        pair.old, before = step(self._old, pair.old, arrival, self._before)
        pair.new, after = step(self._new, pair.new, arrival, self._counts)
        if before or after:
            self._compare(pair, before, after, offset)

    def finish(self, until: int, offset: int) -> None:
        """Let time pass for everybody up to and including `until` (epoch ms), after all `offset` records."""
        passing = Passing(until)
        for pair in self._pairs.values():
            before: list[StageChange] = []
            after: list[StageChange] = []
            if pair.old is not None and _is_due(due(self._old, pair.old), until):
                pair.old, before = step(self._old, pair.old, passing, self._before)
            if pair.new is not None and _is_due(due(self._new, pair.new), until):
                pair.new, after = step(self._new, pair.new, passing, self._counts)
            if before or after:
                self._compare(pair, before, after, offset)

    def end(self) -> Tally:
        """Count where everybody is, and hand out what was counted."""
        old, new = (each.id for each in self._versions.lifecycles)
        for (kind, subject), pair in self._pairs.items():
            if pair.old is None and pair.new is None:
                continue
            ending = self._ending(
                None if pair.old is None else pair.old.lives[old].stage,
                None if pair.new is None else pair.new.lives[new].stage,
                pair.parted,
            )
            self.tally.add_ending(ending)
            if pair.parted is not None:
                parted = pair.parted
                self.tally.add_witness(
                    Witness(rank_of(subject), kind, subject, ending, parted.offset, parted.at, parted.parting)
                )
        return self.tally

    def _ending(self, old: str | None, new: str | None, parted: Parted | None) -> Ending:
        if parted is None:
            return Ending(old, new, "same")
        if self._versions.in_new(old) != new:
            return Ending(old, new, "elsewhere")
        return Ending(old, new, "other_times" if parted.is_same_way else "another_way")

    def _compare(self, pair: Pair, before: list[StageChange], after: list[StageChange], offset: int) -> None:
        """Note what both did upon one input, and where that differs for the first time."""
        old_flow, new_flow = self.tally.flows
        for change in before:
            old_flow.add(change)
        for change in after:
            new_flow.add(change)
        parted, place = pair.parted, 0
        in_new = self._versions.in_new
        if parted is None:
            place = self._first_difference(before, after)
            if place < 0:
                return
            parted = pair.parted = self._part(before[place:], after[place:], offset)
        parted.ways[0].extend([(in_new(change.to_stage), change.at) for change in before[place:]])
        parted.ways[1].extend([(change.to_stage, change.at) for change in after[place:]])
        if parted.ways[0] == parted.ways[1]:  # of several interactions of one moment, another one was decisive
            pair.parted = None

    def _first_difference(self, before: list[StageChange], after: list[StageChange]) -> int:
        """The index of the first change that the other list has not there; -1 where both are the same."""
        in_new = self._versions.in_new
        for place, (old, new) in enumerate(zip(before, after, strict=False)):
            if old.at != new.at or in_new(old.to_stage) != new.to_stage:
                return place
        return -1 if len(before) == len(after) else min(len(before), len(after))

    def _part(self, before: list[StageChange], after: list[StageChange], offset: int) -> Parted:
        """The first changes that differ: whichever comes first in time, or both where they come at once."""
        old, new = next(iter(before), None), next(iter(after), None)
        at = min(change.at for change in (old, new) if change is not None)
        if old is not None and old.at > at:
            old = None
        if new is not None and new.at > at:
            new = None
        source = self._versions.in_new(old.from_stage) if old is not None else None
        if new is not None:
            source = new.from_stage
        return Parted(offset, at, Parting(source, _move(old), _move(new)))


def _is_due(time: int | None, until: int) -> bool:
    return time is not None and time <= until


def _move(change: StageChange | None) -> Move | None:
    if change is None:
        return None
    return Move(change.to_stage, change.trigger.kind, change.trigger.type, change.transition)
