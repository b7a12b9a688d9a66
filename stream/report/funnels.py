"""Funnels: how many people got from one step to the next.

Steps are words of interactions, or stages. A funnel may be begun again and again, and each person counts with the
attempt that got furthest. By `order` a step counts

- `ordered`: after the step before it, whatever lies between;
- `strict`: directly after it: no other interaction of theirs (or stage) lies between;
- `any`: in whatever order; a step is reached by who did it and all steps named before it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from stream.core.durations import format_duration
from stream.errors import LifecycleError
from stream.report.columns import total
from stream.report.local_calendar import Period
from stream.report.material import Material
from stream.report.meanings import Meanings
from stream.report.tables import Cell, Section, Steps, Table, change, count, ratio, share, span

_USUAL = ("visits", "views", "carts", "checkouts", "orders")
"""The roles whose words are the steps where nobody says which."""
_SAID = {
    "ordered": "each after the one before, whatever lies between",
    "strict": "each directly after the one before, nothing of theirs between",
    "any": "in whatever order; a step is reached by who did it and all steps above it",
}


_COLUMNS = (
    "Step",
    "Reached",
    "Of the first",
    "Of the step above",
    "Before",
    "Change",
    "Lost here",
    "Median time",
    "Reached before",
)


class Walked(NamedTuple):
    """How far people got."""

    counts: list[int]
    """People by step."""
    spent: list[float | None]
    """Median milliseconds from the first step of the attempt to this one."""


def walk(
    events: pl.DataFrame, steps: Sequence[str], starts: tuple[int, int], order: str, within: int | None, until: int
) -> Walked:
    """Walk a funnel.

    `events`: `person`, `time` and `step` (a text), sorted by time. `starts`: from when to before when it may be begun.
    `within`: milliseconds from the first step to before which the others count; None: no limit. What happens from
    `until` on is not seen.
    """
    events = events.filter(pl.col("time").is_between(starts[0], until, closed="left"))
    within = until - starts[0] if within is None else within
    begins = pl.col("time") < starts[1]
    found = _any(events, steps, begins, within) if order == "any" else _in_order(events, steps, begins, within, order)
    return Walked(
        [total(found[f"t{place}"].is_not_null()) for place in range(len(steps))],
        [None, *(_median(found[f"t{place}"]) for place in range(1, len(steps)))],
    )


def _median(numbers: pl.Series) -> float | None:
    found = numbers.median()
    return float(found) if isinstance(found, int | float) else None


def _in_order(events: pl.DataFrame, steps: Sequence[str], begins: pl.Expr, within: int, order: str) -> pl.DataFrame:
    """By person and step, as columns t0, t1, …: how long after the start it was first reached; null: never."""
    first = pl.when((pl.col("step") == steps[0]) & begins).then(pl.col("time"))
    walked = events.with_columns(s0=first)
    for place, step in enumerate(steps[1:], start=1):
        # The latest start from which the step before was reached until now: if any is near enough, that one is.
        before = pl.col(f"s{place - 1}")
        latest = before if order == "strict" else before.cum_max().forward_fill()
        start = latest.shift(1).over("person")
        near = (pl.col("step") == step) & (pl.col("time") - pl.col("start") < within)
        walked = walked.with_columns(start=start).with_columns(pl.when(near).then(pl.col("start")).alias(f"s{place}"))
    return walked.group_by("person").agg(
        (pl.col("time") - pl.col(f"s{place}")).drop_nulls().first().alias(f"t{place}") for place in range(len(steps))
    )


def _any(events: pl.DataFrame, steps: Sequence[str], begins: pl.Expr, within: int) -> pl.DataFrame:
    walked = events.filter(pl.col("step").is_in(list(steps)))
    for place, step in enumerate(steps):
        next_ = pl.when(pl.col("step") == step).then(pl.col("time")).backward_fill().over("person") - pl.col("time")
        known = [pl.col(f"t{place - 1}")] if place else []
        walked = walked.with_columns(next_.alias("wait")).with_columns(
            pl.when((pl.col("wait") < within) & pl.all_horizontal(each.is_not_null() for each in known))
            .then(pl.max_horizontal("wait", *known))
            .alias(f"t{place}")
            if known
            else pl.when(pl.col("wait") < within).then(pl.col("wait")).alias(f"t{place}")
        )
    return walked.filter(begins).group_by("person").agg(pl.col(f"t{place}").min() for place in range(len(steps)))


class FunnelSteps(NamedTuple):
    """The steps that a funnel has."""

    names: tuple[str, ...]
    of_stages: bool


def steps_of(meanings: Meanings, asked: Sequence[str], seen: frozenset[str]) -> FunnelSteps | None:
    """Find what the steps are. `seen`: words of which there is an interaction.

    Raises LifecycleError where one is neither a word nor a stage, or they are both.
    """
    lifecycle = meanings.lifecycle
    if not asked:
        usual = [sorted(meanings.words(role) & seen) for role in _USUAL]
        names = list(dict.fromkeys(each[0] for each in usual if each))
        return FunnelSteps(tuple(names), of_stages=False) if len(names) > 1 else None
    if all(each in lifecycle.stages for each in asked):
        return FunnelSteps(tuple(asked), of_stages=True)
    names = [lifecycle.words.get(each, each) for each in asked]
    unknown = [each for each in names if each not in seen and each not in lifecycle.words.values()]
    if unknown:
        known = ", ".join(sorted({*seen, *lifecycle.words.values()})[:40])
        raise LifecycleError(
            f"--funnel: {unknown[0]!r} is no word of {lifecycle.id}, and no interaction is called so; words are "
            f"{known}; or give stages alone: {', '.join(lifecycle.stages)}"
        )
    if len(names) < 2:
        raise LifecycleError("--funnel: a funnel has at least two steps, as in visit,cart,purchase")
    return FunnelSteps(tuple(names), of_stages=False)


def funnel(material: Material, steps: FunnelSteps, order: str, within: int | None) -> Section | None:
    """The section; None where nothing is known of such steps."""
    events = _events(material, steps)
    if events is None:
        return None
    now, before = (_walked(material, events, steps, each, order, within) for each in (material.period, material.before))
    labels = [material.title(each) if steps.of_stages else each for each in steps.names]
    rows: list[list[Cell]] = []
    for place, label in enumerate(labels):
        last = now.counts[place - 1] if place else None
        was = before.counts[place - 1] if place else None
        mine = None if last is None else share(ratio(now.counts[place], last))
        theirs = None if was is None else share(ratio(before.counts[place], was))
        rows.append(
            [
                label,
                count(now.counts[place]),
                share(ratio(now.counts[place], now.counts[0])),
                mine,
                theirs,
                change(mine, theirs, good=True),
                None if last is None else count(last - now.counts[place]),
                span(now.spent[place]),
                count(before.counts[place]),
            ]
        )
    limit = f"within {format_duration(within)} of the first" if within else "all within the period"
    who = (
        "Customers" if steps.of_stages else "People (an anonymous id that one customer was seen with is that customer)"
    )
    return Section(
        "funnel",
        "Where they are lost on the way",
        "How many who took the first step went on to the next ones.",
        [
            Table(
                "funnel",
                "Funnel",
                f"{who} who took the first step in {material.period.label}. Steps count {_SAID[order]}, {limit}; "
                "whoever began several times counts once, with the attempt that got furthest. Median time: from the "
                f"first step on. What was before is {material.before.label}.",
                _COLUMNS,
                rows,
                Steps(labels, now.counts),
            )
        ],
    )


def _walked(
    material: Material, events: pl.DataFrame, steps: FunnelSteps, period: Period, order: str, within: int | None
) -> Walked:
    starts = material.calendar.start(period.first), material.calendar.start(period.end)
    return walk(events, steps.names, starts, order, within, starts[1] + (within or 0))


def _events(material: Material, steps: FunnelSteps) -> pl.DataFrame | None:
    if steps.of_stages:
        changes = material.changes
        if changes is None:
            return None
        moves = changes.filter(pl.col("to").is_not_null()).sort("at", maintain_order=True)
        return moves.select(person="who", time="at", step=pl.col("to").cast(pl.String))
    found = material.interactions
    if found is None:
        return None
    passive = [
        material.lifecycle.words.get(name, name)
        for name, reaction in material.lifecycle.reactions.items()
        if reaction.passive
    ]
    step = pl.col("word").cast(pl.String)
    own = found.all.filter(~step.is_in(passive) | step.is_in(list(steps.names)))
    return own.sort("time", "row").select("person", "time", step=pl.col("word").cast(pl.String))
