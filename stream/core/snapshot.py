"""A life as it is at its clock: its scores, facts and contributions, and the stage change that carries them."""

from typing import cast

from mypy_extensions import i64

from stream.core import facts, scoring
from stream.core.customer import Customer, Life
from stream.core.lifecycle import LatestPoints, Lifecycle
from stream.core.stage_change import Contribution, StageChange, Trigger, Value


class Move:
    """From where a life went to where, and why; None stands for no stage: before the birth, or forgotten."""

    def __init__(
        self, source: str | None, target: str | None, entered: int | None, trigger: Trigger, transition: str | None
    ) -> None:
        self.source = source
        self.target = target
        self.entered = entered
        """When `source` was entered, epoch milliseconds."""
        self.trigger = trigger
        self.transition = transition
        """The text of the transition's condition."""


def stage_change(customer: Customer, lifecycle: Lifecycle, life: Life, move: Move) -> StageChange:
    """The stage change of `move`, as everything is at the life's clock, and not final; only reads."""
    now = life.clock
    source, target = move.source, move.target
    stage = lifecycle.stages[target] if target is not None else None
    return StageChange(
        kind=customer.kind,
        subject=customer.id,
        identified=customer.identified,
        lifecycle=lifecycle.id,
        version=lifecycle.version,
        born=life.born,
        sequence=life.sequence,
        final=False,
        from_stage=source,
        to_stage=target,
        at=now,
        entered=move.entered,
        trigger=move.trigger,
        transition=move.transition,
        scores=scores_of(lifecycle, life, now),
        facts=facts_of(lifecycle, life, now),
        contributions=contributions_of(lifecycle, life, now),
        channels=stage.channels if stage else (),
        actions=stage.actions if stage else (),
    )


def scores_of(lifecycle: Lifecycle, life: Life, now: i64) -> dict[str, float]:
    """Every score at `now`, by name."""
    return {score.name: scoring.read(score, life, now) for score in lifecycle.scores}


def facts_of(lifecycle: Lifecycle, life: Life, now: i64) -> dict[str, Value]:
    """Every fact that exists at `now`, and every band, by name."""
    found = {fact.name: value for fact in lifecycle.facts if (value := facts.value(fact, life, now)) is not None}
    for band in lifecycle.bands:
        name = band.value(life, now)
        if name is not None:
            found[band.name] = name
    return found


def contributions_of(lifecycle: Lifecycle, life: Life, now: i64) -> dict[str, tuple[Contribution, ...]]:
    """Per score what each signal that counted adds to it at `now`; their sum is the score before min and max."""
    by_score: dict[str, tuple[Contribution, ...]] = {}
    for score in lifecycle.scores:
        parts: list[Contribution] = []
        for slot in score.slots:
            signal = lifecycle.signals[lifecycle.slots[slot][0]]
            count = life.counts[signal.index] if signal.latest is None else _is_known(life, signal.latest)
            if count:
                parts.append(Contribution(signal.name, scoring.points(score, life, slot, now), count))
        by_score[score.name] = tuple(parts)
    return by_score


def _is_known(life: Life, latest: LatestPoints) -> int:
    """1 where there is a latest value, else 0."""
    assert life.memory is not None
    at = cast("list[int]", life.memory.signals[latest.place])
    return at[1] if at else 0
