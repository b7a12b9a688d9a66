"""The preset `platform`: who is what right now, and what each customer brings."""

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import MINUTE, Walk, left_out, walks_of


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("platform", identified=request.param == "identified")


def bought(walk: Walk, time: int, **properties: object) -> None:
    """In `first_purchase`."""
    walk.does(time, "Order Completed", **properties)
    assert walk.stage == "first_purchase"


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("platform", walks_of(request.module), identified=identified) == []


def test_whoever_we_know_is_a_lead_from_the_first_page_on() -> None:
    assert Walk("platform", identified=True).does(0, "page") == ["anonymous", "lead"]


def test_whoever_we_do_not_know_stays_anonymous_however_often_they_come() -> None:
    walk = Walk("platform", identified=False)
    walk.does(0, "page")
    for day in range(1, 50):
        assert walk.does(day * DAY, "Product Viewed") == []


def test_a_customer_goes_from_anonymous_to_vip(walk: Walk) -> None:
    """A form, a first order, and the fifth within a year.

    page     form  order           order order order order
    |0       |1h   |1d             |50d  |100d |150d |200d
    |anonymous|lead|first_purchase                   |vip
    """
    assert walk.does(0, "page")[0] == "anonymous"
    walk.does(1 * HOUR, "Lead Captured")
    assert walk.stage == "lead"
    assert walk.does(1 * DAY, "Order Completed", total=10.5, profit=4) == ["first_purchase"]
    for day in (50, 100, 150):
        assert walk.does(day * DAY, "order_completed", total=10.5, profit=4) == []
    assert walk.does(200 * DAY, "Order Completed", total=10.5, profit=4.25) == ["vip"]
    assert (walk.last.facts["orders"], walk.last.facts["revenue"], walk.last.scores["profit"]) == (5, 52.5, 20.25)


def test_a_guest_buys_without_identification(walk: Walk) -> None:
    assert walk.does(0, "Order Completed", total=10) == ["anonymous", "first_purchase"]


def test_a_large_order_makes_a_vip_at_once(walk: Walk) -> None:
    assert walk.does(0, "purchase", total=1000) == ["anonymous", "first_purchase", "vip"]


def test_the_amount_may_be_called_value_and_is_never_counted_twice(walk: Walk) -> None:
    walk.does(0, "purchase", value=999.99)
    assert walk.stage == "first_purchase"
    walk.does(1 * DAY, "purchase", value=500, total=0.01)
    assert walk.stage == "first_purchase"
    assert walk.does(2 * DAY, "purchase", value=0.01) == ["vip"]
    assert (walk.last.facts["value"], walk.last.facts["revenue"]) == (1000, 0.01)


def test_vip_by_orders_ends_when_the_fifth_order_is_a_year_old(walk: Walk) -> None:
    """To the millisecond, a year after the first of the five.

    order order order order order      365 days after the first
    |0    |1d   |2d   |3d   |4d        |365d
    |first_purchase         |vip       |first_purchase
    """
    for day in range(5):
        walk.does(day * DAY, "order_completed", total=10)
    assert walk.stage == "vip"
    assert walk.turns(365 * DAY) == ["first_purchase"]
    assert walk.does(365 * DAY, "order_completed", total=10) == ["vip"]


def test_vip_by_revenue_ends_by_a_return(walk: Walk) -> None:
    bought(walk, 0, order_id="o-1", total=600)
    assert walk.does(1 * DAY, "Order Completed", order_id="o-2", total=600) == ["vip"]
    assert walk.does(2 * DAY, "order_refunded", order_id="o-1", total=600) == ["first_purchase"]


def test_whoever_returns_everything_is_a_lead_again(walk: Walk) -> None:
    bought(walk, 0, order_id="o-1", total=20, profit=5)
    assert walk.does(1 * DAY, "Order Refunded", order_id="o-1", total=20, profit=5) == ["lead"]
    assert (walk.last.facts["revenue"], walk.last.scores["profit"]) == (0, 0)
    bought(walk, 2 * DAY, order_id="o-2", total=20)


def test_a_vip_who_returns_the_only_order_is_a_lead(walk: Walk) -> None:
    walk.does(0, "Order Completed", order_id="o-1", total=5_000)
    assert walk.stage == "vip"
    assert walk.does(1 * DAY, "Order Refunded", order_id="o-1", total=5_000) == ["lead"]


def test_visits_of_today_are_those_of_the_last_24_hours(walk: Walk) -> None:
    for hour in (0, 1, 23):
        walk.does(hour * HOUR, "page_view")
    walk.does(24 * HOUR, "order_completed", total=1)
    assert walk.last.facts["visits_today"] == 2


def test_one_order_that_is_loaded_five_times_makes_no_vip(walk: Walk) -> None:
    """Nor does it earn five times, nor is it a large one."""
    for minute in range(5):
        walk.does(minute * MINUTE, "Order Completed", order_id="o-1", total=300, profit=60)
    assert walk.stage == "first_purchase"
    assert (walk.fact("orders"), walk.fact("orders_a_year"), walk.score("profit")) == (1, 1, 60)


def test_an_order_of_the_year_that_came_back_is_none_of_the_five(walk: Walk) -> None:
    for day in range(5):
        walk.does(day * DAY, "order_completed", order_id=f"o-{day}", total=10)
    assert walk.stage == "vip"
    assert walk.does(5 * DAY, "order_refunded", order_id="o-1", total=4) == []
    assert walk.does(6 * DAY, "order_refunded", order_id="o-1", total=6) == ["first_purchase"]


def test_a_loss_lowers_the_profit_and_a_refund_takes_back_what_it_names(walk: Walk) -> None:
    walk.does(0, "Order Completed", order_id="o-1", total=50, profit=12.5)
    walk.does(1 * DAY, "Order Completed", order_id="o-2", total=20, profit=-4)
    walk.does(2 * DAY, "Order Refunded", order_id="o-1", total=10, profit=2.5)
    walk.does(3 * DAY, "Order Refunded", order_id="o-1", total=1)
    assert walk.score("profit") == 6


def test_orders_by_value_and_transaction_come_back_as_others_do(walk: Walk) -> None:
    """W2 to W4 in the names of Google's plan."""
    for minute in (0, 1):
        walk.does(minute * MINUTE, "purchase", transaction_id="t-1", value=50, profit=10)
    assert (walk.fact("value_orders"), walk.fact("value"), walk.score("profit")) == (1, 50, 10)
    assert walk.does(1 * DAY, "refund", transaction_id="t-1", value=15) == []
    assert (walk.fact("value_orders"), walk.fact("value"), walk.stage) == (1, 35, "first_purchase")
    assert walk.does(2 * DAY, "refund", transaction_id="t-1", value=50) == ["lead"]
    assert (walk.fact("orders"), walk.fact("value_orders"), walk.fact("value")) == (0, 0, 0)


def test_five_orders_by_value_within_a_year_make_a_vip(walk: Walk) -> None:
    for day in range(5):
        walk.does(day * DAY, "purchase", transaction_id=f"t-{day}", value=10)
    assert walk.stage == "vip"
    assert walk.turns(365 * DAY) == ["first_purchase"]
