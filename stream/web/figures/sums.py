"""What one worker's partitions know of figures, added up by period; workers send it to the one that was asked."""

import asyncio
import hashlib
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import msgspec

from stream.codec.state.figures import NO_VALUE, OTHER, Cell
from stream.core.figures import FigureSet
from stream.core.tally import OPEN_DAYS
from stream.web.figures.periods import Periods

_AT_ONCE: Final = 5_000
"""Numbers looked at before others have their turn."""
_ADDED: Final = frozenset({"entered", "left", "stayed", "moved"})
"""What comes by itself and is added up over days."""
_CUSTOMERS: Final = "customers"
"""What comes by itself and is not: those at a day's end."""
ALL: Final = ""
"""The segment of everybody."""

Days = AsyncIterator[list[tuple[int, dict[Cell, int]]]]
"""Days with their figures, some at a time."""


class Part(msgspec.Struct):
    """Figures of some partitions."""

    partitions: list[int] = []
    first: int | None = None
    """The first day that has figures."""
    latest: int | None = None
    """The latest one."""
    closed: int | None = None
    """Of this day and those before it, some partition keeps nothing any more."""
    ranks: dict[str, int] = {}
    """By segment what puts it in order."""
    sums: dict[str, dict[str, list[int]]] = {}
    """By figure and segment (as a cell has it; empty: everybody) one for each span."""
    customers: dict[str, list[int]] = {}
    """By stage: customers before the first period, then at the end of each."""

    def reaches(self, partition: int, first: int | None, latest: int | None) -> None:
        """A partition is in it, which has figures from `first` to `latest`."""
        closed = None if latest is None else latest - OPEN_DAYS
        self.add(Part([partition], first, latest, closed))

    def add(self, other: "Part") -> None:
        """What other partitions know."""
        self.partitions = sorted({*self.partitions, *other.partitions})
        self.first = min((each for each in (self.first, other.first) if each is not None), default=None)
        self.latest = max((each for each in (self.latest, other.latest) if each is not None), default=None)
        self.closed = max((each for each in (self.closed, other.closed) if each is not None), default=None)
        for segment, rank in other.ranks.items():
            self.ranks[segment] = self.ranks.get(segment, 0) + rank
        for figure, segments in other.sums.items():
            ours = self.sums.setdefault(figure, {})
            for segment, values in segments.items():
                _add(ours, segment, values)
        for stage, counts in other.customers.items():
            _add(self.customers, stage, counts)

    def encode(self) -> bytes:
        """As JSON, whose numbers may have any size."""
        return json.dumps(msgspec.to_builtins(self)).encode()


def decode_part(body: bytes) -> Part:
    """What `encode` made."""
    return msgspec.convert(json.loads(body), Part)


def _add(sums: dict[str, list[int]], name: str, values: list[int]) -> None:
    ours = sums.get(name)
    sums[name] = values if ours is None else [one + other for one, other in zip(ours, values, strict=True)]


def ranking_figure(figures: FigureSet) -> str | None:
    """The figure by which segments are put in order: the first that is money, else the first."""
    money = [each.name for each in figures.figures if each.is_money]
    return next(iter(money or [each.name for each in figures.figures]), None)


def fingerprint_of(segment: str) -> str:
    """What stands for a segment in a question to another worker; no two are alike."""
    return hashlib.blake2b(segment.encode(), digest_size=12).hexdigest()


async def rank_segments(part: Part, days: Days, first: int, figure: str | None, by: str) -> None:
    """Add up a figure from the day `first` on by the segments of one partition; those without it there have 0."""
    sums: dict[Cell, list[int]] = {}
    async for some in days:
        for day, cells in some:
            place = 1 if day >= first else 0
            for numbers in _slices(cells):
                for cell, number in numbers:
                    values = sums.get(cell)
                    if values is None:
                        values = sums[cell] = [0, 0]
                    values[place] += number
                await asyncio.sleep(0)
    for cell, values in sums.items():
        if cell.by == by and cell.segment not in (NO_VALUE, OTHER):
            rank = values[1] if cell.figure == figure else 0
            part.ranks[cell.segment] = part.ranks.get(cell.segment, 0) + rank


def _slices(cells: dict[Cell, int]) -> Iterator[Iterable[tuple[Cell, int]]]:
    """All numbers of a day, some thousand at a time."""
    if len(cells) <= _AT_ONCE:
        yield cells.items()
        return
    numbers = iter(cells.items())
    for _ in range(0, len(cells), _AT_ONCE):
        yield islice(numbers, _AT_ONCE)


class Adding:
    """Which numbers are added up, and what they come to: by period, of everybody and by the segments of a fact."""

    def __init__(
        self, asked: Periods, figures: Collection[str], by: str | None, only: Collection[str] | None = None
    ) -> None:
        """`by`: None: of everybody alone. `only` are fingerprints of the segments that are told apart; None: all."""
        self.asked = asked
        self._figures, self._by, self._only = frozenset(figures), by, only
        self._length = 2 * len(asked.each)
        self._places, self._begin = asked.places(), asked.before.first
        self._not_asked = [0] * self._length
        """Where all that is not asked for is added up: to look at each number would take longer."""

    async def partition(self, part: Part, days: Days, customers: Mapping[str, int]) -> None:
        """Add up the figures of one partition; `customers` are those by stage before the first period."""
        sums: dict[Cell, list[int]] = {}
        levels: dict[int, dict[str, int]] = {self.asked.first - 1: dict(customers)}
        stages: dict[Cell, str] = {}
        async for some in days:
            for day, cells in some:
                place = self._places[day - self._begin]
                for numbers in _slices(cells):
                    for cell, number in numbers:
                        values = sums.get(cell)
                        if values is None:
                            values = sums[cell] = self._sums_of(part, cell, stages)
                        values[place] += number
                    await asyncio.sleep(0)
                if day >= self.asked.first:
                    level = {stage: cells[cell] for cell, stage in stages.items() if cell in cells}
                    if level:
                        levels[day] = level
        _count_customers(part, levels, self.asked)

    def _sums_of(self, part: Part, cell: Cell, stages: dict[Cell, str]) -> list[int]:
        """What a number is added to, by span; customers of a stage, which are not added up, are noted."""
        figure, by, segment = cell
        if by and by != self._by:
            return self._not_asked
        if figure not in self._figures:
            kind, _, stage = figure.partition("/")
            if kind == _CUSTOMERS:
                stages[cell] = stage
            if by or kind not in _ADDED:
                return self._not_asked
        if self._only is not None and segment[:1] == "=" and fingerprint_of(segment) not in self._only:
            segment = OTHER
        segments = part.sums.setdefault(figure, {})
        values = segments.get(segment)
        if values is None:
            values = segments[segment] = [0] * self._length
        return values


def _count_customers(part: Part, levels: dict[int, dict[str, int]], asked: Periods) -> None:
    """Add one partition's customers by stage: before the first period, then at the end of each.

    Of a day on which nobody moved they are those of the day before.
    """
    ends = [asked.first - 1, *(each.last for each in asked.each)]
    days = sorted(levels)
    for place, end in enumerate(ends):
        for stage, count in levels[days[bisect_right(days, end) - 1]].items():
            counts = part.customers.get(stage)
            if counts is None:
                counts = part.customers[stage] = [0] * len(ends)
            counts[place] += count
