"""The preset `journey`: walks through every stage, every way back and every way out."""

from math import floor, log2

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import MINUTE, Walk, left_out, walks_of


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("journey", identified=request.param == "identified")


def bought_once(walk: Walk) -> None:
    """In `purchase` at 0."""
    assert walk.does(0, "Order Completed", order_id="o-1", total=40.0) == ["awareness", "purchase"]


def bought_twice(walk: Walk) -> None:
    """In `retention` at day 10."""
    bought_once(walk)
    assert walk.does(10 * DAY, "order_completed", order_id="o-2", total=20.0) == ["retention"]


def made_loyal(walk: Walk) -> None:
    """In `loyalty` at day 12."""
    bought_twice(walk)
    assert walk.does(11 * DAY, "Invite Sent") == []
    assert walk.does(12 * DAY, "nps_answered", score=9) == ["loyalty"]


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("journey", walks_of(request.module), identified=identified) == []


def test_a_customer_goes_step_by_step_from_the_first_page_to_recommending(walk: Walk) -> None:
    """The whole journey.

    page search search view      cart  order        open open open      order       share   nps 10
    |awareness         |consideration |purchase              |use       |retention          |loyalty
    """
    assert walk.does(0, "page") == ["awareness"]
    assert walk.does(1 * MINUTE, "Products Searched", query="shoes") == []
    assert walk.does(2 * MINUTE, "product_list_filtered") == []
    assert walk.does(3 * MINUTE, "Product Viewed", product_id="p1") == ["consideration"]
    assert walk.does(4 * MINUTE, "add_to_cart") == []
    assert walk.does(5 * MINUTE, "Order Completed", total=59.9) == ["purchase"]
    assert walk.does(3 * DAY, "Application Opened") == []
    assert walk.does(5 * DAY, "feature_used") == []
    assert walk.does(9 * DAY, "Signed In") == ["use"]
    assert walk.does(20 * DAY, "order_completed", total=30) == ["retention"]
    assert walk.does(21 * DAY, "product_shared") == []
    assert walk.does(22 * DAY, "NPS Answered", score=10) == ["loyalty"]
    assert walk.last.facts["revenue"] == 89.9
    assert walk.last.channels == ("email", "community")


def test_interest_that_nothing_feeds_fades_to_the_millisecond(walk: Walk) -> None:
    """One choice is 10 points; they are below 1 after log2(10) half-lives of 14 days.

    0            46d 12h 11m 16.5s
    | 10 points  | just below 1
    consideration| awareness
    """
    assert walk.does(0, "Product Added") == ["awareness", "consideration"]
    assert walk.turns(floor(14 * DAY * log2(10)) + 1) == ["awareness"]
    assert walk.does(60 * DAY, "checkout_started") == ["consideration"]


def test_an_order_is_a_purchase_without_any_looking_around(walk: Walk) -> None:
    bought_once(walk)
    assert walk.stage == "purchase"


def test_twenty_tabs_on_one_day_are_not_yet_twenty_looks(walk: Walk) -> None:
    for minute in range(20):
        walk.does(minute * MINUTE, "product_viewed")
    assert walk.last.to_stage == "consideration"
    assert walk.step_counts.signals["journey", "looked"] == 5


def test_a_returned_purchase_leads_back_to_considering_while_there_is_interest(walk: Walk) -> None:
    """Refunded from purchase: the cart of an hour ago is still interest."""
    walk.does(0, "Product Added")
    assert walk.does(1 * HOUR, "Order Completed", order_id="o-1", total=40) == ["purchase"]
    assert walk.does(2 * HOUR, "Order Refunded", order_id="o-1", total=40) == ["consideration"]
    assert walk.last.facts["revenue"] == 0
    assert walk.does(3 * HOUR, "purchase") == ["purchase"]


def test_a_returned_purchase_leads_to_the_start_where_no_interest_is_left(walk: Walk) -> None:
    bought_once(walk)
    assert walk.does(9 * DAY, "order_refunded", order_id="o-1", total=40.0) == ["consideration", "awareness"]


def test_what_is_returned_while_in_use_is_no_longer_in_use(walk: Walk) -> None:
    bought_once(walk)
    for day in (1, 2, 3):
        walk.does(day * DAY, "login")
    assert walk.stage == "use"
    assert walk.does(4 * DAY, "order_refunded", order_id="o-1", total=40.0) == ["consideration", "awareness"]


def test_two_returns_undo_retention(walk: Walk) -> None:
    """One return leaves one order, and the stage; the second leaves none."""
    bought_twice(walk)
    assert walk.does(11 * DAY, "Order Refunded", order_id="o-1", total=40.0) == []
    assert walk.does(12 * DAY, "Order Refunded", order_id="o-2", total=20.0) == ["consideration", "awareness"]


def test_even_a_loyal_customer_who_returns_everything_starts_again(walk: Walk) -> None:
    made_loyal(walk)
    walk.does(13 * DAY, "Order Refunded", order_id="o-1", total=40.0)
    assert walk.does(14 * DAY, "Order Refunded", order_id="o-2", total=20.0) == ["consideration", "awareness"]


def test_thirty_days_unused_is_stuck_after_the_sale(walk: Walk) -> None:
    """From the last use on, to the millisecond.

    order use use use              30 days after the last use
    |0    |1d |2d |3d              |33d
    |purchase     |use             |purchase
    """
    bought_once(walk)
    for day in (1, 2, 3):
        walk.does(day * DAY, "application_opened")
    assert walk.turns(33 * DAY) == ["purchase"]
    for day in (40, 41, 42):
        walk.does(day * DAY, "Feature Used")
    assert walk.stage == "use"


def test_a_second_order_is_retention_though_no_use_was_seen(walk: Walk) -> None:
    bought_twice(walk)
    assert walk.stage == "retention"


def test_half_a_year_without_an_order_ends_retention(walk: Walk) -> None:
    """For a customer who uses the product it is `use`, for one who does not it is `purchase` again.

    order order                        180 days after the last order
    |0    |10d                         |190d
    |purch|retention                   |use, purchase
    """
    bought_twice(walk)
    assert walk.turns(190 * DAY) == ["use", "purchase"]
    assert walk.does(200 * DAY, "Order Completed", total=10) == ["retention"]


def test_whoever_still_uses_it_stays_in_use_and_buys_again(walk: Walk) -> None:
    bought_twice(walk)
    for day in (187, 188, 189):
        walk.does(day * DAY, "Signed In")
    assert walk.turns(190 * DAY) == ["use"]
    assert walk.does(200 * DAY, "Order Completed", total=10) == ["retention"]


def test_a_loyal_customer_who_buys_no_more_is_loyal_for_half_a_year(walk: Walk) -> None:
    made_loyal(walk)
    for day in (187, 188, 189):
        walk.does(day * DAY, "signed_in")
    assert walk.turns(190 * DAY) == ["use"]


def test_a_loyal_customer_whom_support_let_down_is_at_risk(walk: Walk) -> None:
    made_loyal(walk)
    assert walk.does(13 * DAY, "Live Chat Conversation Started") == []
    assert walk.does(14 * DAY, "csat_answered", score=1) == ["retention"]
    assert walk.last.facts["help_requests"] == 1
    assert walk.does(15 * DAY, "CSAT Answered", score=5) == []
    assert walk.does(16 * DAY, "product_reviewed", rating="5") == ["loyalty"]


def test_a_bad_experience_holds_the_repurchase_back_until_it_is_forgotten(walk: Walk) -> None:
    """-40 is -10 after two half-lives of 90 days, exactly.

    order csat 1       order                   -40 * 2^-2 = -10
    |0    |1d          |100d                   |181d
    |purchase                                  |retention
    """
    bought_once(walk)
    walk.does(1 * DAY, "CSAT Answered", score=1)
    assert walk.does(100 * DAY, "Order Completed", total=10) == []
    assert walk.turns(181 * DAY) == ["retention"]


def test_mail_that_we_send_is_no_sign_of_life(walk: Walk) -> None:
    walk.does(0, "page")
    walk.does(5 * DAY, "Email Delivered")
    assert walk.customer is not None
    life = walk.customer.lives["journey"]
    assert life.clock - life.active == 5 * DAY


def test_five_orders_of_a_content_customer_are_loyalty_without_a_word(walk: Walk) -> None:
    bought_twice(walk)
    walk.does(11 * DAY, "Product Reviewed", rating="4")
    for day in (12, 13):
        assert walk.does(day * DAY, "Order Completed", total=10) == []
    assert walk.does(14 * DAY, "order_completed", total=10) == ["loyalty"]


def test_contentment_of_ninety_days_ago_is_just_enough_for_loyalty(walk: Walk) -> None:
    """20 points are 10 after one half-life, exactly."""
    bought_twice(walk)
    walk.does(11 * DAY, "csat_answered", score=5)
    assert walk.does(101 * DAY, "cart_shared") == ["loyalty"]


def test_contentment_of_a_millisecond_more_is_not(walk: Walk) -> None:
    bought_twice(walk)
    walk.does(11 * DAY, "csat_answered", score=5)
    assert walk.does(101 * DAY + 1, "cart_shared") == []


def test_a_reloaded_order_is_no_repurchase(walk: Walk) -> None:
    """Field report W4: the same order 41 seconds later was the way to retention."""
    bought_once(walk)
    assert walk.does(41_000, "Order Completed", order_id="o-1", total=40.0) == []
    assert walk.does(1 * DAY, "Order Completed", order_id="o-2", total=40.0) == ["retention"]


def test_a_loyal_customer_who_returns_a_part_stays_loyal(walk: Walk) -> None:
    made_loyal(walk)
    for day in (13, 14, 15):
        assert walk.does(day * DAY, "Order Refunded", order_id="o-1", total=5) == []
    assert walk.fact("revenue") == 45
