"""The preset `platform`: who is what right now, and what each customer brings."""

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import Walk, left_out, walks_of


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
    facts = walk.last.facts
    assert (facts["orders"], facts["revenue"], facts["profit"]) == (5, 52.5, 20.25)


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
    bought(walk, 0, total=600)
    assert walk.does(1 * DAY, "Order Completed", total=600) == ["vip"]
    assert walk.does(2 * DAY, "order_refunded", total=600) == ["first_purchase"]


def test_whoever_returns_everything_is_a_lead_again(walk: Walk) -> None:
    bought(walk, 0, total=20, profit=5)
    assert walk.does(1 * DAY, "Order Refunded", total=20, profit=5) == ["lead"]
    assert (walk.last.facts["revenue"], walk.last.facts["profit"]) == (0, 0)
    bought(walk, 2 * DAY, total=20)


def test_a_vip_who_returns_the_only_order_is_a_lead(walk: Walk) -> None:
    walk.does(0, "Order Completed", total=5_000)
    assert walk.stage == "vip"
    assert walk.does(1 * DAY, "Order Refunded", total=5_000) == ["lead"]


def test_visits_of_today_are_those_of_the_last_24_hours(walk: Walk) -> None:
    for hour in (0, 1, 23):
        walk.does(hour * HOUR, "page_view")
    walk.does(24 * HOUR, "order_completed", total=1)
    assert walk.last.facts["visits_today"] == 2
