"""The one function: a customer and an input in, the customer and its stage changes out.

The numbers of rules here and elsewhere are those of `stream.core`.
"""

from typing import Final

from mypy_extensions import i64

from stream.core import deduplication, imported
from stream.core.customer import NEVER, Customer, Life
from stream.core.deadlines import MAX_FIRED, schedule
from stream.core.editing import apply_edit
from stream.core.event import Event
from stream.core.guards import note_held
from stream.core.inputs import Arrival, Edit, Merge, Passing, Tie
from stream.core.interaction import Interaction
from stream.core.joining import apply_merge, end_by_merge
from stream.core.lifecycle import Lifecycle
from stream.core.measuring import measure
from stream.core.model import Model, forgotten_at
from stream.core.stage_change import StageChange, Trigger
from stream.core.step_counts import StepCounts
from stream.core.transitions import begin, leave_removed_stage, mark_final, move, run_transitions

DEADLINE: Final = Trigger("deadline")


def step(
    model: Model, customer: Customer | None, given: Arrival | Passing | Edit | Merge | Tie, step_counts: StepCounts
) -> tuple[Customer | None, list[StageChange]]:
    """The customer after the input, and what happened, in order; what is only counted goes to `step_counts`.

    None stands for a subject without a record: one that was never seen, or was forgotten. The customer that
    is handed in is changed in place.
    """
    changes: list[StageChange] = []
    if isinstance(given, Passing):
        return _pass(model, customer, given.until, changes, step_counts), changes
    if isinstance(given, Edit):
        if customer is not None:
            apply_edit(model.lifecycles, customer, given.clock, changes)
        return customer, changes
    if isinstance(given, Merge):
        return apply_merge(model, customer, given, changes), changes
    if isinstance(given, Tie):
        if customer is not None:
            end_by_merge(model, customer, given.clock, changes)
        return None, changes
    interaction = given.interaction
    row = interaction.row
    if row is not None and customer is not None and imported.is_known(customer, row):
        step_counts.known_rows += 1
        step_counts.untouched += 1
        return customer, changes
    id_hash = deduplication.id_hash_of(interaction.id) if interaction.id else None
    if (
        id_hash is not None
        and customer is not None
        and deduplication.is_remembered(customer, id_hash, interaction.time)
    ):
        step_counts.duplicates += 1
        if row is None:
            step_counts.untouched += 1
        else:  # the id may be forgotten when the import is repeated
            imported.remember_row(customer, row)
        return customer, changes
    customer = _pass(model, customer, interaction.time, changes, step_counts)
    return _apply(model, customer, given, id_hash, changes, step_counts), changes


def _pass(
    model: Model, customer: Customer | None, until: i64, changes: list[StageChange], step_counts: StepCounts
) -> Customer | None:
    if customer is None or customer.quarantined:
        return customer
    end = forgotten_at(model, customer.active, customer.identified)
    forgotten: i64 = NEVER if end is None else end
    while True:
        first: i64 = NEVER
        earliest = 0
        for place, life in enumerate(customer.by_place):
            if life is not None and life.deadline < first:
                first, earliest = life.deadline, place
        if first <= until and first <= forgotten:
            one = customer.by_place[earliest]
            assert one is not None
            _fire(customer, first, model.lifecycles[earliest], one, changes, step_counts)
        elif forgotten <= until:
            _forget(model, customer, forgotten, changes)
            step_counts.fired.append(forgotten)
            return None
        else:
            return customer


def _fire(
    customer: Customer, time: i64, lifecycle: Lifecycle, life: Life, changes: list[StageChange], step_counts: StepCounts
) -> None:
    if lifecycle.held:
        note_held(lifecycle.held_in.get(life.stage, ()), life, time)
    life.clock = time
    life.fired += 1
    step_counts.fired.append(time)
    if life.fired == MAX_FIRED:
        step_counts.waiting += 1
    before = len(changes)
    run_transitions(customer, lifecycle, life, None, DEADLINE, changes)
    mark_final(changes, before)
    schedule(lifecycle, life)


def _forget(model: Model, customer: Customer, time: i64, changes: list[StageChange]) -> None:
    for lifecycle, life in zip(model.lifecycles, customer.by_place, strict=True):
        if life is not None:
            life.clock = max(life.clock, time)
            end = move(customer, lifecycle, life, None, Trigger("forgotten"))
            end.final = True
            changes.append(end)


def _apply(
    model: Model,
    customer: Customer | None,
    given: Arrival,
    id_hash: bytes | None,
    changes: list[StageChange],
    step_counts: StepCounts,
) -> Customer:
    interaction = given.interaction
    time: i64 = interaction.time
    births: list[StageChange | None] | None = None
    if customer is None:
        lives: list[Life | None] = [None] * len(model.lifecycles)
        customer = Customer(interaction.kind, interaction.subject, False, time, time, lives)
    if None in customer.by_place:
        births = _begin(model, customer, given, changes)
    customer.latest = max(customer.latest, time)
    deduplication.remember(customer, id_hash)
    if interaction.row is not None:
        imported.remember_row(customer, interaction.row)
    customer.identified = customer.identified or interaction.customer_id is not None
    alive = False
    for place, lifecycle in enumerate(model.lifecycles):
        life = customer.by_place[place]
        assert life is not None
        before = len(changes)
        if _live(customer, lifecycle, life, interaction, changes, step_counts):
            alive = True
        if births is not None and len(changes) == before:
            birth = births[place]
            if birth is not None:
                birth.final = True
    if alive and time > customer.active:
        customer.active = time
    return customer


def _begin(model: Model, customer: Customer, given: Arrival, changes: list[StageChange]) -> list[StageChange | None]:
    """Begin the lives that the customer does not have yet; returns their first changes by place."""
    births: list[StageChange | None] = [None] * len(model.lifecycles)
    interaction = given.interaction
    for place, lifecycle in enumerate(model.lifecycles):
        if customer.by_place[place] is None:
            life = lifecycle.begin(interaction.time, given.born, customer.identified)
            customer.by_place[place] = life
            reaction = lifecycle.reaction(interaction.name)
            trigger = Trigger("interaction", interaction.id, reaction.word or interaction.name)
            birth = begin(customer, lifecycle, life, trigger)
            births[place] = birth
            changes.append(birth)
    return births


def _live(
    customer: Customer,
    lifecycle: Lifecycle,
    life: Life,
    interaction: Interaction,
    changes: list[StageChange],
    step_counts: StepCounts,
) -> bool:
    """Apply an interaction to one life; returns whether it is a sign of life there."""
    time: i64 = interaction.time
    name = interaction.name
    reaction = lifecycle.reaction(name)
    word = reaction.word or name
    if reaction.word is None:
        step_counts.unknown_name(lifecycle.id, name)
    late = time < life.clock
    if late:
        step_counts.late += 1
    else:
        if lifecycle.held:
            note_held(lifecycle.held_in.get(life.stage, ()), life, time)
        life.clock = time
    alive = not reaction.passive
    life.fired = 0
    life.identified = customer.identified
    event = Event(word, name, time, interaction.properties, interaction.context)
    measure(life, lifecycle, reaction, event, alive, step_counts)
    before = len(changes)
    if life.stage not in lifecycle.stages:
        leave_removed_stage(customer, lifecycle, life, changes)
    trigger = Trigger("interaction", interaction.id, word, late)
    run_transitions(customer, lifecycle, life, event, trigger, changes)
    mark_final(changes, before)
    schedule(lifecycle, life)
    return alive
