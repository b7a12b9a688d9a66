"""Conditions made ready: their answers with and without an interaction."""

import pytest

from stream.core.deadlines import rises
from stream.core.event import Event
from tests.core.shop import SHOP, compiled
from tests.core.subject import Subject
from tests.kit.times import HOUR, T0

EVENT = Event(
    "visit",
    "page",
    T0,
    {
        "total": 5,
        "tags": ["a", 1],
        "flag": True,
        "no": False,
        "nest": {"a b": "x"},
        "country": "FR",
        "gone": None,
    },
    {"device": {"type": "phone"}},
)
NOW = T0 + 3 * HOUR


def known() -> Subject:
    """Visits at 0 and 2 h and an order of 12.5 at 1 h, by someone from France."""
    subject = Subject(SHOP)
    subject.sees(T0, "page", {"country": "FR"})
    subject.sees(T0 + HOUR, "Order Completed", {"total": 12.5})
    subject.sees(T0 + 2 * HOUR, "visit")
    return subject


@pytest.mark.parametrize(
    ("text", "with_event", "without"),
    [
        # what is known of the customer: the same either way
        ("identified", True, True),
        ("not identified", False, False),
        ("identified == true", True, True),
        ("identified != true", False, False),
        ('stage == "customer"', True, True),
        ('stage in ["lead", "gone"]', False, False),
        ("heat > 4.99 and heat < 5.01", True, True),
        ("not heat > 5", True, True),
        ("not heat >= 5", False, False),
        ("value == 12.5", True, True),
        ("12.5 == value", True, True),
        ("value in [12.5, 3]", True, True),
        ("value == revenue", True, True),
        ("value != revenue", False, False),
        ("value > orders", True, True),
        ("value < orders", False, False),
        ("orders == 1", True, True),
        ("orders in [0, 2]", False, False),
        ("revenue >= 12.5 and revenue <= 12.5", True, True),
        ("busy == 1", True, True),
        ("busy in [1]", True, True),
        ("busy >= 2", False, False),
        ("first_visit < last_visit", True, True),
        ("first_visit == last_visit", False, False),
        ("first_visit < refunded", False, False),
        ("not first_visit < refunded", True, True),
        ("since(first_visit) >= 3h", True, True),
        ("since(first_visit) > 3h", False, False),
        ("since(last_visit) <= 60m", True, True),
        ("since(refunded) < 400d", False, False),
        ("not since(refunded) < 400d", True, True),
        ("exists(first_visit)", True, True),
        ("exists(refunded)", False, False),
        ("not exists(refunded)", True, True),
        ("exists(country) and not exists(plan)", True, True),
        ('country == "FR"', True, True),
        ('country > "DE"', True, True),
        ("country == 5", False, False),
        ("plan != 5", False, False),
        ("idle >= 1h", True, True),
        ("idle > 1h", False, False),
        ("1h > idle", False, False),
        ("1h <= idle", True, True),
        ("in_stage >= 2h", True, True),
        ("in_stage > 2h", False, False),
        # the interaction alone
        ('event.type == "visit"', True, False),
        ('event.type != "buy"', True, False),
        ('not event.type == "buy"', True, False),
        ('event.type in ["visit", "buy"]', True, False),
        ('event.name == "page"', True, False),
        ('event.name == "visit"', False, False),
        ("properties.total == 5", True, False),
        ("properties.total > 5", False, False),
        ("not properties.total > 5", True, False),
        ("properties.flag", True, False),
        ("not properties.flag", False, False),
        ("properties.no", False, False),
        ("not properties.no", True, False),
        ("properties.total", False, False),
        ('properties.nest["a b"] == "x"', True, False),
        ('context.device.type in ["phone"]', True, False),
        ("exists(properties.total)", True, False),
        ("exists(properties.gone)", False, False),
        ("not exists(properties.gone)", True, False),
        ("exists(context.device)", True, False),
        ('"a" in properties.tags', True, False),
        ("1 in properties.tags", True, False),
        ("true in properties.tags", False, False),
        ("not true in properties.tags", True, False),
        # both
        ("country == properties.country", True, False),
        ("country != properties.country", False, False),
        ("value > properties.total", True, False),
        ("properties.total < value", True, False),
        ("orders in properties.tags", True, False),
        ("stage in properties.tags", False, False),
        ("identified == properties.flag", True, False),
        ("properties.total > 9 or orders >= 1", True, True),
        ("orders >= 1 or properties.total > 9", True, True),
        ("properties.total > 1 or orders >= 9", True, False),
        ("properties.total > 1 and orders >= 1", True, False),
        ("not (properties.total > 9 and orders >= 9)", True, True),
        ("not (properties.total > 9 or orders >= 9)", True, False),
        ("not (properties.total > 9 or not orders >= 9)", False, False),
        ("not not (orders >= 1 or properties.total > 9)", True, True),
        ("orders >= 1 and (busy == 1 or properties.flag) and not exists(plan)", True, True),
        ("orders >= 9 or busy == 4 or idle >= 1h", True, True),
        ("orders >= 9 or value == 9 or idle >= 2h", False, False),
    ],
)
def test_a_condition_holds_or_does_not(text: str, with_event: bool, without: bool) -> None:
    """Seeing the interaction, and by itself."""
    condition, life = compiled(text), known().life()
    assert condition.with_event.holds(life, NOW, EVENT) is with_event
    found = condition.without_event is not None and condition.without_event.holds(life, NOW, None)
    assert found is without


def test_the_deadline_of_a_condition_is_after_the_clock() -> None:
    """Half an hour after the last visit would have been earlier."""
    life = known().life()
    assert life.clock == T0 + 2 * HOUR

    def deadline(text: str) -> int | None:
        check = compiled(text).without_event
        return None if check is None else rises(check, life)

    assert deadline("since(first_visit) >= 1h") is None
    assert deadline("since(first_visit) >= 121m") == T0 + 121 * 60_000
    assert deadline("busy < 1") == T0 + 4 * HOUR
    assert deadline("orders >= 1") is None
    assert deadline("properties.x > 1 and idle > 1d") is None
