"""`event.type == "visit" and idle >= 60d`: what is warned of, and that it is as the warning says."""

import pytest

from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0

SHOP = """
    interactions: {{visit: [page], order: [Order Completed], mailing: [Email Delivered]}}
    {}
    facts:
      last_visit: {{last: visit}}
      last_big: {{last: order, where: properties.total > 100}}
      first_visit: {{first: visit}}
      last_touch: {{last: [visit, order]}}
    stages: {{a: {{}}, b: {{}}}}
    transitions:
      - {{from: a, to: b, when: '{}'}}
"""
PASSIVE = "passive: [mailing]"


def ended(condition: str, passive: str = PASSIVE) -> list[str]:
    """What is said of interactions that end what they ask for."""
    said = [each.message for each in lifecycle(SHOP.format(passive, condition)).warnings]
    return [each.split("`")[1] for each in said if "the interaction itself ends" in each]


NEVER = [
    ('event.type == "visit" and idle >= 60d', "idle"),
    ('event.type == "visit" and 60d <= idle', "idle"),
    ('event.name == "page" and idle > 60d', "idle"),
    ('event.type in ["visit", "order"] and idle >= 60d', "idle"),
    ('idle >= 60d and (event.type == "visit" or event.type == "order")', "idle"),
    ('event.type == "visit" and not idle < 60d', "idle"),
    ('event.type == "visit" and since(last_visit) >= 60d', "since(last_visit)"),
    ('event.type == "order" and since(last_touch) >= 60d', "since(last_touch)"),
]


@pytest.mark.parametrize(("condition", "what"), NEVER)
def test_an_interaction_that_ends_what_it_asks_for_is_warned_of(condition: str, what: str) -> None:
    """Once."""
    assert ended(condition) == [what]


@pytest.mark.parametrize(("condition", "what"), NEVER)
def test_what_is_warned_of_holds_at_no_interaction_in_time(condition: str, what: str) -> None:
    """Not after the time that it asks for, nor by time alone."""
    subject = Subject(lifecycle(SHOP.format(PASSIVE, condition)))
    subject.sees(T0, "page")
    subject.sees(T0 + 1, "Order Completed")
    assert moves(subject.waits(T0 + 90 * DAY)) == []
    assert moves(subject.sees(T0 + 100 * DAY, "page")) == []
    assert moves(subject.sees(T0 + 200 * DAY, "Order Completed")) == []


def test_an_interaction_that_comes_late_need_not_end_idle() -> None:
    """A mail moved the clock, and the page before it is late: the warning speaks of those in time."""
    subject = Subject(lifecycle(SHOP.format(PASSIVE, NEVER[0][0])))
    subject.sees(T0, "page")
    subject.sees(T0 + 100 * DAY, "Email Delivered")
    assert moves(subject.sees(T0 + 10 * DAY, "page")) == [("a", "b", T0 + 100 * DAY)]


MAY = [
    'event.type == "mailing" and idle >= 60d',
    'event.name == "Email Delivered" and idle >= 60d',
    'event.type in ["visit", "mailing"] and idle >= 60d',
    "properties.x == 1 and idle >= 60d",  # of a mailing
    'event.type != "visit" and idle >= 60d',
    'event.type == "visit" or idle >= 60d',
    'event.type == "visit" and idle < 60d',
    'event.type == "visit" and in_stage >= 60d',
    'event.type == "order" and since(last_visit) >= 60d',
    'event.type == "order" and since(last_big) >= 60d',
    'event.type == "visit" and since(first_visit) >= 60d',
    'event.type in ["visit", "order"] and since(last_visit) >= 60d',
    "idle >= 60d",
    'event.type == "visit" and idle >= -60d',
    'event.type == "visit" and since(last_visit) >= -60d',
]


@pytest.mark.parametrize("condition", MAY)
def test_what_may_hold_is_not_warned_of(condition: str) -> None:
    """At a passive interaction, or by another than the one that ends it."""
    assert ended(condition) == []


def test_without_passive_words_every_interaction_ends_idle() -> None:
    """Whatever is asked of it."""
    assert ended("properties.x == 1 and idle >= 60d", "") == ["idle"]
    assert ended('not (event.type == "visit") and idle >= 60d', "") == ["idle"]


def test_what_the_warning_offers_catches_who_came_back() -> None:
    """A stage that is entered by time, and left by the interaction alone."""
    text = """
        stages: {active: {}, dormant: {}, back: {}}
        transitions:
          - {from: active, to: dormant, when: idle >= 60d}
          - {from: dormant, to: back, when: event.type == "page"}
    """
    offered = lifecycle(text)
    assert offered.warnings == ()
    subject = Subject(offered)
    subject.sees(T0, "page")
    assert moves(subject.sees(T0 + 59 * DAY, "page")) == []
    assert moves(subject.sees(T0 + 130 * DAY, "page")) == [
        ("active", "dormant", T0 + 119 * DAY),
        ("dormant", "back", T0 + 130 * DAY),
    ]
