"""The one function: a customer and an input in, the customer and its stage changes out.

Rules, with the numbers of the design:
    8   an interaction whose id is remembered, or whose row of an import is known, has no effect at all
    9   duplicate check; every deadline at or before the interaction, in order; birth where the customer is
        new; then identification, signals in file order, facts, transitions
    10  transitions in file order, each at most once in a step, until none holds; once one was taken that
        needs the interaction, the rest of the step sees none
    12  a deadline is the first millisecond at which time alone makes a transition's condition true
    14  a subject is forgotten some time after its last sign of life, after the deadlines of that millisecond
    15  every lifecycle as if it ran alone; deadlines of one millisecond in the order of their ids
An edit of a lifecycle is an input, too: see `stream.core.editing`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stream.core import deduplication, facts, imported, scoring
from stream.core.customer import Customer, Life
from stream.core.deadlines import MAX_FIRED, schedule
from stream.core.deduplication import DAY
from stream.core.editing import apply_edit
from stream.core.event import Event, lookup
from stream.core.interaction import MAX_TIME, Interaction
from stream.core.lifecycle import Lifecycle, Points, Signal
from stream.core.snapshot import Moment, stage_change
from stream.core.stage_change import StageChange, Trigger
from stream.core.step_counts import Tally
from stream.core.transitions import leave_removed_stage, mark_final, run_transitions

DEADLINE: Final = Trigger("deadline")


@dataclass(frozen=True)
class Model:
    """Everything that decides what an input does to a customer."""

    lifecycles: tuple[Lifecycle, ...]
    """In the order of their ids."""
    forget_after: int | None
    """Milliseconds after the last sign of life of a subject that was never identified; None: never."""
    forget_identified_after: int | None
    """The same for identified ones."""


class Arrival:
    """An interaction to apply."""

    def __init__(self, interaction: Interaction, partition: int, offset: int, generation: int = 1) -> None:
        self.interaction = interaction
        self.partition = partition
        self.offset = offset
        self.generation = generation
        """Of the state: raised by each reset after which interactions are read again."""

    @property
    def origin(self) -> str:
        """Names the life that may begin with it, and none of another generation."""
        where = f"{self.partition}-{self.offset}"
        return where if self.generation == 1 else f"{self.generation}.{where}"


class Passing:
    """Time to pass: every deadline up to and including `until` is fired."""

    def __init__(self, until: int) -> None:
        self.until = until


class Edit:
    """Lifecycles were edited since the customer's record was written; it is considered at `clock` (epoch ms)."""

    def __init__(self, clock: int) -> None:
        self.clock = clock


def model_of(
    lifecycles: Sequence[Lifecycle], forget_after: int | None = 90 * DAY, forget_identified_after: int | None = None
) -> Model:
    """A model of lifecycles in any order. Raises ValueError where two have one id."""
    ordered = tuple(sorted(lifecycles, key=lambda each: each.id))
    ids = [each.id for each in ordered]
    if len(set(ids)) < len(ids):
        raise ValueError(f"two lifecycles have the same id: {', '.join(ids)}")
    return Model(ordered, forget_after, forget_identified_after)


def step(
    model: Model, customer: Customer | None, given: Arrival | Passing | Edit, tally: Tally
) -> tuple[Customer | None, list[StageChange]]:
    """The customer after the input, and what happened, in order; what is only counted goes to `tally`.

    None stands for a subject without a record: one that was never seen, or was forgotten. The customer that
    is handed in is changed in place.
    """
    changes: list[StageChange] = []
    if isinstance(given, Passing):
        return _pass(model, customer, given.until, changes, tally), changes
    if isinstance(given, Edit):
        if customer is not None:
            apply_edit(model.lifecycles, customer, given.clock, changes)
        return customer, changes
    interaction = given.interaction
    row = interaction.row
    if row is not None and customer is not None and imported.is_known(customer, row):
        tally.known_rows += 1
        tally.untouched += 1
        return customer, changes
    mark = deduplication.mark_of(interaction.id) if interaction.id else None
    if mark is not None and customer is not None and deduplication.is_remembered(customer, mark, interaction.time):
        tally.duplicates += 1
        if row is None:
            tally.untouched += 1
        else:  # the id may be forgotten when the import is repeated
            imported.remember_row(customer, row)
        return customer, changes
    customer = _pass(model, customer, interaction.time, changes, tally)
    return _apply(model, customer, given, mark, changes, tally), changes


def due(model: Model, customer: Customer) -> int | None:
    """The time of the customer's next deadline, forgetting included; None where there is none."""
    if customer.quarantined:
        return None
    first = forgotten_at(model, customer.active, customer.identified)
    for life in customer.lives.values():
        deadline = life.deadline
        if deadline is not None and (first is None or deadline < first):
            first = deadline
    return first


def forgotten_at(model: Model, active: int, identified: bool) -> int | None:
    """When a customer whose last sign of life was at `active` is forgotten; None: never."""
    after = model.forget_identified_after if identified else model.forget_after
    return active + after if after is not None and active + after <= MAX_TIME else None


def _pass(
    model: Model, customer: Customer | None, until: int, changes: list[StageChange], tally: Tally
) -> Customer | None:
    if customer is None or customer.quarantined:
        return customer
    forgotten = forgotten_at(model, customer.active, customer.identified)
    lives = customer.lives
    while True:
        first: tuple[int, Lifecycle, Life] | None = None
        for lifecycle in model.lifecycles:
            life = lives.get(lifecycle.id)
            if life is not None and life.deadline is not None and (first is None or life.deadline < first[0]):
                first = (life.deadline, lifecycle, life)
        if first is not None and first[0] <= until and (forgotten is None or first[0] <= forgotten):
            _fire(customer, *first, changes, tally)
        elif forgotten is not None and forgotten <= until:
            _forget(model, customer, forgotten, changes)
            tally.fired.append(forgotten)
            return None
        else:
            return customer


def _fire(
    customer: Customer, time: int, lifecycle: Lifecycle, life: Life, changes: list[StageChange], tally: Tally
) -> None:
    life.clock = time
    life.fired += 1
    tally.fired.append(time)
    if life.fired == MAX_FIRED:
        tally.waiting += 1
    before = len(changes)
    run_transitions(customer, lifecycle, life, None, DEADLINE, changes)
    mark_final(changes, before)
    schedule(lifecycle, life)


def _forget(model: Model, customer: Customer, time: int, changes: list[StageChange]) -> None:
    for lifecycle in model.lifecycles:
        life = customer.lives.get(lifecycle.id)
        if life is not None:
            life.clock = max(life.clock, time)
            moment = Moment(customer, lifecycle, life, Trigger("forgotten"))
            changes.append(stage_change(moment, life.stage, None, None, True))


def _apply(
    model: Model,
    customer: Customer | None,
    given: Arrival,
    mark: bytes | None,
    changes: list[StageChange],
    tally: Tally,
) -> Customer:
    interaction = given.interaction
    time = interaction.time
    if customer is None:
        customer = Customer(interaction.kind, interaction.subject, False, time, time)
    births = _begin(model, customer, given, changes)
    customer.latest = max(customer.latest, time)
    deduplication.remember(customer, mark)
    if interaction.row is not None:
        imported.remember_row(customer, interaction.row)
    customer.identified = customer.identified or interaction.customer_id is not None
    alive = False
    for lifecycle in model.lifecycles:
        before = len(changes)
        if _live(customer, lifecycle, interaction, changes, tally):
            alive = True
        if births and len(changes) == before and lifecycle.id in births:
            births[lifecycle.id].final = True
    if alive and time > customer.active:
        customer.active = time
    return customer


def _begin(model: Model, customer: Customer, given: Arrival, changes: list[StageChange]) -> dict[str, StageChange]:
    """Begin the lives that the customer does not have yet; returns their first changes by lifecycle."""
    births: dict[str, StageChange] = {}
    if len(customer.lives) == len(model.lifecycles):
        return births
    interaction = given.interaction
    for lifecycle in model.lifecycles:
        if lifecycle.id not in customer.lives:
            life = lifecycle.begin(interaction.time, given.origin, customer.identified)
            customer.lives[lifecycle.id] = life
            reaction = lifecycle.reaction(interaction.name)
            trigger = Trigger("interaction", interaction.id, reaction.word or interaction.name)
            moment = Moment(customer, lifecycle, life, trigger)
            birth = stage_change(moment, None, life.stage, None, False)
            births[lifecycle.id] = birth
            changes.append(birth)
    return births


def _live(
    customer: Customer, lifecycle: Lifecycle, interaction: Interaction, changes: list[StageChange], tally: Tally
) -> bool:
    """Apply an interaction to one life; returns whether it is a sign of life there."""
    life = customer.lives[lifecycle.id]
    time = interaction.time
    name = interaction.name
    reaction = lifecycle.reaction(name)
    word = reaction.word or name
    late = time < life.clock
    if late:
        tally.late += 1
    else:
        life.clock = time
    alive = not reaction.passive
    if alive and time > life.active:
        life.active = time
    life.fired = 0
    life.identified = customer.identified
    event = Event(word, name, interaction.properties, interaction.context)
    for signal in reaction.signals:
        where = signal.where
        if where is None or where.with_event.holds(life, time, event):
            _signal(life, signal, time, event, tally)
    for counted in reaction.counted:
        where = counted.where
        if where is None or where.with_event.holds(life, time, event):
            fact = counted.fact
            found = lookup(fact.path, event) if fact.path is not None else None
            if not facts.apply(fact, life, counted.sign, time, found):
                tally.wrong_type((lifecycle.id, fact.name))
    before = len(changes)
    if life.stage not in lifecycle.stages:
        leave_removed_stage(customer, lifecycle, life, changes)
    trigger = Trigger("interaction", interaction.id, word, late)
    run_transitions(customer, lifecycle, life, event, trigger, changes)
    mark_final(changes, before)
    schedule(lifecycle, life)
    return alive


def _signal(life: Life, signal: Signal, time: int, event: Event, tally: Tally) -> None:
    if signal.once and life.counts[signal.index]:
        return
    if signal.times and not _fits(life.windows[signal.window], time // signal.per, signal.times):
        return
    life.counts[signal.index] += 1
    tally.signal(signal)
    for points in signal.points:
        amount = _amount(points, event)
        if amount is None:
            tally.wrong_type(signal.label)
        else:
            scoring.add(life, points.slot, points.half_life, amount, time)


def _amount(points: Points, event: Event) -> float | None:
    if points.path is None:
        return points.amount
    return scoring.number(lookup(points.path, event))


def _fits(windows: list[tuple[int, int]], window: int, times: int) -> bool:
    """Count one in `window` unless it is full, or older than the two latest in which something counted."""
    for place, (known, counted) in enumerate(windows):
        if known == window:
            if counted >= times:
                return False
            windows[place] = (known, counted + 1)
            return True
    if len(windows) == 2 and window < windows[0][0]:  # the two latest are kept
        return False
    windows.append((window, 1))
    windows.sort()
    del windows[:-2]
    return True
