"""Moving a life: to be born, to end, and rule 10, which moves it along the transitions that hold."""

from stream.core.customer import Customer, Life
from stream.core.event import Event
from stream.core.guards import note_held
from stream.core.lifecycle import Lifecycle
from stream.core.snapshot import Move, stage_change
from stream.core.stage_change import StageChange, Trigger


def begin(customer: Customer, lifecycle: Lifecycle, life: Life, trigger: Trigger) -> StageChange:
    """The birth of `life`, which stands in its first stage already."""
    life.sequence += 1
    return stage_change(customer, lifecycle, life, Move(None, life.stage, None, trigger, None))


def move(
    customer: Customer,
    lifecycle: Lifecycle,
    life: Life,
    target: str | None,
    trigger: Trigger,
    transition: str | None = None,
) -> StageChange:
    """Move the life to `target` at its clock; to None it ends. Returns the stage change, which is not final yet."""
    source, entered = life.stage, life.entered
    life.sequence += 1
    if target is not None:
        life.stage = target
        life.entered = life.clock
        if lifecycle.held:
            assert life.memory is not None
            life.memory.held = [None] * len(lifecycle.held)
            note_held(lifecycle.held_in.get(target, ()), life, life.clock)
    return stage_change(customer, lifecycle, life, Move(source, target, entered, trigger, transition))


def mark_final(changes: list[StageChange], before: int) -> None:
    """The last change of a step, those after index `before`, is the one to act on."""
    if len(changes) > before:
        changes[-1].final = True


def leave_removed_stage(customer: Customer, lifecycle: Lifecycle, life: Life, changes: list[StageChange]) -> None:
    """The lifecycle was edited and the customer's stage is gone: begin at the first."""
    changes.append(move(customer, lifecycle, life, lifecycle.first_stage, Trigger("lifecycle")))


def run_transitions(
    customer: Customer,
    lifecycle: Lifecycle,
    life: Life,
    event: Event | None,
    trigger: Trigger,
    changes: list[StageChange],
) -> None:
    """Rule 10: the transitions in file order, each at most once in a step, until none holds."""
    now = life.clock
    if lifecycle.held:
        note_held(lifecycle.held_in.get(life.stage, ()), life, now)
    made: list[int] | None = None
    while True:
        for transition in lifecycle.transitions_from[life.stage]:
            condition = transition.condition
            alone = condition.without_event
            if event is not None:
                if not condition.with_event.holds(life, now, event):
                    continue
            elif alone is None or not alone.holds(life, now, None):
                continue
            if made is None:
                made = []
            elif transition.index in made:
                continue
            if (
                event is not None
                and alone is not condition.with_event
                and (alone is None or not alone.holds(life, now, None))
            ):
                event = None  # it needed the interaction: the rest of the step sees none
            made.append(transition.index)
            if transition.taken >= 0:
                assert life.memory is not None
                life.memory.taken[transition.taken] = now
            changes.append(move(customer, lifecycle, life, transition.target, trigger, condition.text))
            break
        else:
            break
