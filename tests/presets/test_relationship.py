"""The preset `relationship`: trust earned in four steps, lost in one, and very hard to restart."""

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import Walk, left_out, walks_of


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("relationship", identified=request.param == "identified")


def converted(walk: Walk) -> None:
    """In `convert` at day 10, with two orders."""
    assert walk.does(0, "Order Completed", order_id="o-1", total=50) == ["attract", "acquire"]
    assert walk.does(10 * DAY, "order_completed", order_id="o-2", total=50) == ["convert"]


def made_advocate(walk: Walk) -> None:
    """In `advocate` at day 12."""
    converted(walk)
    assert walk.does(12 * DAY, "Product Shared") == ["advocate"]


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("relationship", walks_of(request.module), identified=identified) == []


def test_a_customer_is_attracted_acquired_converted_and_recommends(walk: Walk) -> None:
    """The whole way.

    page   coupon   order    review 5   wish list  share
    |attract|acquire                    |convert   |advocate
    """
    assert walk.does(0, "page_view") == ["attract"]
    assert walk.does(1 * HOUR, "Coupon Applied") == ["acquire"]
    assert walk.does(2 * HOUR, "Order Completed", total=50) == []
    assert walk.does(6 * DAY, "Product Reviewed", rating="5") == []
    assert walk.does(7 * DAY, "product_added_to_wishlist") == ["convert"]
    assert walk.does(8 * DAY, "invite_sent") == ["advocate"]
    assert walk.last.actions == ("referral_programme", "early_access", "thank_you")
    assert sum(each.points for each in walk.last.contributions["trust"]) == walk.last.scores["trust"]


def test_a_good_review_alone_is_no_commitment_to_buy_again(walk: Walk) -> None:
    walk.does(0, "purchase")
    assert walk.does(1 * DAY, "product_reviewed", rating=5) == []
    assert walk.does(2 * DAY, "Subscription Started") == ["convert"]


def test_a_bad_first_experience_keeps_the_second_order_from_converting(walk: Walk) -> None:
    walk.does(0, "Order Completed", total=50)
    walk.does(1 * DAY, "product_reviewed", rating="1")
    assert walk.does(2 * DAY, "Order Completed", total=50) == []
    assert walk.stage == "acquire"


def test_a_complaint_ends_what_had_hardly_begun(walk: Walk) -> None:
    walk.does(0, "page")
    assert walk.does(1 * DAY, "complaint_filed") == ["ended"]
    assert walk.last.channels == ("support",)


def test_unsubscribing_ends_it_before_the_first_order(walk: Walk) -> None:
    walk.does(0, "promotion_clicked")
    assert walk.does(1 * DAY, "Unsubscribed") == ["ended"]


def test_a_refund_ends_it_for_a_returning_buyer(walk: Walk) -> None:
    converted(walk)
    assert walk.does(11 * DAY, "order_refunded", order_id="o-2", total=50) == ["ended"]
    assert walk.last.facts["orders"] == 1


def test_mail_marked_as_spam_ends_it_even_with_an_advocate(walk: Walk) -> None:
    made_advocate(walk)
    assert walk.does(13 * DAY, "Email Marked as Spam") == ["ended"]


def test_a_bad_experience_sends_a_converted_customer_back_to_be_won_again(walk: Walk) -> None:
    converted(walk)
    assert walk.does(11 * DAY, "NPS Answered", score=0) == ["acquire"]
    assert walk.does(20 * DAY, "product_reviewed", rating="4") == []
    assert walk.does(40 * DAY, "Order Completed", total=10) == ["convert"]


def test_a_bad_experience_sends_even_an_advocate_back(walk: Walk) -> None:
    made_advocate(walk)
    assert walk.does(13 * DAY, "nps_answered", score=3) == ["acquire"]


def test_an_advocate_of_a_year_ago_is_a_customer_again(walk: Walk) -> None:
    """To the millisecond, a year after the last recommendation.

    share                                   365 days
    |12d                                    |377d
    |advocate                               |convert
    """
    made_advocate(walk)
    assert walk.turns(377 * DAY) == ["convert"]
    walk.does(378 * DAY, "Product Reviewed", rating="4")
    assert walk.does(379 * DAY, "Cart Shared") == ["advocate"]


def test_the_first_time_one_incentive_is_enough_and_after_a_breach_it_is_not(walk: Walk) -> None:
    assert walk.does(0, "Signed Up") == ["attract", "acquire"]
    walk.does(1 * DAY, "unsubscribed")
    assert walk.does(40 * DAY, "sign_up") == []
    assert walk.does(41 * DAY, "Order Completed", total=50) == []
    assert walk.stage == "ended"


def test_five_good_signs_in_a_month_two_of_them_orders_restart_it_after_the_peace(walk: Walk) -> None:
    """The signs were there early; the peace of 30 days is what was missing.

    breach  order order coupon coupon share        30 days after the breach
    |1d     |10d  |11d  |12d   |13d   |14d         |31d
    |ended                                         |acquire
    """
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    signs = ["Order Completed", "order_completed", "coupon_applied", "Coupon Applied"]
    for day, name in enumerate(signs, start=10):
        assert walk.does(day * DAY, name, total=10) == []
    assert walk.does(14 * DAY, "product_shared") == []
    assert walk.turns(31 * DAY) == ["acquire"]
    assert walk.last.scores["trust"] < -100


def test_signs_from_before_the_breach_never_count(walk: Walk) -> None:
    """At the first moment of peace, a good sign in the breach's own millisecond has just left the 30 days."""
    walk.does(0, "page")
    for name in ("Order Completed", "Order Completed", "Coupon Applied", "coupon_applied", "Invite Sent"):
        walk.does(1 * DAY, name, total=10)
    assert walk.does(1 * DAY, "unsubscribe") == ["ended"]
    assert walk.passes(400 * DAY) == []


def test_a_second_breach_begins_the_waiting_anew(walk: Walk) -> None:
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    walk.does(20 * DAY, "Complaint Filed")
    for day in (21, 22, 23, 24, 25):
        walk.does(day * DAY, "order_completed", total=10)
    assert walk.turns(50 * DAY) == ["acquire"]


def test_a_customer_who_came_back_is_not_converted_by_buying_twice_again(walk: Walk) -> None:
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    for day in (27, 28, 29, 30, 31):
        walk.does(day * DAY, "order_completed", total=10)
    assert walk.stage == "acquire"
    assert walk.does(32 * DAY, "order_completed", total=10) == []


def test_time_alone_restores_no_trust(walk: Walk) -> None:
    """What was broken fades, but what was earned fades with it; only new experiences convert."""
    walk.does(0, "Order Completed", total=50)
    walk.does(1 * DAY, "product_reviewed", rating=1)
    walk.does(2 * DAY, "Order Completed", total=50)
    assert walk.passes(3_000 * DAY) == []
    assert walk.does(3_000 * DAY, "product_reviewed", rating=5) == ["convert"]


def test_a_sign_of_thirty_days_ago_does_not_help_to_restart_it(walk: Walk) -> None:
    """The coupon of day 5 has left the 30 days at the very millisecond of the second order.

    breach coupon                      coupon coupon order order       order
    |1d    |5d                         |32d   |33d   |34d  |35d        |36d
    |ended                                                             |acquire
    """
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    for day in (5, 32, 33):
        walk.does(day * DAY, "coupon_applied")
    walk.does(34 * DAY, "Order Completed", total=10)
    assert walk.does(35 * DAY, "Order Completed", total=10) == []
    assert walk.does(36 * DAY, "Order Completed", total=10) == ["acquire"]


def test_an_order_of_thirty_days_ago_is_not_one_of_the_two(walk: Walk) -> None:
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    walk.does(5 * DAY, "Order Completed", total=10)
    for day in (31, 32, 33, 34):
        walk.does(day * DAY, "coupon_applied")
    assert walk.does(35 * DAY, "Order Completed", total=10) == []


def test_a_recommendation_of_a_year_ago_makes_no_advocate(walk: Walk) -> None:
    walk.does(0, "Order Completed", total=10)
    walk.does(0, "Product Shared")
    walk.does(364 * DAY, "product_reviewed", rating=5)
    assert walk.does(365 * DAY, "Order Completed", total=10) == ["convert"]


def test_a_recommendation_may_come_before_the_second_order(walk: Walk) -> None:
    walk.does(0, "Order Completed", total=10)
    walk.does(0, "Product Shared")
    walk.does(364 * DAY, "product_reviewed", rating=5)
    assert walk.does(365 * DAY - 1, "Order Completed", total=10) == ["convert", "advocate"]


def test_an_order_that_is_loaded_again_is_one_good_sign_and_one_vote_of_trust(walk: Walk) -> None:
    """Two orders, each loaded twice, and a coupon are three signs of the five that a new beginning takes."""
    walk.does(0, "page")
    walk.does(1 * DAY, "complaint_filed")
    for day in (32, 33):
        for hour in (0, 25):
            walk.does(day * DAY + hour * HOUR, "Order Completed", order_id=f"o-{day}", total=10)
    assert walk.does(34 * DAY + 2 * HOUR, "coupon_applied") == []
    assert (walk.score("amends"), walk.counted("bought")) == (3, 2)
    assert walk.does(35 * DAY, "Invite Sent") == []
    assert walk.does(36 * DAY, "Cart Shared") == ["acquire"]


def test_a_cancelled_order_is_no_order_to_convert_with(walk: Walk) -> None:
    walk.does(0, "Order Completed", order_id="o-1", total=50)
    walk.does(1 * HOUR, "Order Cancelled", order_id="o-1", total=50)
    assert walk.does(1 * DAY, "product_reviewed", rating="5") == []
    assert walk.does(2 * DAY, "Order Completed", order_id="o-2", total=50) == []
    assert walk.does(3 * DAY, "Order Completed", order_id="o-3", total=50) == ["convert"]
