"""The figures that a run must have led to, held against the rows on their topic.

What an interaction changes comes from the core's step; the rest is added up here, plainly: over the whole partition,
whatever transactions it was written in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

import orjson

from stream.codec.figures import day_text
from stream.core.model import Model
from stream.core.stage_change import StageChange
from stream.core.tally import Tallies, segment_text
from tests.kit.topics import Records

_SHOWN = 10


class Figure(NamedTuple):
    """One number of one partition, as the fields of its row say it."""

    partition: int
    lifecycle: str
    day: str
    figure: str
    source: str | None
    target: str | None
    by: str | None
    segment: str | None
    kind: str


class Added:
    """What the figures of one partition come to."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.sums: Counter[Figure] = Counter()
        self.money: set[tuple[str, str]] = set()
        """Lifecycle and figure of those whose sums are millionths."""
        self._levels: dict[tuple[str, str], Counter[int]] = {}
        """By lifecycle and stage how many more were in it, by day."""

    def interactions(self, tallies: Tallies) -> None:
        """Add what steps tallied, and empty it."""
        for lifecycle, tally in tallies.items():
            of = tally.figures
            for day, by_segments in tally.days.items():
                for segments, values in by_segments.items():
                    for figure, value in zip(of.figures, values, strict=True):
                        if figure.is_money:
                            self.money.add((lifecycle, figure.name))
                        named = zip((fact.name for fact in of.by), segments, strict=True)
                        self._add(lifecycle, day, figure.name, None, None, named, value)
        tallies.clear()

    def changes(self, model: Model, changes: Iterable[StageChange]) -> None:
        """Add what customers moved."""
        sets = {each.id: each.figures for each in model.lifecycles}
        for change in changes:
            of = sets[change.lifecycle]
            if of is None:
                continue
            day = of.zone.window(change.at, "day")
            source, target = change.from_stage, change.to_stage
            named = [(fact.name, segment_text(change.facts.get(fact.name))) for fact in of.by]
            about = change.lifecycle, day
            self._add(*about, "moved", source, target, named, 1)
            for stage, sign in ((source, -1), (target, 1)):
                if stage is not None:
                    self._levels.setdefault((change.lifecycle, stage), Counter())[day] += sign
            if source is not None:
                assert change.entered is not None
                self._add(*about, "left", source, None, named, 1)
                self._add(*about, "stayed", source, None, named, change.at - change.entered)
            if target is not None:
                self._add(*about, "entered", None, target, named, 1)

    def _add(
        self,
        lifecycle: str,
        day: int,
        figure: str,
        source: str | None,
        target: str | None,
        named: Iterable[tuple[str, str | None]],
        value: int,
    ) -> None:
        about = self.partition, lifecycle, day_text(day), figure, source, target
        self.sums[Figure(*about, None, None, "all")] += value
        for fact, segment in named:
            self.sums[Figure(*about, fact, segment, "none" if segment is None else "value")] += value

    def customers(self) -> dict[Figure, int]:
        """How many were in each stage at the end of each day on which somebody moved in that lifecycle."""
        days: dict[str, set[int]] = {}
        for (lifecycle, _stage), moved in self._levels.items():
            days.setdefault(lifecycle, set()).update(moved)
        found: dict[Figure, int] = {}
        for (lifecycle, stage), moved in self._levels.items():
            ordered = sorted(days[lifecycle])
            for day, count in zip(ordered, accumulate(moved[day] for day in ordered), strict=True):
                named = self.partition, lifecycle, day_text(day), "customers", None, stage
                found[Figure(*named, None, None, "all")] = count
        return found


def compare_figures(
    rows: Records, added: Iterable[Added], *, away: frozenset[str] = frozenset(), moves: bool = True
) -> list[str]:
    """A line for each row that is missing, extra or other.

    Of lifecycles that were `away` for a while, customers by stage are not known here. Without `moves` only what
    interactions add up to is compared.
    """
    found = {
        figure: number
        for figure, number in _found(rows).items()
        if not (figure.figure == "customers" and figure.lifecycle in away)
    }
    wanted: dict[Figure, Decimal] = {}
    for each in added:
        for figure, value in (each.sums | each.customers()).items():
            if not (figure.figure == "customers" and figure.lifecycle in away):
                is_money = (figure.lifecycle, figure.figure) in each.money
                wanted[figure] = Decimal(value) / 1_000_000 if is_money else Decimal(value)
    by_themselves = {"entered", "left", "moved", "stayed", "customers"}
    lines = [
        f"figure {figure}: {found.get(figure)} instead of {wanted.get(figure)}"
        for figure in sorted(found.keys() | wanted.keys(), key=str)
        if found.get(figure, 0) != wanted.get(figure, 0) and (moves or figure.figure not in by_themselves)
    ]
    if len(lines) > _SHOWN:
        return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} figures more of {len(wanted)}"]
    return lines


def _found(rows: Records) -> Mapping[Figure, Decimal]:
    """The latest row of each key."""
    found: dict[Figure, Decimal] = {}
    for record in (record for partition in rows.values() for record in partition):
        key = orjson.loads(record.key or b"")
        figure = Figure(
            *(key[name] for name in ("partition", "lifecycle", "day", "figure", "from", "to", "by", "segment", "kind"))
        )
        if record.value is None:
            found.pop(figure, None)
        else:
            found[figure] = Decimal(orjson.loads(record.value)["exact"])
    return found
