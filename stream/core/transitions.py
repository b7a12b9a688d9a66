"""Rule 10: transitions in file order, each at most once in a step, until none holds."""

from stream.core.customer import Customer, Life
from stream.core.event import Event
from stream.core.lifecycle import Lifecycle
from stream.core.snapshot import Moment, stage_change
from stream.core.stage_change import StageChange, Trigger


def mark_final(changes: list[StageChange], before: int) -> None:
    """The last change of a step, those after place `before`, is the one to act on."""
    if len(changes) > before:
        changes[-1].final = True


def leave_removed_stage(customer: Customer, lifecycle: Lifecycle, life: Life, changes: list[StageChange]) -> None:
    """The lifecycle was edited and the customer's stage is gone: begin at the first."""
    moment = Moment(customer, lifecycle, life, Trigger("lifecycle"))
    changes.append(stage_change(moment, life.stage, lifecycle.first_stage, None, False))


def run_transitions(
    customer: Customer,
    lifecycle: Lifecycle,
    life: Life,
    event: Event | None,
    trigger: Trigger,
    changes: list[StageChange],
) -> None:
    """Rule 10."""
    now = life.clock
    taken: list[int] | None = None
    while True:
        for transition in lifecycle.transitions_from[life.stage]:
            condition = transition.condition
            alone = condition.without_event
            if event is not None:
                if not condition.with_event.holds(life, now, event):
                    continue
            elif alone is None or not alone.holds(life, now, None):
                continue
            if taken is None:
                taken = []
            elif transition.index in taken:
                continue
            if (
                event is not None
                and alone is not condition.with_event
                and (alone is None or not alone.holds(life, now, None))
            ):
                event = None  # it needed the interaction: the rest of the step sees none
            taken.append(transition.index)
            moment = Moment(customer, lifecycle, life, trigger)
            changes.append(stage_change(moment, life.stage, transition.target, condition.text, False))
            break
        else:
            break
