"""What a comparison comes to: who stands where in both, how many went which way, and who shows it.

Shares of the customers are counted apart and put together: everything here is the same in whatever order.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from typing import Final, Literal, NamedTuple

from stream.core.interaction import Kind
from stream.core.stage_change import StageChange, TriggerKind

Difference = Literal["same", "elsewhere", "another_way", "other_times"]
"""How the old and the new lifecycle differ on one customer: not at all; it ends in another stage; it ends in the same
one, and took another way there; it took the same way at other times."""
DIFFERENCES: Final[tuple[Difference, ...]] = ("elsewhere", "another_way", "other_times")


class Move(NamedTuple):
    """A move of one customer in one of the two."""

    target: str | None
    """None: it was forgotten."""
    trigger: TriggerKind
    type: str | None
    """The interaction's word, where one was the cause."""
    transition: str | None
    """The text of the condition that held; None where there is none: born, or forgotten."""


class Parting(NamedTuple):
    """How customers part: from where, and where to in the old and in the new one; None: it stays where it is."""

    source: str | None
    """By its name in the new one; None: it is born there."""
    old: Move | None
    new: Move | None

    def without_words(self) -> "Parting":
        """The same, whichever interaction was the cause."""
        old, new = (None if each is None else each._replace(type=None) for each in (self.old, self.new))
        return Parting(self.source, old, new)


class Ending(NamedTuple):
    """Where a customer stands at the end in the old and in the new one; None: it was forgotten."""

    old: str | None
    new: str | None
    difference: Difference


class Witness(NamedTuple):
    """A customer who differs."""

    rank: int
    """By a hash of its id: which customers are shown depends on nothing else."""
    kind: Kind
    id: str
    ending: Ending
    offset: int
    """The record, counted from 0 over all files, at which it parts; the number of all records: after the last."""
    at: int
    """When it parts, epoch milliseconds."""
    parting: Parting


class Flow:
    """How customers go through one lifecycle."""

    def __init__(self) -> None:
        self.stays: dict[tuple[str | None, str | None], array[int]] = {}
        """By stage left and stage entered: how long the stays before were, in milliseconds; of births 0."""

    def add(self, change: StageChange) -> None:
        """Take a stage change into account."""
        way = change.from_stage, change.to_stage
        stays = self.stays.get(way)
        if stays is None:
            stays = self.stays[way] = array("q")
        stays.append(0 if change.entered is None else change.at - change.entered)

    def join(self, other: "Flow") -> None:
        """Add what was counted of other customers."""
        for way, stays in other.stays.items():
            self.stays.setdefault(way, array("q")).extend(stays)

    def entered(self, stage: str) -> int:
        """Stays in the stage that began."""
        return sum(len(stays) for (_, target), stays in self.stays.items() if target == stage)

    def left(self, stage: str) -> list[int]:
        """How long the stays were that ended in another stage, in milliseconds, ascending."""
        ways = (stays for (source, target), stays in self.stays.items() if source == stage and target is not None)
        return sorted(stay for stays in ways for stay in stays)


class Tally:
    """What is counted of some of the customers."""

    def __init__(self, most: int) -> None:
        """Keep up to `most` witnesses of each kind of ending."""
        self.most = most
        self.flows = Flow(), Flow()
        """Of the old lifecycle and of the new one."""
        self.endings: Counter[Ending] = Counter()
        """Customers who are there at the end in one of the two at least."""
        self.partings: Counter[Parting] = Counter()
        """The same customers, where they differ, by the first moment at which they do."""
        self.witnesses: dict[Ending, list[Witness]] = {}
        """Of each kind of ending, of which at least the first `most` by rank are there."""

    def add_ending(self, ending: Ending) -> None:
        """Count a customer who is there at the end."""
        self.endings[ending] += 1

    def add_witness(self, witness: Witness) -> None:
        """Count how a customer parts who differs, and keep it if it is to be shown."""
        self.partings[witness.parting.without_words()] += 1
        kept = self.witnesses.setdefault(witness.ending, [])
        kept.append(witness)
        if len(kept) > 2 * self.most + 100:
            self.witnesses[witness.ending] = nsmallest(self.most, kept)

    def join(self, other: "Tally") -> None:
        """Add what was counted of other customers."""
        for mine, theirs in zip(self.flows, other.flows, strict=True):
            mine.join(theirs)
        self.endings += other.endings
        self.partings += other.partings
        for ending, witnesses in other.witnesses.items():
            self.witnesses.setdefault(ending, []).extend(witnesses)

    def count(self, *differences: Difference) -> int:
        """Customers with one of these differences."""
        return sum(number for ending, number in self.endings.items() if ending.difference in differences)

    def chosen(self) -> list[Witness]:
        """Up to `most` witnesses: one of each kind of ending, largest first, then more of those who end elsewhere.

        They come by kind: elsewhere, on another way, at other times; of each the largest first.
        """
        kinds = sorted(self.witnesses, key=self._weight)
        found = {ending: nsmallest(self.most, self.witnesses[ending]) for ending in kinds}
        elsewhere = [ending for ending in kinds if ending.difference == "elsewhere"]
        order = [
            *((ending, 0) for ending in kinds),
            *((ending, place) for place in range(1, self.most) for ending in elsewhere),
            *((ending, place) for place in range(1, self.most) for ending in kinds if ending not in elsewhere),
        ]
        taken = [each for each in order if each[1] < len(found[each[0]])][: self.most]
        return [found[ending][place] for ending, place in sorted(taken, key=lambda each: kinds.index(each[0]))]

    def _weight(self, ending: Ending) -> tuple[int, int, str, str]:
        return DIFFERENCES.index(ending.difference), -self.endings[ending], ending.old or "", ending.new or ""


def largest(counted: Iterable[tuple[Parting, int]]) -> list[tuple[Parting, int]]:
    """The most frequent first; among equals in the order of their names."""
    return sorted(counted, key=lambda each: (-each[1], repr(each[0])))
