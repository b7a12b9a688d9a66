"""What one worker's partitions know of figures, added up by period; workers send it to the one that was asked."""

import asyncio
import hashlib
import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Final, NamedTuple

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
    seen = 0
    async for some in days:
        for day, cells in some:
            for cell, number in cells.items():
                if cell.by == by and cell.segment not in (NO_VALUE, OTHER):
                    rank = number if cell.figure == figure and day >= first else 0
                    part.ranks[cell.segment] = part.ranks.get(cell.segment, 0) + rank
                seen += 1
                if seen % _AT_ONCE == 0:
                    await asyncio.sleep(0)


class Adding(NamedTuple):
    """What is added up, and how."""

    asked: Periods
    figures: frozenset[str]
    by: str | None
    """The fact whose segments are told apart; None: everybody alone."""
    only: frozenset[str] | None
    """Fingerprints of those that are; None: all."""


async def add_up(part: Part, days: Days, adding: Adding, customers: Mapping[str, int]) -> None:
    """Add up the figures of one partition by period; `customers` are those by stage before the first one."""
    asked, figures, by, only = adding
    places, begin = asked.places(), asked.before.first
    length = 2 * len(asked.each)
    shown: dict[str, str] = {}
    levels: dict[int, dict[str, int]] = {asked.first - 1: dict(customers)}
    seen = 0
    async for some in days:
        for day, cells in some:
            place = places[day - begin]
            for cell, number in cells.items():
                seen += 1
                if seen % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                if cell.by and cell.by != by:
                    continue
                if cell.figure not in figures:
                    own, _, stage = cell.figure.partition("/")
                    if own == _CUSTOMERS and day >= asked.first:
                        levels.setdefault(day, {})[stage] = number
                    if cell.by or own not in _ADDED:
                        continue
                segment = cell.segment
                if only is not None and segment[:1] == "=":
                    segment = shown.get(segment) or _shown(segment, only, shown)
                segments = part.sums.setdefault(cell.figure, {})
                values = segments.get(segment)
                if values is None:
                    values = segments[segment] = [0] * length
                values[place] += number
    _count_customers(part, levels, asked)


def _shown(segment: str, only: Collection[str], shown: dict[str, str]) -> str:
    found = shown[segment] = segment if fingerprint_of(segment) in only else OTHER
    return found


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
