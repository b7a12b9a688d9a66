"""Why a customer is where it is, what is missing for each way out, and where time alone will move it."""

from stream.core.customer import Customer, Life
from stream.core.deadlines import MAX_FIRED, rises
from stream.core.explanation.by_time import first_move, life_at
from stream.core.explanation.condition import all_of, explain_condition
from stream.core.explanation.decisive import mark_decisive
from stream.core.explanation.explanation import Explanation, WayOut
from stream.core.explanation.guards import explain_guards, without_guards
from stream.core.explanation.kept import full, ledgers_now
from stream.core.explanation.operands import TIMES
from stream.core.explanation.signals import used_up
from stream.core.lifecycle import Lifecycle, Transition
from stream.core.model import Model, forgotten_at
from stream.core.snapshot import contributions_of, facts_of, scores_of


def explain(model: Model, customer: Customer, now: int) -> list[Explanation]:
    """One explanation of each life that the customer has, in the order of the lifecycles' ids.

    `now` is the customer's present, epoch milliseconds: up to then everything that happened is applied. A life whose
    clock is later has its own present. The customer stays as it is.
    """
    return [
        explain_life(model, customer, lifecycle, now)
        for lifecycle in model.lifecycles
        if lifecycle.id in customer.lives
    ]


def explain_life(model: Model, customer: Customer, lifecycle: Lifecycle, now: int) -> Explanation:
    """The explanation of one life; `lifecycle` is one of the model's. Raises KeyError where there is no such life."""
    life = customer.lives[lifecycle.id]
    present = life_at(lifecycle, life, now)
    at = present.clock
    stage = lifecycle.stages.get(life.stage)
    quarantined = customer.quarantined
    return Explanation(
        kind=customer.kind,
        subject=customer.id,
        identified=customer.identified,
        lifecycle=lifecycle.id,
        title=lifecycle.title,
        version=lifecycle.version,
        stage=life.stage,
        stage_title=life.stage if stage is None else stage.title,
        entered=life.entered,
        born=life.born,
        sequence=life.sequence,
        clock=life.clock,
        at=at,
        scores=scores_of(lifecycle, present, at),
        contributions=contributions_of(lifecycle, present, at),
        facts=facts_of(lifecycle, present, at),
        times=tuple(fact.name for fact in lifecycle.facts if fact.kind in TIMES),
        channels=() if stage is None else stage.channels,
        actions=() if stage is None else stage.actions,
        ways_out=_ways_out(lifecycle, present),
        by_time=first_move(model, customer, lifecycle, life),
        stopped="quarantined" if quarantined else "waits" if life.fired >= MAX_FIRED else None,
        forgotten=None if quarantined else forgotten_at(model, customer.active, customer.identified),
        used_up=used_up(lifecycle, present),
        full=full(lifecycle, present),
        ledgers=ledgers_now(lifecycle, present),
    )


def ways_out(lifecycle: Lifecycle, life: Life, now: int) -> tuple[WayOut, ...]:
    """The ways out of the life's stage in the order of the file, as `explain_life` has them, without the rest."""
    return _ways_out(lifecycle, life_at(lifecycle, life, now))


def _ways_out(lifecycle: Lifecycle, present: Life) -> tuple[WayOut, ...]:
    return tuple([_way_out(each, lifecycle, present) for each in lifecycle.transitions_from.get(present.stage, ())])


def _way_out(transition: Transition, lifecycle: Lifecycle, present: Life) -> WayOut:
    condition = transition.condition
    tree = explain_condition(condition, without_guards(transition), lifecycle, present)
    mark_decisive(tree)
    guards = explain_guards(transition, present)
    alone = condition.without_event
    holds = all_of([tree.holds, *(guard.holds for guard in guards)])
    return WayOut(
        target=transition.target,
        title=lifecycle.stages[transition.target].title,
        transition=condition.text,
        holds=holds,
        condition=tree,
        guards=guards,
        by_time=None if holds or alone is None else rises(alone, present),
    )
