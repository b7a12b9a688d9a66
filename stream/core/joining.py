"""A visitor who turned out to be a customer: what that does to the customer's stages, and to the visitor's.

Deadlines of the customer that were due before the visitor's clock do not fire: what the visitor did may have prevented
them. Those that still hold afterwards move the customer at the clock, as everything else that holds then.
"""

from typing import Final

from stream.core.customer import Customer, Life
from stream.core.deadlines import schedule
from stream.core.inputs import Merge
from stream.core.lifecycle import Lifecycle
from stream.core.merging import merge_customers, merge_lives
from stream.core.model import Model
from stream.core.stage_change import StageChange, Trigger
from stream.core.transitions import begin, leave_removed_stage, mark_final, move, run_transitions

MERGED: Final = Trigger("merge")


def apply_merge(model: Model, customer: Customer | None, given: Merge, changes: list[StageChange]) -> Customer:
    """Take the visitor's record into the customer's, and move the customer where that leads."""
    other = given.record
    if customer is None:
        lives: list[Life | None] = [None] * len(model.lifecycles)
        customer = Customer("customer", given.customer_id, True, other.latest, other.active, lives)
    merge_customers(customer, other)
    customer.identified = True
    for place, lifecycle in enumerate(model.lifecycles):
        theirs = other.by_place[place]
        if theirs is None:
            continue
        before = len(changes)
        life = customer.by_place[place]
        if life is None:
            life = customer.by_place[place] = lifecycle.begin(theirs.clock, given.born, True)
            changes.append(begin(customer, lifecycle, life, MERGED))
        merge_lives(lifecycle, life, theirs)
        _move(customer, lifecycle, life, theirs.stage, changes)
        mark_final(changes, before)
        schedule(lifecycle, life)
    return customer


def _move(customer: Customer, lifecycle: Lifecycle, life: Life, other: str, changes: list[StageChange]) -> None:
    """To the further of both stages in the order of the file, and on from there as transitions say."""
    if life.stage not in lifecycle.stages:
        leave_removed_stage(customer, lifecycle, life, changes)
    order = list(lifecycle.stages)
    if other in lifecycle.stages and order.index(other) > order.index(life.stage):
        changes.append(move(customer, lifecycle, life, other, MERGED))
    run_transitions(customer, lifecycle, life, None, MERGED, changes)


def end_by_merge(model: Model, visitor: Customer, clock: int, changes: list[StageChange]) -> None:
    """End the visitor's lives: each leaves its stage for none."""
    for lifecycle, life in zip(model.lifecycles, visitor.by_place, strict=True):
        if life is not None:
            life.clock = max(life.clock, clock)
            end = move(visitor, lifecycle, life, None, MERGED)
            end.final = True
            changes.append(end)
