"""Ledgers of the reference (rule 18), worked out by hand: reloads, updates, partial and repeated refunds."""

from __future__ import annotations

import pytest

from tests.kit.times import DAY
from tests.properties.lifecycles import Source
from tests.properties.reference import run
from tests.properties.timelines import START, at, contributed, known, small, steps

LEDGER: Source = {
    "each": "buy",
    "update": "change",
    "minus": "refund",
    "by": "properties.order",
    "amount": "properties.total",
    "returned": "properties.back",
    "return": "properties.key",
}
FACTS: Source = {
    "orders": {"count": "bought"},
    "revenue": {"sum": "bought"},
    "late_orders": {"count": "bought", "within": "10ms"},
    "late_revenue": {"sum": "bought", "within": "10ms"},
}


def buy(order: object, total: object = None, time: int = 0) -> Source:
    return at(START + time, "buy", order=order, total=total)


def change(order: object, total: object = None, time: int = 0) -> Source:
    return at(START + time, "change", order=order, total=total)


def refund(order: object, back: object = None, return_id: object = None, time: int = 0) -> Source:
    return {**at(START + time, "refund"), "properties": {"order": order, "back": back, "key": return_id}}


def bought(*arrived: Source, until: int | None = None, **ledger: object) -> tuple[object, object]:
    """Orders and revenue after these arrivals, of a ledger with these keys as well; None takes a key away."""
    told = {name: each for name, each in {**LEDGER, **ledger}.items() if each is not None}
    found = known({"ledgers": {"bought": told}, "facts": FACTS}, arrived, until)
    return found["orders"], found["revenue"]


def test_a_reload_of_the_order_page_is_the_same_again() -> None:
    """Whatever the amount that it brings; another order is another."""
    assert bought(buy("A", 100), buy("A", 100), buy("A", 120, time=5), buy("B", 7.5)) == (2, 107.5)


def test_the_amount_is_the_one_of_the_smallest_time() -> None:
    """Of those that have one; of two at the same time the earlier arrival's."""
    assert bought(buy("A", 100, time=5), buy("A", 90, time=3)) == (1, 90)
    assert bought(buy("A", 100, time=5), buy("A", 90, time=5)) == (1, 100)
    assert bought(buy("A", None, time=3), buy("A", 100, time=5)) == (1, 100)
    assert bought(buy("A", -1, time=3), buy("A", 100, time=5), buy("A", "$5", time=2)) == (1, 100)


def test_a_partial_refund_leaves_the_rest() -> None:
    """An order counts while something is left of it; a refund never takes off more than there was."""
    assert bought(buy("A", 100), refund("A", 30)) == (1, 70)
    assert bought(buy("A", 100), refund("A", "-30.5")) == (1, 69.5)
    assert bought(buy("A", 100), refund("A", 30), refund("A", 30)) == (1, 40)
    assert bought(buy("A", 100), refund("A", 30), refund("A", 70)) == (0, 0)
    assert bought(buy("A", 100), refund("A", 130), buy("B", 50)) == (1, 50)


def test_a_refund_that_tells_no_sum_gives_everything_back() -> None:
    """For good: neither an update nor the same order again brings anything back."""
    assert bought(buy("A", 100), refund("A")) == (0, 0)
    assert bought(buy("A", 100), refund("A"), change("A", 500), buy("A", 100)) == (0, 0)
    assert bought(refund("A"), buy("A", 100)) == (0, 0)
    assert bought(buy("A", 100), refund("A", 30), returned=None) == (0, 0)
    assert bought(buy("A"), refund("A")) == (0, 0)


def test_a_refund_of_what_is_no_number_does_nothing() -> None:
    """It is not remembered either, so that the right one counts when it comes."""
    assert bought(buy("A", 100), refund("A", "$30", "R"), refund("A", True, "R"), refund("A", [30], "R")) == (1, 100)
    assert bought(buy("A", 100), refund("A", "$30", "R"), refund("A", 30, "R")) == (1, 70)


def test_a_refund_may_come_before_its_order() -> None:
    """What was given back is waiting for it."""
    assert bought(refund("A", 30)) == (0, 0)
    assert bought(refund("A", 30), buy("A", 100)) == (1, 70)
    assert bought(refund("A", 30, time=5), buy("A", 100, time=9)) == (1, 70)


def test_an_update_may_come_before_its_order() -> None:
    """It overrides the order's amount, whatever the times; of updates the latest counts, a later arrival of equals."""
    assert bought(change("A", 80)) == (0, 0)
    assert bought(change("A", 80), buy("A", 100)) == (1, 80)
    assert bought(change("A", 80, time=-5), buy("A", 100)) == (1, 80)
    assert bought(buy("A", 100), change("A", 80, time=9), change("A", 60, time=7)) == (1, 80)
    assert bought(buy("A", 100), change("A", 80, time=9), change("A", 60, time=9)) == (1, 60)
    assert bought(buy("A", 100), change("A", 80), change("A", None, time=9), change("A", -3, time=9)) == (1, 80)
    assert bought(buy("A", 100), change("A", 20), refund("A", 30)) == (0, 0)


def test_the_same_return_twice_counts_once() -> None:
    """A return is known by its order and its own id together."""
    assert bought(buy("A", 100), refund("A", 30, "R"), refund("A", 30, "R")) == (1, 70)
    assert bought(buy("A", 100), refund("A", 30, "R"), refund("A", 50, "R"), refund("A", None, "R")) == (1, 70)
    assert bought(buy("A", 100), refund("A", 30, "R"), refund("A", 30, "S"), refund("A", 30)) == (1, 10)
    assert bought(buy("A", 100), buy("B", 100), refund("A", 30, 1), refund("B", 30, "1"), refund("B", 30, 1.0)) == (
        2,
        140,
    )
    assert bought(buy("A", 100), refund("A", 30, "R"), refund("A", 30, "R"), **{"return": None}) == (1, 40)


def test_the_64_latest_returns_are_known_and_a_repeat_does_not_move_up() -> None:
    """Return 0 comes again before it is pushed out and after; return 1 is known to the end."""
    returns = [refund("A", 1, number) for number in range(64)]
    assert bought(buy("A", 100), *returns, refund("A", 1, 0)) == (1, 36)
    assert bought(buy("A", 100), *returns, refund("A", 1, 0), refund("A", 1, 64), refund("A", 1, 0)) == (1, 34)
    assert bought(buy("A", 100), *returns, refund("A", 1, 0), refund("A", 1, 64), refund("A", 1, 1)) == (1, 35)


def test_an_order_without_amount_counts_until_everything_is_returned() -> None:
    """A sum that is given back takes nothing from nothing; an amount of 0 is as none."""
    assert bought(buy("A")) == (1, 0)
    assert bought(buy("A"), refund("A", 30)) == (1, 0)
    assert bought(buy("A", 0), refund("A", 30)) == (1, 0)
    assert bought(buy("A", 100), change("A", 0)) == (1, 0)
    assert bought(buy("A"), change("A", 50), refund("A", 50)) == (0, 0)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (5, "5", True),
        (5.0, "5", True),
        (-0.0, 0, True),
        (1e3, "1000", True),
        (2.5, "2.5", False),
        ("5", "5.0", False),
        ("A", "a", False),
        (True, "true", False),
        (True, 1, False),
        (True, True, True),
        ("", "", False),
        (None, None, False),
        (["A"], ["A"], False),
    ],
)
def test_a_key_is_a_text_a_boolean_or_a_number(one: object, two: object, same: bool) -> None:
    """A whole number is its decimal text; an empty text, a null and a list are no key."""
    assert bought(buy(one, 1), buy(two, 1)) == ((1, 1) if same else (2, 2))


@pytest.mark.parametrize("by", [None, "properties.order"])
def test_without_a_key_each_order_is_one_of_its_own(by: str | None) -> None:
    """A return lowers the sum by its number alone, also below 0; an update does nothing.

    Where the ledger has no `by`, or where the interaction has no value there.
    """
    order = None if by else "A"
    assert bought(buy(order, 100), buy(order, 100), by=by) == (2, 200)
    assert bought(buy(order, 100), refund(order, 30), by=by) == (1, 70)
    assert bought(buy(order, 100), refund(order), refund(order, "x"), by=by) == (1, 100)
    assert bought(buy(order, 100), change(order, 30), by=by) == (1, 100)
    assert bought(refund(order, 30), by=by) == (0, -30)
    assert bought(buy(order, 100), refund(order, 30, "R"), refund(order, 30, "R"), by=by) == (1, 70)
    parts = {"ledgers": {"bought": LEDGER}, "facts": FACTS}
    assert known(parts, [buy(None, 100), refund(None, 30)])["late_revenue"] == 100


def test_where_restricts_all_words_and_sees_the_interaction_alone() -> None:
    """Orders, updates and returns of the shop count, those of the market do not."""
    where = 'properties.shop == "web"'
    here: Source = {"properties": {"order": "A", "total": 100, "back": 30, "shop": "web"}}
    there: Source = {"properties": {"order": "A", "total": 50, "back": 50}}
    order, update, back = at(START, "buy"), at(START, "change"), at(START, "refund")
    assert bought({**order, **there}, where=where) == (0, 0)
    assert bought({**order, **here}, {**update, **there}, {**back, **there}, where=where) == (1, 100)
    assert bought({**order, **here}, {**back, **here}, where=where) == (1, 70)


def test_amounts_may_be_computed_and_are_exact() -> None:
    """Ten times a tenth is one; a text that is a number is one."""
    assert bought(*(buy(number, 0.1) for number in range(10))) == (10, 1)
    assert bought(buy("A", "19.90"), refund("A", "9.90")) == (1, 10)
    assert bought(buy("A", 3), amount="properties.total * 2.5") == (1, 7.5)
    assert bought(buy("A", 3), amount="-properties.total") == (1, 0)


def test_the_65th_order_freezes_the_first() -> None:
    """It counts as it was for ever; what comes for it later is taken as for a new one."""
    orders = [buy(number, 10, time=number) for number in range(65)]
    frozen = [buy(0, 10), refund(0, 4), *orders[1:]]
    assert bought(*orders) == (65, 650)
    assert bought(*frozen) == (65, 646)
    assert bought(*frozen, refund(0)) == (65, 646)
    assert bought(*frozen, refund(0, 3), buy(0, 10)) == (66, 653)
    assert bought(*frozen[:-1], refund(0)) == (63, 630)


def test_a_ledger_may_keep_fewer() -> None:
    """With `keep: 2` the third order freezes the first: in order of first arrival, whichever is older."""
    assert bought(buy("A", 1, time=9), buy("B", 2), buy("C", 4), refund("A"), keep=2) == (3, 7)
    assert bought(buy("A", 1, time=9), buy("B", 2), buy("C", 4), refund("B"), keep=2) == (2, 5)


def test_the_ninth_that_waits_pushes_out_the_first() -> None:
    """What came for it is gone, and it is a new order when it comes; those that wait take no place of orders."""
    waiting = [refund(number, 4) for number in range(9)]
    assert bought(*waiting, buy(0, 10)) == (1, 10)
    assert bought(*waiting, buy(1, 10)) == (1, 6)
    assert bought(*waiting[:8], buy(0, 10)) == (1, 6)
    assert bought(buy("A", 10), *waiting[:8], refund("A", 4), keep=1) == (1, 6)


def test_an_order_that_waited_for_long_is_kept_by_its_first_arrival() -> None:
    """With `keep: 1`, A came first by its refund; made after B, it is the one that goes, and what is left stays."""
    arrived = [refund("A", 4), buy("B", 10), buy("A", 10)]
    assert bought(*arrived, keep=1) == (2, 16)
    assert bought(*arrived, refund("A", 4), keep=1) == (2, 16)
    assert bought(*arrived, refund("B", 4), keep=1) == (2, 12)


def test_an_order_leaves_its_window_at_the_exact_millisecond() -> None:
    """By the smallest time of its words of `each`; a frozen one is outside every window.

    0          3     10        13
    A (10)     B     A is out  B is out
    """
    facts = {name: FACTS[name] for name in ("late_orders", "late_revenue")}
    ways = [("a", "b", "late_revenue == 7 and in_stage >= 5ms"), ("b", "c", "late_orders == 0")]
    lifecycle = small(ways, ledgers={"bought": LEDGER}, facts=facts)
    arrived = [buy("A", 10, time=5), buy("A", 9, time=0), buy("B", 7, time=3), buy("B", 8, time=4)]
    outcome = run([lifecycle], arrived, until=START + 100)
    assert steps(outcome)[1:] == [(START + 10, "a>b", True), (START + 13, "b>c", True)]
    small_ledger = {"ledgers": {"bought": {**LEDGER, "keep": 1}}, "facts": FACTS}
    assert known(small_ledger, [buy("A", 10), buy("B", 7)]) == {
        "orders": 2,
        "revenue": 17,
        "late_orders": 1,
        "late_revenue": 7,
    }


def test_a_refund_counts_in_the_window_of_its_order() -> None:
    """A day later, there is less left of it."""
    facts = {"month": {"sum": "bought", "within": "30d"}}
    parts = {"ledgers": {"bought": LEDGER}, "facts": facts}
    arrived = [buy("A", 100), refund("A", 30, time=29 * DAY)]
    assert known(parts, arrived) == {"month": 70}
    assert known(parts, [*arrived, at(START + 30 * DAY, "visit")]) == {"month": 0}


POINTS: Source = {
    "ledgers": {"bought": {**LEDGER, "where": "not properties.test"}},
    "scores": {"value": {}},
    "signals": {
        "spent": {"each": "buy", "add": {"value": "properties.total"}, "ledger": "bought"},
        "early": {
            "each": "buy",
            "add": {"value": 1000},
            "ledger": "bought",
            "at_most": {"times": 2, "per": "1d"},
        },
    },
}


def test_a_signal_with_a_ledger_counts_an_order_once() -> None:
    """The same again adds nothing and uses up nothing, so that the second order is the second of its day."""
    arrived = [buy("A", 1), buy("A", 1), buy("A", 1), buy("B", 10), buy("C", 100)]
    assert contributed(POINTS, arrived) == {"value": {"spent": (111, 3), "early": (2000, 2)}}


def test_a_signal_counts_an_order_for_which_something_came_before() -> None:
    """A refund does not make the entry. Without a key every order counts; an order that the ledger refuses does not."""
    assert contributed(POINTS, [refund("A"), change("A", 5), buy("A", 1)])["value"] == {
        "spent": (1, 1),
        "early": (1000, 1),
    }
    assert contributed(POINTS, [buy(None, 1), buy("", 1), buy(None, 1)])["value"] == {
        "spent": (3, 3),
        "early": (2000, 2),
    }
    test = {**at(START, "buy"), "properties": {"order": "A", "total": 1, "test": True}}
    assert contributed(POINTS, [test])["value"] == {}


def test_a_signal_counts_an_order_again_that_the_ledger_let_go() -> None:
    """What comes for it later is taken as for a new entry."""
    kept = {**POINTS, "ledgers": {"bought": {**LEDGER, "keep": 1}}}
    arrived = [buy("A", 1), buy("B", 10), buy("A", 1)]
    assert contributed(kept, arrived)["value"] == {"spent": (12, 3), "early": (2000, 2)}
