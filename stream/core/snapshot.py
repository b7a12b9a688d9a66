"""What a stage change tells: the scores, facts and contributions at its moment."""

from collections.abc import Iterator
from typing import NamedTuple

from stream.core import facts, scoring
from stream.core.change import Contribution, StageChange, Trigger, Value
from stream.core.customer import Customer, Life
from stream.core.lifecycle import Lifecycle


class Moment(NamedTuple):
    """A life at the time of a step, and what the step was caused by."""

    customer: Customer
    lifecycle: Lifecycle
    life: Life
    trigger: Trigger


def stage_change(
    moment: Moment, source: str | None, target: str | None, transition: str | None, *, final: bool
) -> StageChange:
    """Move the life from `source` to `target` at its clock, and tell of it."""
    customer, lifecycle, life, trigger = moment
    now = life.clock
    entered = life.entered if source is not None else None
    life.sequence += 1
    if target is not None:
        life.stage = target
        life.entered = now
    stage = lifecycle.stages[target] if target is not None else None
    return StageChange(
        kind=customer.kind,
        subject=customer.id,
        identified=customer.identified,
        lifecycle=lifecycle.id,
        version=lifecycle.version,
        born=life.born,
        sequence=life.sequence,
        final=final,
        from_stage=source,
        to_stage=target,
        at=now,
        entered=entered,
        trigger=trigger,
        transition=transition,
        scores=scores_of(lifecycle, life, now),
        facts=facts_of(lifecycle, life, now),
        contributions=dict(contributions_of(lifecycle, life, now)),
        channels=stage.channels if stage else (),
        actions=stage.actions if stage else (),
    )


def scores_of(lifecycle: Lifecycle, life: Life, now: int) -> dict[str, float]:
    """Every score at `now`, by name."""
    return {score.name: scoring.read(score, life, now) for score in lifecycle.scores}


def facts_of(lifecycle: Lifecycle, life: Life, now: int) -> dict[str, Value]:
    """Every fact that exists at `now`, by name."""
    return {fact.name: value for fact in lifecycle.facts if (value := facts.value(fact, life, now)) is not None}


def contributions_of(lifecycle: Lifecycle, life: Life, now: int) -> Iterator[tuple[str, tuple[Contribution, ...]]]:
    """Per score what each signal that counted adds to it at `now`; their sum is the score before min and max."""
    for score in lifecycle.scores:
        yield (
            score.name,
            tuple(
                Contribution(signal.name, scoring.points(life, slot, score.half_life, now), life.counts[signal.index])
                for slot in score.slots
                if life.counts[(signal := lifecycle.signals[lifecycle.slots[slot][0]]).index]
            ),
        )
