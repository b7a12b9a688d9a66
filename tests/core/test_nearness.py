"""How near a customer is to a way out, worked out by hand."""

import pytest

from stream.core.explain import explain, ways_out
from stream.core.explanation.nearness import Nearness, nearness_of
from tests.core.subject import Subject, lifecycle
from tests.kit.times import DAY, HOUR, T0

BASE = """
interactions: {{visit: [page], order: [Order Completed]}}
scores: {{interest: {{}}, value: {{}}}}
signals:
  looked: {{each: visit, add: {{interest: 5}}}}
  spent: {{each: order, add: {{value: properties.total}}}}
facts:
  orders: {{count: order}}
  revenue: {{sum: properties.total, each: order}}
  country: {{latest: properties.country}}
bands:
  grade: {{value: {{A: 500, B: }}, interest: {{1: 50, 2: }}}}
stages: {{lead: {{}}, customer: {{}}}}
transitions:
  - {{from: lead, to: customer, when: '{condition}'{guards}}}
"""


def met(condition: str, guards: str = "") -> Subject:
    """Someone from Germany with a page view, three orders of 20 and a page view at the end."""
    subject = Subject(lifecycle(BASE.format(condition=condition, guards=guards)))
    subject.sees(T0 - 4 * HOUR, "page")
    for number in range(3):
        subject.sees(T0 - (3 - number) * HOUR, "Order Completed", {"total": 20, "country": "DE"})
    subject.sees(T0, "page")
    return subject


def found(condition: str, guards: str = "") -> Nearness:
    subject = met(condition, guards)
    assert subject.customer is not None
    [explanation] = explain(subject.model, subject.customer, T0 + HOUR)
    assert explanation.stage == "lead"
    [way] = explanation.ways_out
    return nearness_of(way)


@pytest.mark.parametrize(
    ("condition", "share", "waits_for"),
    [
        ("orders >= 4", 0.75, ["orders >= 4"]),
        ("orders >= 4 and revenue >= 120", 0.5, ["orders >= 4", "revenue >= 120"]),
        ("orders >= 4 and orders >= 4", 0.75, ["orders >= 4"]),
        ("orders >= 3 and revenue >= 120", 0.5, ["revenue >= 120"]),
        ("orders >= 4 or revenue >= 120", 0.75, ["orders >= 4"]),
        ("not (orders < 4)", 0.75, ["not (orders < 4)"]),
        ("orders >= 3 and revenue < 30", pytest.approx(0.5), ["revenue < 30"]),
        ('country == "US"', 0.0, ['country == "US"']),
        ('country == "US" or orders >= 300', pytest.approx(0.01), ["orders >= 300"]),
        ('event.type == "order" and orders >= 5', 0.0, ['event.type == "order"', "orders >= 5"]),
        ('event.type == "order" and revenue > 70', 0.0, ['event.type == "order"', "revenue > 70"]),
        ('grade == "A1"', pytest.approx(0.12), ['grade == "A1"']),
        ('not (grade != "A1")', pytest.approx(0.12), ['not (grade != "A1")']),
        ('grade == "A1" and orders >= 30', pytest.approx(0.1), ['grade == "A1"', "orders >= 30"]),
        ("idle >= 4h", 0.25, ["idle >= 4h"]),
    ],
)
def test_the_largest_share_that_is_missing_counts(condition: str, share: float, waits_for: list[str]) -> None:
    assert found(condition) == (share, tuple(waits_for))


def test_of_whom_only_a_guard_holds_back_nothing_is_missing() -> None:
    assert found("orders >= 3", ", hold: 3d") == (1.0, ("hold: 3d",))


def test_while_a_condition_does_not_hold_its_guard_is_not_waited_for() -> None:
    assert found("orders >= 4", ", hold: 3d") == (0.75, ("orders >= 4",))


@pytest.mark.parametrize(
    "condition", ["orders >= 4", "orders >= 4 or idle >= 2d", 'event.type == "order" and orders >= 9']
)
def test_the_ways_out_alone_are_those_of_an_explanation(condition: str) -> None:
    """Also where the clock of the customer is before the present, and after it."""
    subject = met(condition)
    assert subject.customer is not None
    life = subject.customer.lives["shop"]
    for now in (T0 - DAY, T0, T0 + HOUR, T0 + DAY):
        [explanation] = explain(subject.model, subject.customer, now)
        assert ways_out(subject.model.lifecycles[0], life, now) == explanation.ways_out
