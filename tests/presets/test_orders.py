"""Orders in every preset: each once, whatever is sent again, changed, and paid back in part or as a whole.

What is sent comes from field reports; their numbers stand beside the tests.
"""

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import Walk

BUYER = {
    "journey": "purchase",
    "metrics": "conversion",
    "nurture": "support",
    "platform": "first_purchase",
    "relationship": "acquire",
}
"""Where one order leads."""
REFUNDED = BUYER | {"relationship": "ended"}
"""Where a buyer is after a partial refund; any refund is a breach of trust to `relationship`."""
REPEAT = REFUNDED | {"journey": "retention", "metrics": "retention"}
"""Where a second order leads them then."""
RETURNED = {
    "journey": "awareness",
    "metrics": "awareness",
    "nurture": "nurture",
    "platform": "lead",
    "relationship": "ended",
}
"""Where a customer is who gave everything back, and did nothing else."""
KEPT = dict.fromkeys(BUYER, 8) | {"platform": 16}
"""Orders that can still change."""
PRESETS = sorted(BUYER)


def bought(preset: str, order_id: str = "o-1", total: object = 50.0) -> Walk:
    """One order, at 0."""
    walk = Walk(preset)
    walk.does(0, "Order Completed", order_id=order_id, total=total)
    return walk


def money(walk: Walk) -> tuple[object, object]:
    """How many orders, and what is left of them."""
    return walk.fact("orders"), walk.fact("revenue")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_partial_refund_leaves_a_buyer_a_buyer(preset: str) -> None:
    """W2: 15 of 50."""
    walk = bought(preset)
    assert walk.stage == BUYER[preset]
    walk.does(2 * DAY, "Order Refunded", order_id="o-1", total=15.0)
    assert money(walk) == (1, 35)
    assert walk.stage == REFUNDED[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_two_partial_refunds_of_one_order_take_no_order_away(preset: str) -> None:
    """W3: 10 and 5 of 50, and then a second order, which makes two."""
    walk = bought(preset)
    walk.does(2 * DAY, "Order Refunded", order_id="o-1", total=10)
    walk.does(3 * DAY, "Order Refunded", order_id="o-1", total=5)
    walk.does(9 * DAY, "Order Completed", order_id="o-2", total=80)
    assert money(walk) == (2, 115)
    assert walk.stage == REPEAT[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_full_refund_after_a_partial_one_leaves_nothing_and_no_debt(preset: str) -> None:
    """W3: some shops send the whole total again with the full one; the next order is the first that counts."""
    walk = bought(preset)
    walk.does(2 * DAY, "Order Refunded", order_id="o-1", total=15)
    walk.does(3 * DAY, "Order Refunded", order_id="o-1", total=50)
    assert money(walk) == (0, 0)
    assert walk.stage == RETURNED[preset]
    walk.does(4 * DAY, "Order Completed", order_id="o-2", total=80)
    assert money(walk) == (1, 80)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_page_that_is_loaded_again_is_no_second_order(preset: str) -> None:
    """W4: with message ids of their own, 41 seconds and a day later."""
    walk = bought(preset, "o-77", 17.94)
    assert walk.does(41_000, "Order Completed", order_id="o-77", total=17.94) == []
    assert walk.does(22 * HOUR, "Order Completed", order_id="o-77", total=17.94) == []
    assert money(walk) == (1, 17.94)
    assert walk.stage == BUYER[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_refund_without_its_amount_takes_the_whole_order_back(preset: str) -> None:
    """It may come before the order does."""
    for refund, order in ((2 * DAY, 1 * DAY), (1 * DAY, 2 * DAY)):
        walk = Walk(preset)
        for time, name in sorted([(refund, "order_refunded"), (order, "order_completed")]):
            total = {} if time == refund else {"total": 50}
            walk.does(time, name, order_id="o-1", **total)
        assert money(walk) == (0, 0)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("total", [{}, {"total": 50}])
def test_a_cancelled_order_is_none(preset: str, total: dict[str, object]) -> None:
    """With the total of the order, as the Segment spec has it, or without."""
    walk = bought(preset)
    walk.does(1 * HOUR, "Order Cancelled", order_id="o-1", **total)
    assert money(walk) == (0, 0)
    walk.does(2 * HOUR, "Order Refunded", order_id="o-1", total=50)
    assert money(walk) == (0, 0)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_order_that_was_changed_is_worth_what_it_is_now(preset: str) -> None:
    """And no second one; what changes nothing of its worth is no matter."""
    walk = bought(preset)
    walk.does(1 * HOUR, "Order Updated", order_id="o-1", total=80, status="changed")
    walk.does(2 * DAY, "order_updated", order_id="o-1", status="delivered")
    assert money(walk) == (1, 80)
    walk.does(3 * DAY, "Order Refunded", order_id="o-1", total=50)
    assert money(walk) == (1, 30)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_refund_that_is_sent_twice_is_one_by_its_id(preset: str) -> None:
    walk = bought(preset)
    for refund_id in ("r-1", "r-1", "r-2"):
        walk.does(2 * DAY, "Order Refunded", order_id="o-1", refund_id=refund_id, total=10)
    assert money(walk) == (1, 30)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_order_without_an_id_is_the_interaction(preset: str) -> None:
    """Each counts, and what is paid back lowers the revenue alone."""
    walk = Walk(preset)
    for day in (0, 1):
        walk.does(day * DAY, "Order Completed", total=50)
    assert money(walk) == (2, 100)
    walk.does(2 * DAY, "Order Refunded", total=50)
    assert money(walk) == (2, 50)


@pytest.mark.parametrize("preset", PRESETS)
def test_prices_in_quotes_are_money(preset: str) -> None:
    """W11: as text from an import, or from a shop that sends it."""
    walk = bought(preset, total="19.90")
    walk.does(1 * DAY, "Order Refunded", order_id="o-1", total="4.90")
    assert money(walk) == (1, 15)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_latest_orders_can_be_paid_back(preset: str) -> None:
    """An older one stays as it was."""
    walk = Walk(preset)
    for number in range(KEPT[preset] + 1):
        walk.does(number * HOUR, "Order Completed", order_id=f"o-{number}", total=10)
    for number in (0, 1):
        walk.does(1 * DAY, "Order Refunded", order_id=f"o-{number}", total=10)
    assert money(walk) == (KEPT[preset], KEPT[preset] * 10)
