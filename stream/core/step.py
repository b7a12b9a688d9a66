"""The one function: a customer and an input in, the customer and its stage changes out.

Rules, with the numbers of the design:
    8   an interaction whose id is remembered has no effect at all
    9   duplicate check; every deadline at or before the interaction, in order; birth where the customer is
        new; then identification, signals in file order, facts, transitions
    10  transitions in file order, each at most once in a step, until none holds; once one was taken that
        needs the interaction, the rest of the step sees none
    12  a deadline is the first millisecond at which time alone makes a transition's condition true
    14  a subject is forgotten some time after its last sign of life, after the deadlines of that millisecond
    15  every lifecycle as if it ran alone; deadlines of one millisecond in the order of their ids
"""

from collections.abc import Sequence
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from stream.core import facts, scoring
from stream.core.change import StageChange, Trigger
from stream.core.customer import Customer, Life
from stream.core.interaction import MAX_TIME, Interaction
from stream.core.lifecycle import Lifecycle, Points, Signal
from stream.core.paths import Event, lookup
from stream.core.snapshot import Moment, stage_change
from stream.core.tally import Tally

DAY = 86_400_000
REMEMBERED = 128
"""Ids of a customer's interactions that are remembered at most."""
MAX_FIRED = 64
"""Deadlines of one lifecycle without an interaction in between; then the customer waits."""
DEADLINE = Trigger("deadline")


class Model(NamedTuple):
    """Everything that decides what an input does to a customer."""

    lifecycles: tuple[Lifecycle, ...]
    """In the order of their ids."""
    forget_after: int | None
    """Milliseconds after the last sign of life of a subject that was never identified; None: never."""
    forget_identified_after: int | None
    """The same for identified ones."""


class Arrival(NamedTuple):
    """An interaction to apply."""

    interaction: Interaction
    origin: str
    """`<partition>-<offset>`: names the life that may begin with it."""


class Passing(NamedTuple):
    """Time to pass: every deadline up to and including `until` is fired."""

    until: int


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
    model: Model, customer: Customer | None, given: Arrival | Passing, tally: Tally
) -> tuple[Customer | None, list[StageChange]]:
    """The customer after the input, and what happened, in order; what is only counted goes to `tally`.

    None stands for a subject without a record: one that was never seen, or was forgotten. The customer that
    is handed in is changed in place.
    """
    changes: list[StageChange] = []
    if isinstance(given, Passing):
        return _pass(model, customer, given.until, changes, tally), changes
    interaction = given.interaction
    mark = xxh3_64_intdigest(interaction.id.encode("utf-8", "surrogatepass")) if interaction.id else None
    if mark is not None and customer is not None and _is_remembered(customer, mark, interaction.time):
        tally.duplicates += 1
        return customer, changes
    customer = _pass(model, customer, interaction.time, changes, tally)
    return _apply(model, customer, given, mark, changes, tally), changes


def due(model: Model, customer: Customer) -> int | None:
    """The time of the customer's next deadline, forgetting included; None where there is none."""
    if customer.quarantined:
        return None
    times = [life.deadline for life in customer.lives.values() if life.deadline is not None]
    forgotten = forgotten_at(model, customer.active, identified=customer.identified)
    if forgotten is not None:
        times.append(forgotten)
    return min(times, default=None)


def forgotten_at(model: Model, active: int, *, identified: bool) -> int | None:
    """When a customer whose last sign of life was at `active` is forgotten; None: never."""
    after = model.forget_identified_after if identified else model.forget_after
    return active + after if after is not None and active + after <= MAX_TIME else None


def schedule(lifecycle: Lifecycle, life: Life) -> None:
    """Set the life's next deadline (rule 12)."""
    best: int | None = None
    if life.fired < MAX_FIRED:
        for condition in lifecycle.timed_from.get(life.stage, ()):
            moment = condition.deadline(life)
            if moment is not None and (best is None or moment < best):
                best = moment
    life.deadline = best


def _is_remembered(customer: Customer, mark: int, time: int) -> bool:
    oldest = max(customer.latest, time) - DAY
    return any(known == mark and latest >= oldest for known, latest in customer.remembered)


def _remember(customer: Customer, mark: int | None) -> None:
    remembered = customer.remembered
    oldest = customer.latest - DAY
    gone = 0
    while gone < len(remembered) and remembered[gone][1] < oldest:
        gone += 1
    if mark is not None:
        remembered.append((mark, customer.latest))
    gone = max(gone, len(remembered) - REMEMBERED)
    if gone:
        del remembered[:gone]


def _pass(
    model: Model, customer: Customer | None, until: int, changes: list[StageChange], tally: Tally
) -> Customer | None:
    if customer is None or customer.quarantined:
        return customer
    forgotten = forgotten_at(model, customer.active, identified=customer.identified)
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
    _transitions(customer, lifecycle, life, None, DEADLINE, changes)
    _mark_final(changes, before)
    schedule(lifecycle, life)


def _mark_final(changes: list[StageChange], before: int) -> None:
    """The last change of a step, those after place `before`, is the one to act on."""
    if len(changes) > before:
        changes[-1] = changes[-1]._replace(final=True)


def _forget(model: Model, customer: Customer, time: int, changes: list[StageChange]) -> None:
    for lifecycle in model.lifecycles:
        life = customer.lives.get(lifecycle.id)
        if life is not None:
            life.clock = max(life.clock, time)
            moment = Moment(customer, lifecycle, life, Trigger("forgotten"))
            changes.append(stage_change(moment, life.stage, None, None, final=True))


def _apply(
    model: Model,
    customer: Customer | None,
    given: Arrival,
    mark: int | None,
    changes: list[StageChange],
    tally: Tally,
) -> Customer:
    interaction = given.interaction
    time = interaction.time
    if customer is None:
        customer = Customer(interaction.kind, interaction.subject, False, time, time)
    born = [each for each in model.lifecycles if each.id not in customer.lives]
    for lifecycle in born:
        life = lifecycle.begin(time, given.origin, identified=customer.identified)
        customer.lives[lifecycle.id] = life
        trigger = Trigger("interaction", interaction.id, lifecycle.words.get(interaction.name, interaction.name))
        moment = Moment(customer, lifecycle, life, trigger)
        changes.append(stage_change(moment, None, life.stage, None, final=False))
    births = len(changes)
    customer.latest = max(customer.latest, time)
    _remember(customer, mark)
    customer.identified = customer.identified or interaction.customer_id is not None
    alive = False
    for lifecycle in model.lifecycles:
        before = len(changes)
        alive |= _live(customer, lifecycle, interaction, changes, tally)
        if len(changes) == before and lifecycle in born:
            at = births - len(born) + born.index(lifecycle)
            changes[at] = changes[at]._replace(final=True)
    if alive:
        customer.active = max(customer.active, time)
    return customer


def _live(
    customer: Customer, lifecycle: Lifecycle, interaction: Interaction, changes: list[StageChange], tally: Tally
) -> bool:
    """Apply an interaction to one life; returns whether it is a sign of life there."""
    life = customer.lives[lifecycle.id]
    time = interaction.time
    word = lifecycle.words.get(interaction.name, interaction.name)
    late = time < life.clock
    if late:
        tally.late += 1
    else:
        life.clock = time
    alive = word not in lifecycle.passive
    if alive and time > life.active:
        life.active = time
    life.fired = 0
    life.identified = customer.identified
    event = Event(word, interaction.name, interaction.properties, interaction.context)
    for signal in lifecycle.signals_of.get(word, ()):
        if signal.where is None or signal.where.with_event(life, time, event):
            _signal(lifecycle, life, signal, time, event, tally)
    for fact, sign, where in lifecycle.counted_of.get(word, lifecycle.counted_always):
        if where is None or where.with_event(life, time, event):
            found = lookup(fact.path, event) if fact.path is not None else None
            if not facts.apply(fact, life, sign, time, found):
                tally.wrong_type(lifecycle.id, fact.name)
    trigger = Trigger("interaction", interaction.id, word, late)
    before = len(changes)
    if life.stage not in lifecycle.stages:
        _leave_removed_stage(customer, lifecycle, life, changes)
    _transitions(customer, lifecycle, life, event, trigger, changes)
    _mark_final(changes, before)
    schedule(lifecycle, life)
    return alive


def _signal(lifecycle: Lifecycle, life: Life, signal: Signal, time: int, event: Event, tally: Tally) -> None:
    if signal.once and life.counts[signal.index]:
        return
    if signal.times and not _fits(life.windows[signal.window], time // signal.per, signal.times):
        return
    life.counts[signal.index] += 1
    tally.signal(lifecycle.id, signal.name)
    for points in signal.points:
        amount = _amount(points, event)
        if amount is None:
            tally.wrong_type(lifecycle.id, signal.name)
        else:
            scoring.add(life, points.slot, points.half_life, amount, time)


def _amount(points: Points, event: Event) -> float | None:
    if points.path is None:
        return points.amount
    found = lookup(points.path, event)
    return found if scoring.is_number(found) else None  # type: ignore[return-value]  # a number


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


def _leave_removed_stage(customer: Customer, lifecycle: Lifecycle, life: Life, changes: list[StageChange]) -> None:
    """The lifecycle was edited and the customer's stage is gone: begin at the first."""
    moment = Moment(customer, lifecycle, life, Trigger("lifecycle"))
    changes.append(stage_change(moment, life.stage, lifecycle.first_stage, None, final=False))


def _transitions(
    customer: Customer,
    lifecycle: Lifecycle,
    life: Life,
    event: Event | None,
    trigger: Trigger,
    changes: list[StageChange],
) -> None:
    """Rule 10."""
    taken: set[int] = set()
    now = life.clock
    moment = Moment(customer, lifecycle, life, trigger)
    while True:
        for transition in lifecycle.transitions_from[life.stage]:
            if transition.index in taken:
                continue
            condition = transition.condition
            alone = condition.without_event
            if event is not None:
                if not condition.with_event(life, now, event):
                    continue
                if alone is None or not alone(life, now, None):
                    event = None
            elif alone is None or not alone(life, now, None):
                continue
            taken.add(transition.index)
            changes.append(stage_change(moment, life.stage, transition.target, condition.text, final=False))
            break
        else:
            break
