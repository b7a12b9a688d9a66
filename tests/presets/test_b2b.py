"""The preset `b2b`: fit and engagement, a grade of both, and what sales says."""

import pytest

from tests.kit.times import DAY, HOUR
from tests.presets.walk import MINUTE, Walk, left_out, walks_of

DIRECTOR = {"title": "Director", "employees": "201-500", "country": "DE"}
"""20 + 25 + 15: an A."""
MANAGER = {"title": "manager", "employees": "51-200", "country": "FR"}
"""10 + 20 + 10: a B."""


@pytest.fixture(params=["identified", "anonymous"])
def walk(request: pytest.FixtureRequest) -> Walk:
    return Walk("b2b", identified=request.param == "identified")


def grade(walk: Walk) -> object:
    """The grade as it is now."""
    assert walk.customer is not None
    life = walk.customer.lives["b2b"]
    return walk.lifecycle.bands[0].value(life, life.clock)


def score(walk: Walk, name: str) -> float:
    """A score at the latest change's or interaction's time."""
    assert walk.customer is not None
    life = walk.customer.lives["b2b"]
    (found,) = (each for each in walk.lifecycle.scores if each.name == name)
    return found.clamp(sum(life.millionths[slot] for slot in found.slots) / 1e6) if found.half_life is None else -1


def test_every_stage_and_every_way_is_walked(request: pytest.FixtureRequest) -> None:
    for identified in (True, False):
        assert left_out("b2b", walks_of(request.module), identified=identified) == []


def test_a_good_lead_is_called_sold_and_won(walk: Walk) -> None:
    """An A by its profile, 1 by a trial and two forms; it has to stay so for an hour."""
    walk.does(0, "identify", **DIRECTOR)
    assert grade(walk) == "A4"
    walk.does(MINUTE, "Form Submitted", form_id="whitepaper")
    assert grade(walk) == "A3"
    walk.does(2 * MINUTE, "Trial Started")
    assert grade(walk) == "A2"
    assert walk.turns(2 * MINUTE + HOUR) == ["mql"]
    assert "notify_sales" in walk.last.actions
    assert walk.last.facts["grade"] == "A2"
    assert walk.does(DAY, "Lead Accepted") == ["sql"]
    assert walk.does(2 * DAY, "Deal Created") == ["opportunity"]
    assert walk.does(9 * DAY, "Deal Won", deal_id="d-1", amount=12_000) == ["customer"]
    assert walk.does(9 * DAY + HOUR, "deal_won", deal_id="d-1", amount=12_000) == []
    assert (walk.fact("deals_won"), walk.fact("revenue")) == (1, 12_000)


def test_a_promotion_changes_the_points_of_the_title_and_adds_none(walk: Walk) -> None:
    walk.does(0, "identify", **MANAGER)
    assert score(walk, "fit") == 40
    walk.does(DAY, "identify", title="CTO")
    assert score(walk, "fit") == 60
    walk.does(2 * DAY, "identify", title="Student", country=None)
    assert score(walk, "fit") == -10
    assert grade(walk) == "D4"


def test_the_same_form_counts_once_and_pages_of_one_visit_too(walk: Walk) -> None:
    for minute in range(3):
        walk.does(minute * MINUTE, "Form Submitted", form_id="whitepaper")
        walk.does(minute * MINUTE, "page", path="/")
    assert (walk.counted("asked"), walk.counted("visited")) == (1, 1)
    walk.does(40 * MINUTE, "page", path="/")
    walk.does(40 * MINUTE, "Form Submitted", form_id="webinar")
    assert (walk.counted("asked"), walk.counted("visited")) == (2, 2)


def test_clicks_of_a_mail_scanner_do_not_count(walk: Walk) -> None:
    """Neither those within half a minute of the delivery, nor later ones by one that says its name."""
    walk.does(0, "page")
    walk.does(HOUR, "Email Delivered")
    for second in (1, 2, 29):
        walk.does(HOUR + second * 1_000, "Email Link Clicked")
    assert walk.counted("clicked") == 0
    walk.context = {"userAgent": "Mozilla/5.0 (compatible; BarracudaCentral)"}
    walk.does(HOUR + 10 * MINUTE, "Email Link Clicked")
    assert walk.counted("clicked") == 0
    walk.context = {"userAgent": "Mozilla/5.0 (Macintosh)"}
    walk.does(HOUR + 11 * MINUTE, "Email Link Clicked")
    assert walk.counted("clicked") == 1


def test_whoever_never_got_a_mail_may_click_too(walk: Walk) -> None:
    walk.does(0, "Email Link Clicked")
    assert walk.counted("clicked") == 1


def test_a_demo_is_called_at_once_unless_the_fit_is_bad(walk: Walk) -> None:
    walk.does(0, "Demo Requested")
    assert walk.stage == "lead"  # nothing is known of them: D
    walk.does(DAY, "identify", **MANAGER)
    assert walk.does(2 * DAY, "Meeting Booked") == ["mql"]


def test_it_cools_down_before_sales_took_it(walk: Walk) -> None:
    """50 points of a demo are below 10 after a time; a week later it is a lead again."""
    walk.does(0, "identify", **MANAGER)
    assert walk.does(0, "Demo Requested") == ["mql"]
    assert walk.turns(21 * DAY + 1 + 7 * DAY) == ["lead"]  # below 25 a millisecond after 21 days


def test_sales_gives_it_back_and_hears_of_it_once_a_quarter(walk: Walk) -> None:
    walk.does(0, "identify", **DIRECTOR)
    assert walk.does(0, "Demo Requested") == ["mql"]
    assert walk.does(1 * DAY, "Lead Recycled") == ["recycled"]
    assert grade(walk) == "A4"
    walk.does(2 * DAY, "Demo Requested")
    assert walk.turns(2 * DAY + HOUR) == ["mql"]
    assert walk.does(3 * DAY, "Deal Lost") == ["recycled"]
    walk.does(4 * DAY, "Demo Requested")
    assert walk.passes(80 * DAY) == []
    walk.does(92 * DAY, "Demo Requested")
    assert walk.turns(92 * DAY + HOUR) == ["mql"]


@pytest.mark.parametrize("first", ["Demo Requested", "Lead Accepted", "Deal Created", "Deal Lost"])
def test_what_sales_says_counts_from_every_stage(walk: Walk, first: str) -> None:
    walk.does(0, "identify", **DIRECTOR)
    walk.does(0, first)
    assert walk.does(DAY, "Deal Won", deal_id="d-1", amount=1) == ["customer"]


def test_a_lead_that_sales_knows_already(walk: Walk) -> None:
    walk.does(0, "page")
    assert walk.does(1, "Lead Qualified") == ["sql"]
    assert walk.does(2, "disqualify_lead") == ["recycled"]
    assert walk.does(3, "lead_accepted") == ["sql"]
    assert walk.does(4, "Opportunity Won", deal_id=7, amount=5) == ["customer"]


def test_an_opportunity_from_every_stage_before(walk: Walk) -> None:
    walk.does(0, "page")
    assert walk.does(1, "Opportunity Created") == ["opportunity"]
    assert walk.does(2, "Opportunity Lost") == ["recycled"]
    assert walk.does(3, "Deal Created") == ["opportunity"]
    assert walk.does(4, "deal_won") == ["customer"]


def test_ways_of_a_marketing_lead(walk: Walk) -> None:
    walk.does(0, "identify", **MANAGER)
    walk.does(0, "Demo Requested")
    assert walk.does(1, "Deal Created") == ["opportunity"]


def test_a_marketing_lead_that_buys(walk: Walk) -> None:
    walk.does(0, "identify", **MANAGER)
    walk.does(0, "Demo Requested")
    assert walk.does(1, "Deal Won", deal_id="d", amount=1) == ["customer"]


def test_a_lead_that_buys_at_once_and_one_that_was_recycled(walk: Walk) -> None:
    walk.does(0, "page")
    assert walk.does(1, "Deal Won") == ["customer"]


def test_a_recycled_lead_that_buys(walk: Walk) -> None:
    walk.does(0, "page")
    walk.does(1, "Lead Accepted")
    walk.does(2, "Lead Recycled")
    assert walk.does(3, "Deal Won") == ["customer"]
