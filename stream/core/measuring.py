"""What an interaction leaves behind in a life: signals that count, then facts and ledgers (rules 6, 17, 22)."""

from typing import Final

from mypy_extensions import i64

from stream.core import facts, ledgers
from stream.core.counting import Figured, count
from stream.core.customer import Life
from stream.core.event import Event, PropertyPath, lookup
from stream.core.exact import points_of
from stream.core.figures import Figure, FigureSet
from stream.core.ledger_figures import EntryBefore
from stream.core.lifecycle import Condition, Lifecycle, Reaction
from stream.core.predicates import Predicate
from stream.core.signals import count_elements, count_signal, lift_to_floor, makes_entry
from stream.core.step_counts import Label, StepCounts
from stream.core.tally import segments_of, tally_of

MAX_ELEMENTS: Final = 1_000
"""Elements of a list that are looked at, the first ones."""


def measure(
    life: Life, lifecycle: Lifecycle, reaction: Reaction, event: Event, alive: bool, step_counts: StepCounts
) -> None:
    """Apply an interaction whose time the life's clock has reached; `alive` says that it is a sign of life."""
    if not reaction.simple:
        _measure(life, lifecycle, reaction, event, alive, step_counts)
        return
    time = event.time
    _sign_of_life(life, time, alive)
    for signal in reaction.signals:
        where = signal.where
        if where is None or where.with_event.holds(life, time, event):
            count_signal(life, signal, time, event, step_counts)
    for counted in reaction.counted:
        where = counted.where
        if where is None or where.with_event.holds(life, time, event):
            facts.apply(counted.fact, life, counted.sign, time, event, step_counts)
    if reaction.figured and lifecycle.figures is not None:
        _figures(life, lifecycle.figures, reaction, event, step_counts)


def _figures(life: Life, of: FigureSet, reaction: Reaction, event: Event, step_counts: StepCounts) -> None:
    """Count an interaction in the figures that take each as it comes and ask for nothing but the interaction."""
    segments = segments_of(of, life)
    label = reaction.figured[0].figure.label
    tally = tally_of(label[0], of, step_counts.figures)
    for figured in reaction.figured:
        where = figured.where
        if (where is None or where.holds(life, event.time, event)) and count(
            life, figured, event.time, [event], tally, segments
        ):
            step_counts.wrong_type(figured.figure.label)


def _measure(
    life: Life, lifecycle: Lifecycle, reaction: Reaction, event: Event, alive: bool, step_counts: StepCounts
) -> None:
    """As `measure`, where conditions read the life as it is before any of it is applied."""
    time, now = event.time, life.clock
    signalled: list[list[Event]] = []
    for signal in reaction.signals:
        elements = _matching(life, _asked(signal.where), signal.over, event, signal.label, step_counts)
        if (
            signal.ledger >= 0
            and elements
            and not makes_entry(life, signal, now, event, lifecycle.ledgers[signal.ledger])
        ):
            elements = []
        signalled.append(elements)
    counted = [
        _matching(life, _asked(each.where), each.over, event, each.fact.label, step_counts) for each in reaction.counted
    ]
    figured = [_figured(life, each, event, step_counts) for each in reaction.figured]
    _sign_of_life(life, time, alive)
    before = [[points_of(life, slot) for slot in score.slots] for score in reaction.floored]
    for signal, elements in zip(reaction.signals, signalled, strict=True):
        count_elements(life, signal, time, elements, step_counts)
    for score, millionths in zip(reaction.floored, before, strict=True):
        names = [lifecycle.signals[lifecycle.slots[slot][0]].name for slot in score.slots]
        lift_to_floor(score, names, life, millionths)
    for each, elements in zip(reaction.counted, counted, strict=True):
        facts.apply_elements(each.fact, life, each.sign, time, elements, step_counts)
    entries = _enter(life, reaction, event, step_counts)
    of = lifecycle.figures
    if of is not None and (figured or entries):
        segments = segments_of(of, life)
        tally = tally_of(lifecycle.id, of, step_counts.figures)
        for one, elements in zip(reaction.figured, figured, strict=True):
            for _ in range(count(life, one, time, elements, tally, segments)):
                step_counts.wrong_type(one.figure.label)
        for entry, own in entries:
            entry.tally(own, tally, segments)


def _enter(
    life: Life, reaction: Reaction, event: Event, step_counts: StepCounts
) -> list[tuple[EntryBefore, tuple[Figure, ...]]]:
    """Enter an interaction in ledgers; of those that figures are made of, returns how they were before."""
    changed: list[tuple[EntryBefore, tuple[Figure, ...]]] = []
    for place, entered in enumerate(reaction.entered):
        where = entered.where
        if where is None or where.with_event.holds(life, life.clock, event):
            assert life.memory is not None
            if reaction.ledger_figures and reaction.ledger_figures[place]:
                before = EntryBefore(entered.ledger, life, entered.role, event)
                changed.append((before, reaction.ledger_figures[place]))
            state = life.memory.ledgers[entered.ledger.index]
            if not ledgers.apply(entered.ledger, state, entered.role, event.time, event):
                step_counts.wrong_type(entered.label)
    return changed


def _figured(life: Life, figured: Figured, event: Event, step_counts: StepCounts) -> list[Event]:
    """The interaction, or its elements, that count in a figure, as the life is now."""
    elements = _matching(life, figured.where, figured.over, event, figured.figure.label, step_counts)
    if elements and figured.ledger is not None:
        where = figured.ledger_where
        if where is not None and not where.holds(life, life.clock, event):
            return []
        assert life.memory is not None
        if not ledgers.is_new(figured.ledger, life.memory.ledgers[figured.ledger.index], event):
            return []
    return elements


def _asked(where: Condition | None) -> Predicate | None:
    return None if where is None else where.with_event


def _sign_of_life(life: Life, time: i64, alive: bool) -> None:
    if alive and time > life.active:
        life.active = time


def _matching(
    life: Life, where: Predicate | None, over: PropertyPath | None, event: Event, label: Label, step_counts: StepCounts
) -> list[Event]:
    """The interaction, or each element in order, for which `where` holds as the life is now."""
    now = life.clock
    if over is None:
        return [event] if where is None or where.holds(life, now, event) else []
    found = lookup(over, event)
    if not isinstance(found, list):
        return []
    if len(found) > MAX_ELEMENTS:
        step_counts.too_long(label, len(found) - MAX_ELEMENTS)
        found = found[:MAX_ELEMENTS]
    elements: list[Event] = []
    for item in found:
        one = Event(event.type, event.name, event.time, event.properties, event.context, item)
        if where is None or where.holds(life, now, one):
            elements.append(one)
    return elements
