"""What holds for every preset: names, stages, event names, and visitors who are never known."""

import re
from importlib.resources import files

import pytest

from stream.codec.lifecycle_yaml.lifecycle_files import parse, presets
from tests.kit.times import DAY
from tests.presets.walk import BEGIN, Walk, load

SEGMENT = """
Products Searched, Product List Viewed, Product List Filtered, Promotion Viewed, Promotion Clicked,
Product Clicked, Product Viewed, Product Added, Product Removed, Cart Viewed, Checkout Started,
Checkout Step Viewed, Checkout Step Completed, Payment Info Entered, Order Updated, Order Completed,
Order Refunded, Order Cancelled, Coupon Entered, Coupon Applied, Coupon Denied, Coupon Removed,
Product Added to Wishlist, Product Removed from Wishlist, Wishlist Product Added to Cart,
Product Shared, Cart Shared, Product Reviewed,
Email Bounced, Email Delivered, Email Link Clicked, Email Marked as Spam, Email Opened, Unsubscribed,
Account Created, Account Deleted, Signed Up, Signed In, Signed Out, Invite Sent, Account Added User,
Account Removed User, Trial Started, Trial Ended,
Application Installed, Application Opened, Application Backgrounded, Application Foregrounded,
Application Updated, Application Uninstalled, Application Crashed,
Install Attributed, Push Notification Received, Push Notification Tapped, Push Notification Bounced,
Deep Link Opened, Deep Link Clicked,
Live Chat Conversation Started, Live Chat Conversation Ended, Live Chat Message Sent,
Live Chat Message Received
"""
"""Segment's specs of ecommerce, email, B2B SaaS, mobile and live chat events."""
OURS = """
Contact Updated, Deal Created, Deal Lost, Deal Won, Demo Requested, Lead Accepted, Lead Qualified, Lead Recycled,
Lead Updated, Meeting Booked, Opportunity Created, Opportunity Lost, Opportunity Won, Webinar Attended,
Complaint Filed, CSAT Answered, Feature Used, Form Submitted, Lead Captured, NPS Answered, Products Compared,
Reward Redeemed, Subscription Renewed, Subscription Started, Ticket Opened
"""
"""What no spec has a name for."""
GATHERED = frozenset({"choice", "usage", "help", "incentive", "commitment", "complaint", "subscription", "trial"})
"""Words under which one preset gathers what others keep apart."""
KNOWN = frozenset(re.split(r",\s+", SEGMENT.strip()))
OWN = frozenset(re.split(r",\s+", OURS.strip()))


def text_of(preset: str) -> str:
    """The file as it ships."""
    return files("stream.presets").joinpath(f"{preset}.yaml").read_text(encoding="utf-8")


def event_names(preset: str) -> list[str]:
    words = load(preset).lifecycle.words
    return [name for name, word in words.items() if name != word]


def in_title_case(preset: str) -> list[str]:
    return [name for name in event_names(preset) if name[0].isupper()]


def test_the_lifecycles_come_with_the_product() -> None:
    assert presets() == ["b2b", "journey", "metrics", "nurture", "platform", "relationship"]


@pytest.mark.parametrize("preset", presets())
def test_a_preset_loads_under_its_own_name_without_a_warning(preset: str) -> None:
    file = load(preset)
    assert file.lifecycle.id == preset
    assert file.warnings == ()


@pytest.mark.parametrize("preset", presets())
def test_every_stage_says_what_tools_should_do(preset: str) -> None:
    for stage in load(preset).lifecycle.stages.values():
        assert stage.title != stage.name
        assert stage.channels
        assert stage.actions


@pytest.mark.parametrize("preset", presets())
def test_event_names_of_segment_are_spelled_as_in_its_spec(preset: str) -> None:
    assert [name for name in in_title_case(preset) if name not in KNOWN | OWN] == []


@pytest.mark.parametrize("preset", presets())
def test_every_event_name_is_known_in_both_styles(preset: str) -> None:
    words = load(preset).lifecycle.words
    for name in in_title_case(preset):
        assert words.get(name.lower().replace(" ", "_")) == words[name], name


def test_one_event_has_one_word_in_all_presets() -> None:
    """So that whoever knows one file reads the others, and signals can be copied between them."""
    words: dict[str, set[str]] = {}
    for preset in presets():
        for name in event_names(preset):
            words.setdefault(name, set()).add(load(preset).lifecycle.words[name])
    assert {name: found for name, found in words.items() if len(found - GATHERED) > 1} == {}


@pytest.mark.parametrize("preset", presets())
def test_an_anonymous_visitor_is_forgotten_after_90_days_of_silence(preset: str) -> None:
    walk = Walk(preset, identified=False, forget_after=90 * DAY)
    walk.does(0, "page")
    walk.does(10 * DAY, "Email Delivered")
    assert walk.turns(90 * DAY) == [None]
    assert walk.customer is None
    assert walk.last.at == BEGIN + 90 * DAY


@pytest.mark.parametrize(
    ("preset", "event", "answer", "signal"),
    [
        ("journey", "CSAT Answered", {"score": 4}, "helped"),
        ("journey", "CSAT Answered", {"score": 2}, "let_down"),
        ("journey", "NPS Answered", {"score": 10}, "promoter"),
        ("journey", "NPS Answered", {"score": 6}, "detractor"),
        ("journey", "Product Reviewed", {"rating": 4}, "liked"),
        ("journey", "Product Reviewed", {"rating": 2}, "disliked"),
        ("metrics", "NPS Answered", {"score": 10}, "promoter"),
        ("metrics", "NPS Answered", {"score": 0}, "detractor"),
        ("relationship", "NPS Answered", {"score": 9}, "promoter"),
        ("relationship", "NPS Answered", {"score": 3}, "detractor"),
        ("relationship", "Product Reviewed", {"rating": 5}, "happy"),
        ("relationship", "Product Reviewed", {"rating": 1}, "unhappy"),
    ],
)
def test_an_answer_in_quotes_is_the_number_in_it(preset: str, event: str, answer: dict[str, int], signal: str) -> None:
    """Field report W11: surveys send `"10"` as often as 10; what is no number is no answer."""
    walk = Walk(preset)
    walk.does(0, event, **answer)
    walk.does(DAY, event, **{name: str(number) for name, number in answer.items()})
    assert walk.counted(signal) == 2
    walk.does(2 * DAY, event, **dict.fromkeys(answer, "very"))
    assert walk.counted(signal) == 2


def per_day(preset: str) -> list[str]:
    """The signals with a limit a day, of the calendar or of 24 hours."""
    limits = {each.name: each.limit_text for each in load(preset).lifecycle.signals}
    return [name for name, text in limits.items() if text.endswith(("per day", "per 1d"))]


@pytest.mark.parametrize("preset", presets())
def test_days_are_those_of_the_zone_that_the_file_may_name(preset: str) -> None:
    """It stands there as a comment, and works as it stands there; every limit a day is one of the calendar."""
    text = text_of(preset)
    assert text.count("\n# time_zone: Europe/") == 1
    in_europe = parse(text.replace("\n# time_zone:", "\ntime_zone:"), f"{preset}.yaml")
    assert in_europe.warnings == ()
    assert in_europe.lifecycle.digest != load(preset).lifecycle.digest
    limits = [each.limit_text for each in in_europe.lifecycle.signals]
    assert any(each.endswith("per day") for each in limits)
    assert not any(each.endswith("per 1d") for each in limits)


@pytest.mark.parametrize("preset", [each for each in presets() if "  sales: {" in text_of(each)])
def test_a_shops_preset_says_that_it_adds_amounts_of_all_currencies(preset: str) -> None:
    """And the condition that it offers instead can be written there."""
    text = text_of(preset)
    assert "whatever the currency" in text
    offered = ' and properties.currency == "EUR"' if preset == "platform" else 'where: properties.currency == "EUR"'
    assert offered in text
    ends = ["exists(properties.value))}", "not exists(properties.total)}"] if preset == "platform" else ["keep: 8}"]
    for end in ends:
        assert text.count(end) == 1
        text = text.replace(end, f"{end[:-1]}{'' if preset == 'platform' else ', '}{offered}}}")
    restricted = parse(text, f"{preset}.yaml")
    assert restricted.warnings == ()
    walk = Walk(restricted.lifecycle)
    walk.does(0, "Order Completed", order_id="o-1", total=50, currency="EUR")
    walk.does(0, "Order Completed", order_id="o-2", total=50, currency="USD")
    assert walk.fact("revenue") == 50


def test_an_anonymous_buyer_is_dormant_before_being_forgotten() -> None:
    """Dormant at 60 days leaves a month to win a guest back."""
    walk = Walk("metrics", identified=False, forget_after=90 * DAY)
    walk.does(0, "Order Completed", total=10)
    assert walk.turns(60 * DAY) == ["dormant"]
    assert walk.turns(90 * DAY) == [None]
