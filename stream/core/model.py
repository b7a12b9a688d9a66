"""What decides what an input does to a customer: the lifecycles side by side, and when a customer is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mypy_extensions import i64

from stream.core.customer import NEVER, Customer
from stream.core.durations import DAY
from stream.core.interaction import MAX_TIME, MIN_TIME
from stream.core.lifecycle import Lifecycle

_LONGEST: Final = MAX_TIME - MIN_TIME
"""Whoever is forgotten after a longer time is never forgotten."""


@dataclass(frozen=True)
class Model:
    """Everything that decides what an input does to a customer."""

    lifecycles: tuple[Lifecycle, ...]
    """In the order of their ids."""
    forget_after: int | None
    """Milliseconds after the last sign of life of a subject that was never identified; None: never."""
    forget_identified_after: int | None
    """The same for identified ones."""


def model_of(
    lifecycles: Sequence[Lifecycle], forget_after: int | None = 90 * DAY, forget_identified_after: int | None = None
) -> Model:
    """A model of lifecycles in any order. Raises ValueError where two have one id."""
    ordered = tuple(sorted(lifecycles, key=lambda each: each.id))
    ids = [each.id for each in ordered]
    if len(set(ids)) < len(ids):
        raise ValueError(f"two lifecycles have the same id: {', '.join(ids)}")
    return Model(ordered, forget_after, forget_identified_after)


def due(model: Model, customer: Customer) -> int | None:
    """The time of the customer's next deadline, forgetting included; None where there is none."""
    if customer.quarantined:
        return None
    first = forgotten_at(model, customer.active, customer.identified)
    earliest: i64 = NEVER if first is None else first
    for life in customer.by_place:
        if life is not None and life.deadline < earliest:
            earliest = life.deadline
    return None if earliest == NEVER else earliest


def forgotten_at(model: Model, active: i64, identified: bool) -> int | None:
    """When a customer whose last sign of life was at `active` is forgotten; None: never."""
    after = model.forget_identified_after if identified else model.forget_after
    if after is None or after > _LONGEST or active > MAX_TIME - after:
        return None
    return active + after
