"""What an edit of a lifecycle file does to a customer that was there before.

Whoever satisfies a transition out of the stage moves once, at the partition's clock, as if a deadline were due then,
but with the trigger `lifecycle`. Nothing else of a life changes, unless time alone would have moved it before the edit
and does not now: then its clock moves on as well, so that no deadline fires at a time before the edit.
"""

from typing import Final

from stream.core.customer import Customer
from stream.core.deadlines import schedule
from stream.core.guards import note_held
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import StageChange, Trigger
from stream.core.transitions import leave_removed_stage, mark_final, run_transitions

EDITED: Final = Trigger("lifecycle")


def apply_edit(lifecycles: tuple[Lifecycle, ...], customer: Customer, clock: int, changes: list[StageChange]) -> None:
    """Consider the customer's lives that were written by a former version, at `clock` (epoch ms)."""
    edited, customer.edited = customer.edited, None
    if edited is None:
        return
    for lifecycle, life in zip(lifecycles, customer.by_place, strict=True):
        if life is None or lifecycle.id not in edited:
            continue
        deadline_before = edited[lifecycle.id]
        deadline, clock_before = life.due, life.clock
        passed = deadline is not None and deadline <= clock
        if passed and deadline == deadline_before:
            continue  # the same deadline as before the edit: it is due, and waits for its turn or for `grace`
        before = len(changes)
        if lifecycle.held and clock > clock_before:
            note_held(lifecycle.held_in.get(life.stage, ()), life, clock)
        life.clock = max(clock_before, clock)
        if life.stage not in lifecycle.stages:
            leave_removed_stage(customer, lifecycle, life, changes)
        run_transitions(customer, lifecycle, life, None, EDITED, changes)
        mark_final(changes, before)
        if len(changes) > before or passed:
            schedule(lifecycle, life)
        else:
            life.clock = clock_before
