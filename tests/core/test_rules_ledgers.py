"""Rule 18: one entry per order, so that reloads, updates, partial and repeated returns come out right."""

from collections.abc import Mapping

import pytest

from stream.core.memory import LedgerState
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, T0

LEDGER = """
    interactions: {buy: [Order Completed], back: [Order Refunded], change: [Order Updated]}
    ledgers:
      bought: {each: buy, by: properties.order_id, amount: properties.total, update: change, minus: back,
               returned: properties.total, return: properties.refund_id, keep: 3}
    scores: {heat: {}}
    signals: {spent: {each: buy, add: {heat: properties.total * 0.1}, ledger: bought, at_most: {times: 3, per: 1d}}}
    facts:
      orders: {count: bought}
      revenue: {sum: bought}
      year: {sum: bought, within: 365d}
      recent: {count: bought, within: 365d}
    stages: {start: {}, vip: {}, sleeping: {}}
    transitions:
      - {from: start, to: vip, when: year >= 100}
      - {from: vip, to: sleeping, when: year < 100}
"""
NAMES = {"buy": "Order Completed", "back": "Order Refunded", "change": "Order Updated"}


def order(subject: Subject, what: str, key: object, total: object, time: int = T0, **more: object) -> None:
    properties: dict[str, object] = {"order_id": key, "total": total, **more}
    given: Mapping[str, object] = {name: value for name, value in properties.items() if value is not ...}
    subject.sees(time, NAMES[what], given)


def bought(*happened: tuple[str, object, object]) -> Subject:
    subject = Subject(lifecycle(LEDGER))
    for what, key, total in happened:
        order(subject, what, key, total)
    return subject


def ledger(subject: Subject) -> LedgerState:
    memory = subject.life().memory
    assert memory is not None
    return memory.ledgers[0]


@pytest.mark.parametrize(
    ("happened", "orders", "revenue"),
    [
        ([("buy", "o-1", 50), ("back", "o-1", 15)], 1, 35),  # W2: partial
        ([("buy", "o-1", 50), ("back", "o-1", 10), ("back", "o-1", 5), ("buy", "o-2", 80)], 2, 115),  # W3
        ([("buy", "o-1", 50), ("back", "o-1", 15), ("back", "o-1", 50)], 0, 0),  # W3: a full one carries the whole
        ([("buy", "o-77", 17.94)] * 3, 1, 17.94),  # W4: reloads
        ([("buy", "o-1", 50), ("back", "o-1", ...)], 0, 0),
        ([("back", "o-1", ...), ("buy", "o-1", 50)], 0, 0),
        ([("back", "o-1", 20), ("buy", "o-1", 50)], 1, 30),
        ([("buy", "o-1", 50), ("back", "o-1", None), ("change", "o-1", 80)], 0, 0),
        ([("change", "o-1", 80), ("buy", "o-1", 50)], 1, 80),
        ([("buy", "o-1", 50), ("change", "o-1", 80), ("change", "o-1", 60)], 1, 60),
        ([("buy", "o-1", 50), ("change", "o-1", ...)], 1, 50),
        ([("change", "o-1", 80)], 0, 0),
        ([("buy", "o-1", 50), ("back", "o-1", "all of it")], 1, 50),
        ([("buy", "o-1", "19.90"), ("back", "o-1", -5)], 1, 14.9),
        ([("buy", "o-1", ...)], 1, 0),
        ([("buy", "o-1", ...), ("back", "o-1", 5)], 1, 0),
        ([("buy", "o-1", 0), ("back", "o-1", ...)], 0, 0),
        ([("buy", "o-1", -3)], 1, 0),
        ([("buy", 1001, 5), ("buy", "1001", 5), ("buy", 1001.0, 5)], 1, 5),
        ([("buy", True, 5), ("buy", "true", 5), ("buy", 1, 5)], 3, 15),
        ([("buy", ..., 5), ("buy", ..., 5), ("buy", "", 5), ("buy", None, 5), ("buy", [1], 5)], 5, 25),
        ([("buy", ..., 5), ("back", ..., 8)], 1, -3),
        ([("buy", ..., 5), ("back", ..., ...), ("change", ..., 9)], 1, 5),
    ],
)
def test_orders_and_what_is_left_of_them(happened, orders, revenue):
    subject = bought(*happened)
    assert (subject.fact("orders"), subject.fact("revenue")) == (orders, revenue)


def test_a_return_that_is_known_by_its_id_counts_once():
    subject = bought(("buy", "o-1", 50), ("buy", "o-2", 50))
    for key in ("o-1", "o-1", "o-2"):
        order(subject, "back", key, 10, refund_id="r-1")
    order(subject, "back", "o-1", 10, refund_id="r-2")
    assert subject.fact("revenue") == 100 - 10 - 10 - 10
    order(subject, "back", "o-1", "x", refund_id="r-3")  # no number: not remembered
    order(subject, "back", "o-1", 5, refund_id="r-3")
    assert subject.fact("revenue") == 65


def test_a_return_that_names_no_order_is_known_by_its_id_too():
    subject = bought(("buy", "o-1", 50))
    for refund_id in ("1", 1, "2"):
        order(subject, "back", ..., 10, refund_id=refund_id)
    assert subject.fact("revenue") == 30


def test_64_returns_are_remembered_the_latest_to_arrive():
    subject = bought(("buy", "o-1", 1_000))
    for number in range(65):
        order(subject, "back", "o-1", 1, refund_id=number)
    for number in (1, 0):
        order(subject, "back", "o-1", 1, refund_id=number)
    assert subject.fact("revenue") == 1_000 - 65 - 1


def test_the_smallest_time_is_the_entrys_and_its_amount_that_of_the_first_that_has_one():
    subject = Subject(lifecycle(LEDGER))
    order(subject, "buy", "o-1", 50, T0)
    order(subject, "buy", "o-1", 40, T0 - DAY)
    order(subject, "buy", "o-1", ..., T0 - 2 * DAY)
    order(subject, "buy", "o-1", 30, T0 - DAY)
    (entry,) = ledger(subject).entries
    assert (entry.time, subject.fact("revenue")) == (T0 - 2 * DAY, 40)
    order(subject, "change", "o-1", 70, T0 - DAY)
    order(subject, "change", "o-1", 60, T0 - 2 * DAY)
    order(subject, "change", "o-1", 75, T0 - DAY)
    assert subject.fact("revenue") == 75


def test_of_made_entries_the_latest_are_kept_and_what_goes_stays_in_the_totals():
    subject = bought(*(("buy", f"o-{number}", 10) for number in range(5)))
    assert (subject.fact("orders"), subject.fact("revenue"), subject.fact("year")) == (5, 50, 30)
    order(subject, "back", "o-0", ...)  # waits for an order that is made no more
    assert (subject.fact("orders"), subject.fact("revenue")) == (5, 50)
    order(subject, "back", "o-4", ...)
    assert (subject.fact("orders"), subject.fact("revenue"), subject.fact("year")) == (4, 40, 20)


def test_besides_them_8_that_wait_are_kept():
    subject = bought(("buy", "o", 10), *(("back", f"o-{number}", ...) for number in range(9)))
    assert len(ledger(subject).entries) == 9
    for number in range(9):
        order(subject, "buy", f"o-{number}", 1)
    assert (subject.fact("orders"), subject.fact("revenue")) == (2, 11)  # o, and o-0, whose return was forgotten


def test_within_a_year_to_the_millisecond():
    subject = bought(("buy", "o-1", 60), ("buy", "o-2", 60))
    assert (subject.stage(), subject.next_due()) == ("vip", T0 + 365 * DAY)
    order(subject, "back", "o-2", 10)
    assert subject.fact("recent") == 2
    subject.waits(T0 + 365 * DAY - 1)
    assert subject.stage() == "vip"
    subject.waits(T0 + 365 * DAY)
    assert (subject.stage(), subject.fact("year"), subject.fact("revenue")) == ("sleeping", 0, 110)
    assert (subject.fact("recent"), subject.fact("orders")) == (0, 2)


def test_a_signal_counts_what_makes_an_entry_and_the_same_again_uses_nothing_up():
    subject = bought(*[("buy", "o-1", 50)] * 5, ("buy", "o-2", 100), ("buy", ..., 10), ("buy", "o-3", 100))
    assert (subject.score("heat"), list(subject.life().counts)) == (5 + 10 + 1, [3])
    waits = bought(("back", "o-1", 5), ("buy", "o-1", 50), ("buy", "o-1", 50))
    assert waits.score("heat") == 5


def test_wrong_types_are_counted():
    subject = bought(("buy", "o-1", "x"), ("back", "o-1", "y"), ("change", "o-1", "z"))
    assert subject.step_counts.wrong_types == {("shop", "bought"): 2, ("shop", "spent"): 1}
