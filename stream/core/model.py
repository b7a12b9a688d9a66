"""What decides what an input does to a customer: the lifecycles side by side, and when a customer is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass

from stream.core.customer import Customer
from stream.core.durations import DAY
from stream.core.interaction import MAX_TIME
from stream.core.lifecycle import Lifecycle


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
    for life in customer.lives.values():
        deadline = life.deadline
        if deadline is not None and (first is None or deadline < first):
            first = deadline
    return first


def forgotten_at(model: Model, active: int, identified: bool) -> int | None:
    """When a customer whose last sign of life was at `active` is forgotten; None: never."""
    after = model.forget_identified_after if identified else model.forget_after
    return active + after if after is not None and active + after <= MAX_TIME else None
