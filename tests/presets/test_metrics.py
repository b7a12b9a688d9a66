"""The preset `metrics`: advancing, skipping, going back, falling silent and being won back."""

from math import floor, log2

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import Walk, left_out, walks_of


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("metrics", identified=request.param == "identified")


def retained(walk: Walk) -> None:
    """In `retention` at day 10."""
    assert walk.does(0, "Order Completed", total=50) == ["awareness", "conversion"]
    assert walk.does(10 * DAY, "order_completed", total=50) == ["retention"]


def made_loyal(walk: Walk) -> None:
    """In `loyalty` at day 11."""
    retained(walk)
    assert walk.does(11 * DAY, "Invite Sent") == ["loyalty"]


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("metrics", walks_of(request.module), identified=identified) == []


def test_about_eight_touches_come_before_conversion(walk: Walk) -> None:
    """One touch every three days; seven of the eight are left on day 21.

    touch  1     2             3 4 5 6 7    8       order    order
           |0    |3d                        |21d    |22d     |40d
           |aware|engagement                |conversion      |retention
    """
    assert walk.does(0, "promotion_clicked") == ["awareness"]
    assert walk.does(3 * DAY, "page") == []  # 1.97 points: the first touch has begun to fade
    assert walk.does(6 * DAY, "Product Viewed") == ["engagement"]
    for day, name in ((9, "Signed Up"), (12, "email_opened"), (15, "Email Link Clicked"), (18, "page_view")):
        assert walk.does(day * DAY, name) == []
    assert walk.does(21 * DAY, "product_viewed") == ["conversion"]
    assert walk.last.facts["touches"] == 8
    assert walk.does(22 * DAY, "Order Completed", total=50) == []
    assert walk.does(40 * DAY, "order_completed", total=30) == ["retention"]
    assert walk.last.facts["revenue"] == 80


def test_fifty_pages_in_one_hour_are_one_touch(walk: Walk) -> None:
    for second in range(50):
        walk.does(second * 1000, "page_view")
    assert walk.stage == "awareness"
    assert walk.step_counts.signals["metrics", "saw"] == 1


def test_an_order_skips_everything(walk: Walk) -> None:
    assert walk.does(0, "purchase", total=50) == ["awareness", "conversion"]


def test_a_cart_is_conversion_until_it_was_left_for_a_week(walk: Walk) -> None:
    """Skip, and go back: to the millisecond.

    visit chat      cart         7 days         one touch is left of two: awareness
    |0              |1d          |8d            |60d
    |engagement     |conversion  |engagement    |awareness
    """
    walk.does(0, "page")
    assert walk.does(0, "Live Chat Conversation Started") == ["engagement"]
    assert walk.does(1 * DAY, "add_to_cart") == ["conversion"]
    assert "abandoned_cart_reminder" in walk.last.actions
    assert walk.turns(8 * DAY) == ["engagement"]
    assert walk.turns(60 * DAY + 1) == ["awareness"]
    assert walk.does(61 * DAY, "Checkout Started") == ["conversion"]


def test_attention_that_nobody_feeds_leads_back_to_considering(walk: Walk) -> None:
    """Eight touches within a minute of different hours: 8 points are below 4 right after 60 days."""
    walk.does(0, "page")
    for hour in range(1, 8):
        walk.does(hour * HOUR, "page")
    assert walk.stage == "conversion"
    left = sum(2 ** (-hour / 24 / 60) for hour in range(8))
    assert walk.turns(7 * HOUR + floor(60 * DAY * log2(left / 4)) + 1) == ["engagement"]


def test_loyal_is_who_buys_often_and_brings_others_and_a_bad_answer_ends_it(walk: Walk) -> None:
    made_loyal(walk)
    assert walk.does(12 * DAY, "NPS Answered", score=2) == ["retention"]
    assert walk.does(13 * DAY, "nps_answered", score=10) == []
    assert walk.does(14 * DAY, "reward_redeemed") == []
    assert walk.does(15 * DAY, "Product Shared") == ["loyalty"]


def test_loyalty_fades_while_the_customer_still_visits(walk: Walk) -> None:
    """3 points of day 0, 3 of day 10 and 8 of day 11 are below 5 some 1.4 half-lives later."""
    made_loyal(walk)
    for day in range(20, 270, 50):
        assert walk.does(day * DAY, "page") == []
    left = 3 * 2 ** (-11 / 180) + 3 * 2 ** (-1 / 180) + 8
    assert walk.turns(11 * DAY + floor(180 * DAY * log2(left / 5)) + 1) == ["retention"]


def test_a_buyer_who_falls_silent_is_dormant_after_sixty_days(walk: Walk) -> None:
    """Mail that we send changes nothing about it; mail that is opened does.

    order      mail delivered      60 days      mail opened   order
    |0         |50d                |60d         |70d          |75d
    |conversion                    |dormant     |win_back     |retention
    """
    walk.does(0, "Order Completed", total=50)
    assert walk.does(50 * DAY, "Email Delivered") == []
    assert walk.turns(60 * DAY) == ["dormant"]
    assert walk.does(65 * DAY, "email_delivered") == []
    assert walk.does(70 * DAY, "Email Opened") == ["win_back"]
    assert walk.does(75 * DAY, "order_completed", total=10) == ["retention"]


def test_an_order_wins_a_dormant_customer_back_at_once(walk: Walk) -> None:
    retained(walk)
    assert walk.turns(70 * DAY) == ["dormant"]
    assert walk.does(80 * DAY, "order_completed", total=10) == ["win_back", "retention"]
    assert [change.final for change in walk.changes[-2:]] == [False, True]


def test_a_win_back_that_fails_is_dormant_again(walk: Walk) -> None:
    retained(walk)
    walk.passes(70 * DAY)
    assert walk.does(80 * DAY, "page") == ["win_back"]
    assert walk.turns(140 * DAY) == ["dormant"]


def test_a_loyal_customer_may_fall_silent_too(walk: Walk) -> None:
    made_loyal(walk)
    assert walk.turns(71 * DAY) == ["dormant"]


def test_a_visitor_whose_old_order_is_imported_later_can_be_dormant(walk: Walk) -> None:
    """An order of day 10 that arrives on day 100 is too old to convert, and is still an order."""
    walk.does(100 * DAY, "page")
    assert walk.does(10 * DAY, "Order Completed", total=5) == []
    assert walk.stage == "awareness"
    assert walk.turns(160 * DAY) == ["dormant"]


def test_an_engaged_visitor_whose_old_order_is_imported_later_can_be_dormant(walk: Walk) -> None:
    walk.does(100 * DAY, "page")
    walk.does(100 * DAY, "signed_up")
    assert walk.does(10 * DAY, "Order Completed", total=5) == []
    assert walk.stage == "engagement"
    assert walk.turns(160 * DAY) == ["dormant"]


def test_what_a_customer_cost_and_brought_is_told_with_every_change(walk: Walk) -> None:
    walk.does(0, "Promotion Clicked", cost=0.35)
    walk.does(1 * HOUR, "promotion_clicked", cost=0.4)
    assert walk.does(2 * HOUR, "Order Completed", total=50) == ["conversion"]
    assert (walk.last.facts["ad_cost"], walk.last.facts["revenue"]) == (0.75, 50)


def test_an_imported_order_of_thirty_days_ago_converts_nobody(walk: Walk) -> None:
    walk.does(100 * DAY, "page")
    assert walk.does(70 * DAY, "Order Completed", total=5) == []


def test_an_imported_order_of_a_millisecond_less_does(walk: Walk) -> None:
    walk.does(100 * DAY, "page")
    assert walk.does(70 * DAY + 1, "Order Completed", total=5) == ["conversion"]
    assert walk.last.trigger.late


def test_a_reloaded_order_wins_nobody_back(walk: Walk) -> None:
    """The page of an order of two months ago is opened again: a sign of life, and no order."""
    walk.does(0, "Order Completed", order_id="o-1", total=50)
    assert walk.turns(60 * DAY) == ["dormant"]
    assert walk.does(61 * DAY, "Order Completed", order_id="o-1", total=50) == ["win_back"]
    assert walk.counted("bought") == 1
    assert walk.does(62 * DAY, "Order Completed", order_id="o-2", total=50) == ["retention"]


def test_what_was_paid_back_wins_nobody_back_either(walk: Walk) -> None:
    """The one order of these 30 days, in a row of buying that was interrupted."""
    retained(walk)
    assert walk.turns(70 * DAY) == ["dormant"]
    walk.does(80 * DAY, "order_refunded", order_id="o-3")
    assert walk.stage == "win_back"
    assert walk.does(81 * DAY, "order_completed", order_id="o-3", total=10) == []
    assert walk.does(82 * DAY, "order_completed", order_id="o-4", total=10) == ["retention"]


def test_a_promoter_may_answer_in_quotes(walk: Walk) -> None:
    """W11: `"10"` is ten."""
    retained(walk)
    assert walk.does(11 * DAY, "NPS Answered", score="10") == ["loyalty"]
    assert walk.does(12 * DAY, "NPS Answered", score="6") == ["retention"]
