"""Laws of the core, whatever the rich lifecycle and the history: what is independent of the order of arrival."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.customer import Customer
from stream.core.inputs import Arrival
from stream.core.language.definition import define
from stream.core.model import model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.interactions import interaction_of
from tests.properties.order_of_arrival import KINDS, SPAN, cases, values
from tests.properties.timelines import START, at


def told_by(told: dict[str, Any], arrived: list[dict[str, Any]]) -> list[object]:
    """Scores, facts and contributions after these arrivals, at some times after them all."""
    lifecycle = define(told)
    model, step_counts = model_of([lifecycle], None), StepCounts()
    customer: Customer | None = None
    for number, each in enumerate([*arrived, at(START + SPAN, "look")]):
        customer, _changes = step(model, customer, Arrival(interaction_of(each), 0, number), step_counts)
    assert customer is not None
    return values(lifecycle, customer.lives[lifecycle.id])


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(data=st.data())
def test_the_order_of_arrival_makes_no_difference(data: st.DataObject, kind: str) -> None:
    """Where times differ, every score, fact and contribution is the same, to the last bit."""
    told, one, two = data.draw(cases(kind))
    assert told_by(told, one) == told_by(told, two)
