"""More deadlines at once than one transaction takes: what waits for what, and what never changes."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from stream.codec.controls import tick
from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.customers import CustomerCodec
from stream.codec.state.keys import customer_key
from stream.core.exact import set_points
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.machine.batch import Batch, DeadlineFailed
from stream.machine.budget import MAX_BYTES, SHARE
from stream.machine.machine import PartitionMachine
from stream.settings import Settings
from tests.kit.machines import Record, compacted, finish, machine, records_of, run_all
from tests.kit.times import DAY, T0

DUE = T0 + 30 * DAY
CUSTOMERS = 6_000
SHOP = """
lifecycle: shop
interactions: {buy: [Order Completed]}
scores: {value: {}}
signals: {spent: {each: buy, add: {value: 1}}}
facts: {last_order: {last: buy}}
stages: {customer: {}, dormant: {}}
transitions:
  - {from: customer, to: dormant, when: since(last_order) >= 30d}
  - {from: dormant, to: customer, when: since(last_order) < 30d}
"""
WALL = Settings(clock="wall", live_from=T0 - DAY)
STREAM = Settings(clock="stream")


@pytest.fixture
def model() -> Model:
    """Dormant after thirty days without an order."""
    return model_of([parse(SHOP, "shop.yaml").lifecycle])


def buy(customer: int, time: int) -> Interaction:
    """An order."""
    return Interaction(f"c-{customer}", None, None, "Order Completed", time, {}, {})


def filled(model: Model, settings: Settings) -> PartitionMachine:
    """A machine of customers who are all due in the same millisecond."""
    made = machine(model, settings)
    run_all(made, records_of([buy(number, T0) for number in range(CUSTOMERS)]), wall=T0)
    return made


def turns(made: PartitionMachine, records: Sequence[Record], wall: int) -> list[Batch]:
    """The batches of a partition that gets a few records with each fetch until nothing is left to do."""
    batches: list[Batch] = []
    left = list(records)
    while left or (made.next_due() or wall + 1) <= wall:
        taken, left = left[:5], left[5:]
        end = taken[-1].offset + 1 if taken else (made.next_offset or 0)
        while True:
            taken = [each for each in taken if each.offset >= (made.next_offset or 0)]
            batch = finish(made.run(taken, end, wall=wall, caught_up=not left))
            batches.append(batch)
            if not batch.more:
                break
    return batches


def changes(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    """Published changes, without their source: a deadline that waited names a later offset."""
    values = [orjson.loads(each.value or b"") for batch in batches for each in batch.events]
    return [{name: value for name, value in each.items() if name != "source"} for each in values]


def by_customer(changes: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """In the order given."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in changes:
        found.setdefault(each["customer_id"], []).append(each)
    return found


def size(batch: Batch) -> int:
    """Bytes of what a transaction writes."""
    parts = (batch.events, batch.latest, batch.state, batch.dead_letters)
    return sum(len(each.value or b"") for part in parts for each in part)


def test_interactions_go_on_between_the_deadlines_that_came(model: Model) -> None:
    """With wall time: orders are applied while many of the deadlines are still to be fired."""
    made = filled(model, WALL)
    orders = records_of([buy(n, DUE + 1) for n in range(CUSTOMERS - 20, CUSTOMERS)], first=CUSTOMERS)
    batches = turns(made, orders, DUE + 1)
    order_of = [each["trigger"]["kind"] for each in changes(batches)]
    last_order = max(place for place, kind in enumerate(order_of) if kind == "interaction")
    assert order_of.count("deadline") == CUSTOMERS
    assert order_of[last_order:].count("deadline") > 1_000
    assert made.stages == {("shop", "dormant"): CUSTOMERS - 20, ("shop", "customer"): 20}


def test_a_customer_s_own_deadlines_come_before_its_interaction(model: Model) -> None:
    """Also before one that is late and would have prevented them: the partition's clock had passed them."""
    made = filled(model, WALL)
    late, last = buy(CUSTOMERS - 2, DUE - 1), buy(CUSTOMERS - 1, DUE + 1)
    of_customer = by_customer(changes(turns(made, records_of([buy(0, DUE), late, last], first=CUSTOMERS), DUE + 1)))
    for number, at in ((CUSTOMERS - 2, DUE), (CUSTOMERS - 1, DUE + 1)):
        seen = [(each["from"], each["to"], each["at"]) for each in of_customer[f"c-{number}"]]
        assert seen == [("customer", "dormant", DUE), ("dormant", "customer", at)]
    assert of_customer[f"c-{CUSTOMERS - 2}"][1]["trigger"]["late"]


def test_to_wait_changes_nothing_for_any_customer(model: Model) -> None:
    """The changes of each, and its state, are those of a partition that fires everything before the next record."""
    orders = [buy(n * 7 % CUSTOMERS, DUE + n % 3 - 1) for n in range(100)]
    patient = filled(model, STREAM)
    wanted = run_all(patient, records_of([tick(DUE + 1), *orders], broker_time=DUE + 1, first=CUSTOMERS))
    made = filled(model, WALL)
    first = run_all(made, [], wall=DUE + 1, caught_up=True)
    found = first + turns(made, records_of(orders, broker_time=DUE + 1, first=CUSTOMERS + 1), DUE + 1)
    assert by_customer(changes(found)) == by_customer(changes(wanted))
    one, two = compacted(found), compacted(wanted)
    assert one.pop(b"p") != two.pop(b"p")  # where each began
    assert one == two


@pytest.mark.parametrize("settings", [WALL, STREAM], ids=["wall", "stream"])
def test_no_transaction_is_larger_than_the_limit(model: Model, settings: Settings) -> None:
    """Records of customers count too; with wall time deadlines take a share before and one after the records."""
    made = filled(model, settings)
    batches = turns(made, records_of([tick(DUE + 1)], broker_time=DUE + 1, first=CUSTOMERS), DUE + 1)
    assert sum(len(batch.events) for batch in batches) == CUSTOMERS
    assert len(batches) > 1
    assert max(map(size, batches)) < (2 * SHARE if settings is WALL else MAX_BYTES) * 1.1


def test_a_batch_of_large_customers_is_cut_where_it_is_full() -> None:
    """Customers who change no stage, a kilobyte of facts each."""
    words = [f"word{number}" for number in range(8)]
    facts = ", ".join(f"{word}: {{latest: properties.{word}}}" for word in words)
    model = model_of([parse(f"lifecycle: wide\nfacts: {{{facts}}}\nstages: {{one: {{}}}}\n", "wide.yaml").lifecycle])
    made = machine(model, STREAM)
    properties: dict[str, object] = {word: word[-1] * 250 for word in words}
    visits = [Interaction(f"c-{n}", None, None, "visit", T0, properties, {}) for n in range(4_000)]
    batches = run_all(made, records_of(visits))
    assert len(batches) > 1
    assert max(map(size, batches)) < MAX_BYTES * 1.2
    assert made.customers == len(visits)


def test_where_our_code_fails_on_a_deadline_of_a_customer_who_came_by_the_deadline_is_named(model: Model) -> None:
    """Not the interaction, which is not at fault."""
    before = machine(model, WALL)
    changelog = compacted(run_all(before, records_of([buy(number, T0) for number in range(CUSTOMERS)]), wall=T0))
    key, codec = customer_key("customer", "c-999"), CustomerCodec(model)
    broken = codec.decode(key, changelog[key])
    set_points(broken.lives["shop"], 0, 10**400)  # more than a double holds: to read the score raises
    made = machine(model, WALL, {**changelog, key: codec.encode(broken)})
    run_all(made, [], wall=DUE + 1, caught_up=True)
    with pytest.raises(DeadlineFailed) as failed:
        run_all(made, records_of([buy(999, DUE + 1)], first=CUSTOMERS), wall=DUE + 1)
    assert failed.value.key == key
