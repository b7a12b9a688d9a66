"""What time alone does: the core itself is run on, upon a copy."""

from stream.core.customer import Customer, Life
from stream.core.explanation.explanation import MoveByTime, Passage
from stream.core.guards import note_held
from stream.core.inputs import Passing
from stream.core.lifecycle import Lifecycle
from stream.core.memory import Memory
from stream.core.model import Model, due
from stream.core.step import step
from stream.core.step_counts import StepCounts


def life_at(lifecycle: Lifecycle, life: Life, now: int) -> Life:
    """A copy whose clock is `now`, not before that of the life; no deadline was fired for it."""
    copy = _copy_of(life)
    if now > copy.clock:
        if lifecycle.held:
            note_held(lifecycle.held_in.get(copy.stage, ()), copy, now)
        copy.clock = now
    return copy


def first_move(model: Model, customer: Customer, lifecycle: Lifecycle, life: Life) -> MoveByTime | None:
    """What the passing of time first does to this life of the customer; None: it never moves it.

    A customer who is forgotten before moves nowhere.
    """
    alone = Model((lifecycle,), model.forget_after, model.forget_identified_after)
    copy: Customer | None = Customer(
        customer.kind,
        customer.id,
        customer.identified,
        customer.latest,
        customer.active,
        [_copy_of(life)],
        quarantined=customer.quarantined,
    )
    while copy is not None:
        time = due(alone, copy)
        if time is None:
            return None
        copy, changes = step(alone, copy, Passing(time), StepCounts())
        passages = [
            Passage(change.from_stage, change.to_stage, change.transition)
            for change in changes
            if change.from_stage is not None and change.to_stage is not None
        ]
        if passages:
            target = lifecycle.stages[passages[-1].target]
            return MoveByTime(time, target.name, target.title, tuple(passages))
    return None


def _copy_of(life: Life) -> Life:
    """A life of which time may change what it changes, and the original stays; the rest is shared."""
    memory = life.memory
    return Life(
        life.lifecycle,
        life.identified,
        life.clock,
        life.stage,
        life.entered,
        life.born,
        life.sequence,
        life.active,
        life.fired,
        life.deadline,
        life.counts,
        life.windows,
        life.sums,
        life.ats,
        life.millionths,
        life.numbers,
        life.facts,
        None
        if memory is None
        else Memory(
            memory.signals, memory.resets, memory.ledgers, list(memory.taken), list(memory.held), memory.figures
        ),
        life.large,
    )
