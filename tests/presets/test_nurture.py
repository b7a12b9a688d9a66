"""The preset `nurture`: a score that says when to educate, when to ask and when to leave in peace."""

from math import floor, log2

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import MINUTE, Walk, left_out, walks_of


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("nurture", identified=request.param == "identified")


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("nurture", walks_of(request.module), identified=identified) == []


def test_a_lead_is_reached_nurtured_convinced_and_supported(walk: Walk) -> None:
    """Points: 1 + 20, then 5 + 10 + 3 + 15 + 20 on the way to 60.

    page  form     click pricing view cart form    order
    |reach|nurture                         |convert|support
    """
    assert walk.does(0, "page", path="/") == ["reach"]
    assert walk.does(1 * MINUTE, "Form Submitted") == ["nurture"]
    assert walk.does(2 * MINUTE, "Email Link Clicked") == []
    assert walk.does(3 * MINUTE, "page_view", path="/pricing") == []
    assert walk.does(4 * MINUTE, "product_viewed", category="Shoes") == []
    assert walk.does(5 * MINUTE, "Product Added") == []
    assert walk.does(6 * MINUTE, "generate_lead") == ["convert"]
    assert "call_to_action" in walk.last.actions
    assert walk.last.facts["favourite"] == "Shoes"
    assert walk.does(1 * HOUR, "order_completed", total=20) == ["support"]
    assert {"upsell", "renewal_reminder"} < set(walk.last.actions)


def test_a_guest_buys_at_once_and_counts(walk: Walk) -> None:
    assert walk.does(0, "Order Completed", total=20) == ["reach", "support"]


def test_a_nurtured_lead_may_buy_without_ever_being_hot(walk: Walk) -> None:
    assert walk.does(0, "signed_up") == ["reach", "nurture"]
    assert walk.does(3 * DAY, "purchase") == ["support"]


def test_a_checkout_is_the_moment_whatever_the_score_and_passes_after_a_day(walk: Walk) -> None:
    """The cart is abandoned: nurture, whose actions remind of it, takes over at that millisecond.

    begin_checkout        24 hours        30 days in nurture
    |0                    |1d             |31d
    |convert              |nurture        |reach
    """
    assert walk.does(0, "begin_checkout") == ["reach", "convert"]
    assert walk.turns(1 * DAY) == ["nurture"]
    assert "abandoned_cart_reminder" in walk.last.actions
    assert walk.turns(31 * DAY) == ["reach"]


def test_a_second_checkout_keeps_the_moment_open(walk: Walk) -> None:
    walk.does(0, "Checkout Started")
    walk.does(20 * HOUR, "checkout_started")
    assert walk.turns(44 * HOUR) == ["nurture"]


def test_a_nurtured_lead_at_the_checkout_is_asked_for_the_order(walk: Walk) -> None:
    walk.does(0, "Lead Captured")
    assert walk.does(1 * HOUR, "Checkout Started") == ["convert"]


def test_a_hot_lead_cools_to_the_millisecond(walk: Walk) -> None:
    """40 points of forms and 15 + 5 of a cart and a click; 60 are below 30 right after one half-life.

    form form cart click          14 days later    a month in nurture, where 5 is not yet passed
    |nurture       |convert       |nurture         |reach
    """
    for name in ("form_submit", "Live Chat Conversation Started", "add_to_cart"):
        walk.does(0, name)
    assert walk.stage == "nurture"
    assert walk.does(0, "email_link_clicked") == ["convert"]
    assert walk.turns(14 * DAY + 1) == ["nurture"]
    assert walk.turns(floor(14 * DAY * log2(60 / 5)) + 1) == ["reach"]


def test_a_month_of_nurturing_without_effect_ends_it(walk: Walk) -> None:
    """20 points are below 5 after 28 days, but a month is what nurturing gets.

    form             below 5        30 days
    |0               |28d           |30d
    |nurture                        |reach
    """
    walk.does(0, "lead_captured")
    assert walk.turns(30 * DAY) == ["reach"]


def test_opened_mails_count_a_little_and_twice_a_day_at_most(walk: Walk) -> None:
    walk.does(0, "page")
    for minute in range(30):
        walk.does(minute * MINUTE, "Email Opened")
    assert walk.stage == "reach"
    assert walk.step_counts.signals["nurture", "opened"] == 2


def test_a_robot_that_reads_every_page_is_no_hot_lead(walk: Walk) -> None:
    for minute in range(1_000):
        walk.does(minute * MINUTE, "page_view", path=f"/{minute}")
    assert walk.stage == "reach"


def test_whoever_unsubscribes_is_cold_and_a_hot_score_does_not_last(walk: Walk) -> None:
    for name in ("form_submit", "sign_up", "Product Added", "product_added"):
        walk.does(0, name)
    assert walk.stage == "convert"
    assert walk.does(1 * HOUR, "Unsubscribed") == ["nurture"]
    assert walk.turns(30 * DAY + HOUR) == ["reach"]


def test_a_year_without_an_order_is_time_to_nurture_again(walk: Walk) -> None:
    """The renewal that did not come, to the millisecond.

    order                          365 days
    |0                             |365d
    |support                       |nurture
    """
    walk.does(0, "Order Completed", total=20)
    assert walk.turns(365 * DAY) == ["nurture"]
    assert walk.does(366 * DAY, "transaction") == ["support"]


def test_a_full_return_leads_back_to_nurturing_and_not_to_a_sales_call(walk: Walk) -> None:
    for name in ("form_submit", "sign_up", "Product Added", "product_added"):
        walk.does(0, name)
    assert walk.does(1 * HOUR, "Order Completed", order_id="o-1", total=20) == ["support"]
    assert walk.does(5 * DAY, "Order Refunded", order_id="o-1", total=20) == ["nurture"]


def test_part_of_an_order_that_comes_back_leaves_a_customer_to_be_supported(walk: Walk) -> None:
    assert walk.does(0, "Order Completed", order_id="o-1", total=20) == ["reach", "support"]
    assert walk.does(5 * DAY, "Order Refunded", order_id="o-1", total=5) == []
    assert walk.does(6 * DAY, "Order Refunded", order_id="o-1", total=15) == ["nurture"]
