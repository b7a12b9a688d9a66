"""The answer to a question for figures."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import orjson

from stream.codec.figures import day_text
from stream.codec.state.figures import NO_VALUE, OTHER
from stream.core.explanation.figure_meaning import meaning_of
from stream.core.figures import Figure, FigureSet, Rate
from stream.core.lifecycle import Lifecycle
from stream.web.figures.periods import Period, Periods
from stream.web.figures.segments import Chosen, kind_of, value_of
from stream.web.figures.series import Values, change, figure_series, rate_series, rate_values, values_of
from stream.web.figures.sums import ALL, Part

_AT_ONCE: Final = 5_000
"""Numbers encoded before others have their turn."""


class Told(NamedTuple):
    """What an answer is made of."""

    lifecycle: Lifecycle
    figures: FigureSet
    asked: Periods
    by: str | None
    today: int
    part: Part
    """Of all partitions."""
    chosen: Chosen
    """The segments that are told apart."""

    @property
    def complete(self) -> bool:
        """All days that are asked for are kept."""
        return self._keeps(self.asked.first)

    @property
    def compared(self) -> bool:
        """All days before are, too."""
        return self._keeps(self.asked.before.first)

    def _keeps(self, day: int) -> bool:
        return self.part.closed is None or day > self.part.closed

    def values(self, figure: str, segment: str = ALL) -> Values:
        """The values of a figure."""
        return values_of(self.part.sums.get(figure, {}).get(segment), len(self.asked.each))

    @property
    def segments(self) -> list[str]:
        """Those that there are: everybody, the chosen ones, who has no value, and the rest."""
        if self.by is None:
            return [ALL]
        found = {segment for segments in self.part.sums.values() for segment in segments}
        late = sorted(each for each in found if each[:1] == "=" and each not in self.chosen.shown)
        return [ALL, *self.chosen.shown, *late, *(each for each in (NO_VALUE, OTHER) if each in found)]


async def figures_data(told: Told) -> dict[str, Any]:
    """The answer as JSON; lets others have their turn while it is made."""
    asked, part = told.asked, told.part
    kept_from = None if part.first is None else max(part.first, (part.closed or part.first - 1) + 1)
    return {
        "lifecycle": told.lifecycle.id,
        "time_zone": told.figures.zone.name,
        "from": day_text(asked.first),
        "to": day_text(asked.last),
        "today": day_text(told.today),
        "per": asked.per,
        "by": told.by,
        "facts": [each.name for each in told.figures.by],
        "complete": told.complete,
        "kept_from": None if kept_from is None else day_text(kept_from),
        "periods": [period_data(each) | {"whole": each.whole} for each in asked.each],
        "before": period_data(asked.before) | {"complete": told.compared},
        "segments": None if told.by is None else {"shown": len(told.chosen.shown), "all": told.chosen.all},
        "figures": await _figures(told),
        "rates": await _rates(told),
        "stages": [_stage(told, stage) for stage in stages_of(told)],
        "moves": [_move(told, *move) for move in moves_of(told)],
    }


def period_data(period: Period) -> dict[str, Any]:
    """The days of a period."""
    return {"from": day_text(period.first), "to": day_text(period.last)}


async def _figures(told: Told) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for figure in told.figures.figures:

        def series(segment: str, figure: Figure = figure) -> dict[str, Any]:
            return figure_series(told.values(figure.name, segment), money=figure.is_money, compared=told.compared)

        found.append(
            {
                "figure": figure.name,
                "title": figure.title,
                "meaning": meaning_of(figure, told.asked.per),
                "amount": figure.is_money,
                "series": await _by_segment(told, series),
            }
        )
    return found


async def _rates(told: Told) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    named = {each.name: each for each in told.figures.figures}
    for rate in told.figures.rates:
        of, to = named[rate.of], named[rate.to]

        def series(segment: str, rate: Rate = rate, of: Figure = of, to: Figure = to) -> dict[str, Any]:
            values = rate_values(rate, of, to, told.values(of.name, segment), told.values(to.name, segment))
            return rate_series(values, compared=told.compared)

        found.append(
            {
                "rate": rate.name,
                "title": rate.title,
                "meaning": f"{of.title} divided by {to.title}{', in per cent' if rate.percent else ''}",
                "of": rate.of,
                "to": rate.to,
                "percent": rate.percent,
                "series": await _by_segment(told, series),
            }
        )
    return found


async def _by_segment(told: Told, series: Callable[[str], dict[str, Any]]) -> list[orjson.Fragment]:
    """The series of each segment, encoded at once: all of them together would hold up others."""
    found: list[orjson.Fragment] = []
    numbers = 0
    for segment in told.segments:
        made = {"segment": value_of(segment), "kind": kind_of(segment), **series(segment)}
        found.append(orjson.Fragment(orjson.dumps(made)))
        numbers += len(told.asked.each)
        if numbers >= _AT_ONCE:
            numbers = 0
            await asyncio.sleep(0)
    return found


def stages_of(told: Told) -> list[str]:
    """The stages of the file, then those that an edit removed and that somebody was in."""
    own = told.lifecycle.stages
    found = {each for each, counts in told.part.customers.items() if any(counts)}
    moved = [figure.partition("/") for figure in told.part.sums if "/" in figure]
    found |= {stage for kind, _, stage in moved if kind in ("entered", "left")}
    return [*own, *sorted(found - own.keys())]


def customers_of(told: Told, stage: str) -> list[int | None]:
    """Customers before the first period, then at the end of each; None where that day is not kept any more."""
    asked, closed = told.asked, told.part.closed
    counts = told.part.customers.get(stage, [0] * (len(asked.each) + 1))
    ends = [asked.first - 1, *(each.last for each in asked.each)]
    return [None if closed is not None and end <= closed else count for end, count in zip(ends, counts, strict=True)]


def stayed_of(told: Told, stage: str) -> list[float | None]:
    """How long those who left in each period had been in a stage, on the average, milliseconds."""
    stayed, left = told.values(f"stayed/{stage}"), told.values(f"left/{stage}")
    return [_mean(*each) for each in zip(stayed.now, left.now, strict=True)]


def _mean(total: int, count: int) -> float | None:
    return total / count if count else None


def _stage(told: Told, stage: str) -> dict[str, Any]:
    entered, left = told.values(f"entered/{stage}"), told.values(f"left/{stage}")
    before, *customers = customers_of(told, stage)
    known = told.lifecycle.stages.get(stage)
    return {
        "stage": stage,
        "title": stage if known is None else known.title,
        "entered": entered.now,
        "entered_total": entered.total,
        "entered_before": entered.total_before if told.compared else None,
        "left": left.now,
        "left_total": left.total,
        "left_before": left.total_before if told.compared else None,
        "customers": customers,
        "customers_before": before,
        "stayed_mean": stayed_of(told, stage),
        "stayed_mean_total": _mean(told.values(f"stayed/{stage}").total, left.total),
    }


def moves_of(told: Told) -> Iterable[tuple[str, str]]:
    """From which stage to which somebody moved, empty where a life began or ended: in the order of the stages."""
    stages = {stage: place for place, stage in enumerate(stages_of(told), 1)}
    found: list[tuple[str, str]] = []
    for figure in told.part.sums:
        kind, _, move = figure.partition("/")
        if kind == "moved" and "/" in move:
            source, _, target = move.partition("/")
            found.append((source, target))
    return sorted(found, key=lambda move: (stages.get(move[0], 0), stages.get(move[1], len(stages) + 1)))


def _move(told: Told, source: str, target: str) -> dict[str, Any]:
    values = told.values(f"moved/{source}/{target}")
    return {
        "from": source or None,
        "to": target or None,
        "customers": values.now,
        "total": values.total,
        "before": values.total_before if told.compared else None,
        "change": change(values.total, values.total_before) if told.compared else None,
    }
