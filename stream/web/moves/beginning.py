"""From where on moves are known: where the reading of a topic begins, and what that means in time."""

from collections.abc import Iterable, Mapping
from typing import Final

FIRST: Final = 20
"""Moves that show from which time on a partition is read: one of them may have come late, not all."""


def first_offsets(spans: Mapping[int, tuple[int, int]], most: int) -> dict[int, int]:
    """By partition where to begin, so that at most `most` offsets are read, the last ones of each.

    `spans`: the first offset of each and the one behind the last. All get the same share, and what one does not need is
    for the others.
    """
    starts: dict[int, int] = {}
    for place, (partition, (begin, end)) in enumerate(sorted(spans.items(), key=_length)):
        starts[partition] = max(begin, end - most // (len(spans) - place))
        most -= end - starts[partition]
    return starts


def _length(span: tuple[int, tuple[int, int]]) -> int:
    _partition, (begin, end) = span
    return end - begin


class Beginning:
    """The first moves that were read of a partition of which older ones were not, or are there no more.

    Changes are written in the order of their time, but for those that come late. So what was not read is older than
    most of the first, and was written before them.
    """

    def __init__(self) -> None:
        self._ats: list[int] = []
        self._written: int | None = None

    @property
    def is_known(self) -> bool:
        """More moves would not change it."""
        return len(self._ats) == FIRST

    def add(self, at: int, written: int) -> None:
        """A move, of those that are read first, and when its record was written; epoch milliseconds."""
        if self._written is None:
            self._written = written
        self._ats.append(at)

    @property
    def since(self) -> int | None:
        """From when on moves are known, epoch milliseconds; None where the partition has none."""
        return None if self._written is None else min(self._written, max(self._ats))


def known_since(beginnings: Iterable[Beginning], now: int) -> int | None:
    """From when on all moves are known, where these are the partitions that were not read whole; None: all are.

    `now` is when the reading began, which is what is known where retention left nothing anywhere.
    """
    beginnings = list(beginnings)
    return max((each.since for each in beginnings if each.since is not None), default=now if beginnings else None)
