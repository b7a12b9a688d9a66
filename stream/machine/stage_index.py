"""Who is in which stage, in the order in which they entered it: made where somebody first asks, kept up afterwards.

Whoever leaves a stage stays in its list; a reader holds each entry against the customer's record, which says where the
customer is. When half of the entries are such, the index is made anew.
"""

from collections.abc import Iterator
from typing import Final

from stream.codec.state.keys import customer_key
from stream.core.stage_change import StageChange
from stream.machine.sorted_runs import Entry, SortedRuns

_SPARE: Final = 10_000
"""Entries of customers who left, below which it is not worth the work to make an index anew."""


class StageIndex:
    """Changelog keys of one partition's customers by lifecycle, stage and time of entry."""

    def __init__(self) -> None:
        self._stages: dict[tuple[str, str], SortedRuns] = {}
        self.entries = 0

    def add(self, lifecycle: str, stage: str, entered: int, key: bytes) -> None:
        """A customer is in this stage since `entered`."""
        runs = self._stages.get((lifecycle, stage))
        if runs is None:
            runs = self._stages[lifecycle, stage] = SortedRuns()
        runs.add(entered, key)
        self.entries += 1

    def moved(self, change: StageChange) -> None:
        """A customer entered a stage, or is gone."""
        if change.to_stage is not None:
            self.add(change.lifecycle, change.to_stage, change.at, customer_key(change.kind, change.subject))

    def is_worn(self, lives: int) -> bool:
        """Whether most entries are of customers who left, where `lives` have not."""
        return self.entries > 2 * lives + _SPARE

    def read(self, lifecycle: str, stage: str, after: Entry | None, *, latest_first: bool) -> Iterator[Entry]:
        """Times of entry and keys from `after` on; some may have left."""
        runs = self._stages.get((lifecycle, stage))
        if runs is None:
            return iter(())
        return runs.descending(after) if latest_first else runs.ascending(after)

    def spread(self, lifecycle: str, stage: str) -> Iterator[Entry]:
        """The same, all of them, in an order of which each beginning is a fair sample; some may come twice."""
        runs = self._stages.get((lifecycle, stage))
        return iter(()) if runs is None else runs.spread()
