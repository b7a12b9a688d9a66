"""How long customers stay in each stage of a lifecycle, which share goes on and where to, and who is where.

A *stay* is one customer in one stage, from entering it to leaving it; who returns begins another one. The stays that
go on at the end count in the shares, not in the durations: how long they will last is not known.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from heapq import heappush, heappushpop
from math import ceil, floor
from typing import Final, NamedTuple

from stream.core.interaction import Kind
from stream.core.lifecycle import Lifecycle, Transition
from stream.core.stage_change import StageChange
from stream.offline.standing import Standing

MOST_KNOWN: Final = 20
"""Customers of each stage that are known by name: those who entered it last."""


class Way(NamedTuple):
    """One way from a stage to another."""

    source: str | None
    """None: the customer is new."""
    target: str | None
    """None: the customer was forgotten."""
    condition: str | None
    """The text of the transition's condition; None where there is none: new, or forgotten."""


class Placed(NamedTuple):
    """One customer in a stage."""

    kind: Kind
    id: str
    since: int
    """When the stage was entered, epoch milliseconds."""
    at: int
    """Up to when is known that the customer is there."""


class StageStatistics:
    """Of one lifecycle."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.lifecycle = lifecycle
        self.now: Counter[str] = Counter()
        """Customers who are in a stage at the end."""
        self.entered: Counter[str] = Counter()
        """Stays, by stage."""
        self._stays: dict[Way, array[int]] = {}
        """Milliseconds of the stays that ended on each way; of births 0."""
        self._bits = {name: 1 << place for place, name in enumerate(lifecycle.stages)}
        self._seen: dict[tuple[Kind, str], int] = {}
        """By customer: the bits of the stages that they were ever in."""
        self._placed: dict[str, list[tuple[int, int, Placed]]] = {}
        self._counted = 0

    def add(self, change: StageChange) -> None:
        """Take a stage change into account."""
        way = Way(change.from_stage, change.to_stage, change.transition)
        stays = self._stays.get(way)
        if stays is None:
            stays = self._stays[way] = array("q")
        stays.append(change.at - change.entered if change.entered is not None else 0)
        if change.to_stage is not None:
            self.entered[change.to_stage] += 1
            key = change.kind, change.subject
            self._seen[key] = self._seen.get(key, 0) | self._bits[change.to_stage]

    def count(self, standing: Standing) -> None:
        """Take into account where a customer is at the end."""
        stage = standing.life.stage
        self.now[stage] += 1
        placed = self._placed.setdefault(stage, [])
        customer = standing.customer
        found = Placed(customer.kind, customer.id, standing.life.entered, standing.at)
        self._counted += 1
        entry = (found.since, -self._counted, found)  # among equals, those who were seen first
        if len(placed) < MOST_KNOWN:
            heappush(placed, entry)
        else:
            heappushpop(placed, entry)

    def ever(self, stage: str) -> int:
        """Customers who were ever in the stage."""
        bit = self._bits[stage]
        return sum(1 for seen in self._seen.values() if seen & bit)

    def went_on(self, stage: str) -> float | None:
        """The share of stays, 0 to 1, that ended in another stage; None where nobody was there."""
        entered = self.entered[stage]
        on = sum(len(stays) for way, stays in self._stays.items() if way.source == stage and way.target is not None)
        return on / entered if entered else None

    def stays(self, stage: str) -> list[int]:
        """Milliseconds of the stays that ended in another stage, ascending."""
        return sorted(
            stay
            for way, stays in self._stays.items()
            if way.source == stage and way.target is not None
            for stay in stays
        )

    def ways(self) -> list[Way]:
        """Every transition in the order of the file, also what nobody took; new customers first, forgotten last."""
        lifecycle = self.lifecycle
        known = [Way(None, lifecycle.first_stage, None)]
        known += [
            Way(source, each.target, each.condition.text)
            for each in lifecycle.transitions
            for source in lifecycle.stages
            if source in each.sources
        ]
        return list(dict.fromkeys([*known, *self._stays]))

    def times(self, way: Way) -> int:
        """How often customers went this way."""
        return len(self._stays.get(way, ()))

    def share(self, way: Way) -> float | None:
        """The share of the stays in the way's source, 0 to 1, that ended on it; None where nobody was there."""
        entered = self.entered[way.source] if way.source is not None else 0
        return self.times(way) / entered if entered else None

    def stays_before(self, way: Way) -> list[int]:
        """Milliseconds of the stays that ended on this way, ascending; none of new customers."""
        return sorted(self._stays.get(way, ())) if way.source is not None else []

    def latest(self, stage: str) -> list[Placed]:
        """Up to MOST_KNOWN customers who are in the stage at the end, the last to enter first."""
        return [placed for _since, _order, placed in sorted(self._placed.get(stage, ()), reverse=True)]

    @property
    def never_taken(self) -> list[Transition]:
        """Transitions that nobody took, from none of their stages."""
        taken = {way for way, stays in self._stays.items() if stays}
        return [
            each
            for each in self.lifecycle.transitions
            if not any(Way(source, each.target, each.condition.text) in taken for source in each.sources)
        ]


def quantile(ascending: Sequence[int], share: float) -> float:
    """The value below which that share of them lies, interpolated linearly, as spreadsheets do (PERCENTILE.INC).

    `ascending` is sorted and not empty, `share` from 0 to 1; 0.5 is the median.
    """
    place = (len(ascending) - 1) * share
    low, high = ascending[floor(place)], ascending[ceil(place)]
    return low + (high - low) * (place - floor(place))
