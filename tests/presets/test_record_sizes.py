"""What a customer takes as a record in the preset `metrics`: real purchases, of which a few customers have many."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from statistics import median

import pytest

from stream.cli.demo_data import Data, shown
from stream.codec.state.customers import CustomerCodec
from stream.core.customer import Customer
from stream.core.inputs import Arrival
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.presets.walk import load

pytestmark = pytest.mark.long

AIM = 400
"""Bytes of a customer with five orders."""
MOST = 544
"""Bytes of any of them: figures remember their latest eight days of purchases."""


def purchases(*, with_ids: bool) -> Iterator[Interaction]:
    """Those of the demonstration, a tenth of CDNOW's customers; they have no order id, or a long one."""
    for number, each in enumerate(shown(Data.PURCHASES)):
        ids = {"order_id": f"50314b8e9bcf00000000{number:04}"} if with_ids else {}
        yield replace(each, properties={**each.properties, **ids})


@cache
def sizes(*, with_ids: bool) -> list[tuple[int, int]]:
    """After each purchase, how many the customer has made, and the bytes of the record."""
    model = model_of([load("metrics").lifecycle])
    codec, counts = CustomerCodec(model), StepCounts()
    customers: dict[str | None, Customer | None] = {}
    orders = Counter[str | None]()
    found: list[tuple[int, int]] = []
    for offset, each in enumerate(purchases(with_ids=with_ids)):
        who = each.customer_id
        customer, _changes = step(model, customers.get(who), Arrival(each, 0, offset), counts)
        assert customer is not None
        customers[who] = customer
        orders[who] += 1
        found.append((orders[who], len(codec.encode(customer))))
    return found


@pytest.mark.parametrize("with_ids", [False, True])
def test_a_customer_with_five_orders_takes_400_bytes_at_most(with_ids: bool) -> None:
    assert max(size for orders, size in sizes(with_ids=with_ids) if orders <= 5) <= AIM


@pytest.mark.parametrize("with_ids", [False, True])
def test_a_record_does_not_grow_with_every_order(with_ids: bool) -> None:
    """The ledger keeps eight, so that who buys a hundred times takes no more."""
    found = sizes(with_ids=with_ids)
    assert max(orders for orders, _size in found) > 50
    assert max(size for _orders, size in found) <= MOST
    assert median(size for _orders, size in found) <= AIM
