"""What a stage change tells: the scores, facts and contributions at its moment."""

from stream.core import facts, scoring
from stream.core.customer import Customer, Life
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import Contribution, StageChange, Trigger, Value


class Moment:
    """A life at the time of a step, and what the step was caused by."""

    def __init__(self, customer: Customer, lifecycle: Lifecycle, life: Life, trigger: Trigger) -> None:
        self.customer = customer
        self.lifecycle = lifecycle
        self.life = life
        self.trigger = trigger


def stage_change(
    moment: Moment, source: str | None, target: str | None, transition: str | None, final: bool
) -> StageChange:
    """Move the life from `source` to `target` at its clock, and tell of it."""
    customer, lifecycle, life, trigger = moment.customer, moment.lifecycle, moment.life, moment.trigger
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
        contributions=contributions_of(lifecycle, life, now),
        channels=stage.channels if stage else (),
        actions=stage.actions if stage else (),
    )


def scores_of(lifecycle: Lifecycle, life: Life, now: int) -> dict[str, float]:
    """Every score at `now`, by name."""
    return {score.name: scoring.read(score, life, now) for score in lifecycle.scores}


def facts_of(lifecycle: Lifecycle, life: Life, now: int) -> dict[str, Value]:
    """Every fact that exists at `now`, by name."""
    return {fact.name: value for fact in lifecycle.facts if (value := facts.value(fact, life, now)) is not None}


def contributions_of(lifecycle: Lifecycle, life: Life, now: int) -> dict[str, tuple[Contribution, ...]]:
    """Per score what each signal that counted adds to it at `now`; their sum is the score before min and max."""
    told: dict[str, tuple[Contribution, ...]] = {}
    for score in lifecycle.scores:
        parts: list[Contribution] = []
        for slot in score.slots:
            signal = lifecycle.signals[lifecycle.slots[slot][0]]
            count = life.counts[signal.index]
            if count:
                parts.append(Contribution(signal.name, scoring.points(life, slot, score.half_life, now), count))
        told[score.name] = tuple(parts)
    return told
