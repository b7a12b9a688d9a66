"""Where one customer stands in one lifecycle at the end of an offline run, and that as JSON."""

from typing import NamedTuple

import orjson

from stream.core.customer import Customer, Life
from stream.core.lifecycle import Lifecycle
from stream.core.stage_change import Value


class Standing(NamedTuple):
    """Where one customer stands in one lifecycle."""

    customer: Customer
    lifecycle: Lifecycle
    life: Life
    at: int
    """When the scores and facts are read, epoch milliseconds."""
    scores: dict[str, float]
    facts: dict[str, Value]


def encode_standing(standing: Standing) -> bytes:
    """One customer in one lifecycle as a flat JSON object; times are epoch milliseconds.

    `at` is when the scores and facts were read, `deadline` when time alone moves the customer next (null:
    never), forgetting not included.
    """
    customer, lifecycle, life, at, scores, facts = standing
    return orjson.dumps(
        {
            f"{customer.kind}_id": customer.id,
            "identified": customer.identified,
            "lifecycle": lifecycle.id,
            "version": lifecycle.version,
            "stage": life.stage,
            "entered": life.entered,
            "born": life.born,
            "sequence": life.sequence,
            "at": at,
            "scores": scores,
            "facts": facts,
            "deadline": life.due,
        }
    )
