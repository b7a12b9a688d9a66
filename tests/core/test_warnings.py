"""What a lifecycle is warned of at load, and that the warnings say what then happens."""

import pytest

from tests.core.subject import Subject, lifecycle, moves
from tests.kit.times import DAY, T0

SHOP = """
    interactions: {{visit: [page], order: [Order Completed], opt_out: [unsubscribe]}}
    scores: {{heat: {{max: 100}}, warm: {{half_life: 1d, min: 0}}}}
    signals:
      looked: {{each: visit, add: {{heat: 20}}}}
      chatted: {{each: chat, add: {{warm: 1}}}}
    facts:
      orders: {{count: order}}
      balance: {{count: order, minus: visit}}
      spent: {{sum: properties.total, each: order}}
      busy: {{count: visit, within: 7d}}
      last_order: {{last: order}}
      last_gift: {{last: order, where: properties.gift}}
      country: {{latest: properties.country}}
    stages: {{a: {{}}, b: {{}}, c: {{}}}}
    transitions:
      - {{from: a, to: b, when: '{}'}}
      - {{from: b, to: c, when: '{}'}}
"""


def warnings(first: str, second: str = "orders >= 2") -> list[str]:
    """Of the shop with these conditions out of a and b."""
    return [each.message for each in lifecycle(SHOP.format(first, second)).warnings]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('event.type == "unsubscibe"', "'unsubscibe' is not among the interactions; did you mean 'opt_out'?"),
        ('event.type in ["visit", "abmelden"]', "'abmelden' is not among the interactions, so it holds for"),
        ('"abmelden" != event.type', "'abmelden' is not among the interactions, so it holds for"),
        ('event.name == "Order Complete"', "did you mean 'Order Completed'?"),
        ('event.name == "newsletter"', "'newsletter' is not among the interactions, so it holds for"),
        ("heat >= 120", "heat is at most 100: this never holds"),
        ("120 <= heat", "heat is at most 100: this never holds"),
        ("heat in [50, 120]", "heat is at most 100: it is never 120"),
        ("warm >= 0", "warm is at least 0: this always holds"),
        ("orders >= 0", "orders is at least 0: this always holds"),
        ("busy < 0", "busy is at least 0: this never holds"),
        ('properties.path == "/shop*"', "the * in '/shop*' stands for itself alone"),
        ('country == "D*"', "the * in 'D*' stands for itself alone"),
        ("properties.products.price > 5", "properties.products.price leads through 'products', which shops send as"),
        ("exists(properties.order.line_items.id)", "leads through 'line_items', which shops send as a list"),
        ('properties.lines["0"].price > 5', "leads through 'lines' to the place '0'"),
        ('properties.tags.first == "x" and "x" in properties.tags', "'tags', which is a list where `in` looks into it"),
        ("spent >= 1.500", "1.500 is 1.5; if 1500 is meant, write it without the point"),
        ("since(last_order) >= 90d", "who is in a without a last_order is not meant here; to catch them too, write"),
    ],
)
def test_what_will_not_do_as_meant_is_warned_of_once(condition: str, said: str) -> None:
    """One mistake, one warning."""
    (warning,) = warnings(condition)
    assert said in warning


@pytest.mark.parametrize(
    "condition",
    [
        'event.type == "visit"',
        'event.type == "chat"',  # a signal counts it: it is meant
        'event.name == "page"',
        'event.name == "visit"',  # a word stands for itself
        "heat >= 100",
        "warm > 0",
        "orders >= 1",
        "balance >= 0",
        "spent >= 0",
        'properties.path == "/shop"',
        "properties.products",
        '"x" in properties.products',
        "context.items.x == 1",
        "properties.item.price > 5",
        "spent >= 1.5",
        "spent >= 99.90",
        'properties.x == "1.500"',
        "since(last_order) >= 3d",  # a reminder, for those who ordered
        "since(last_order) < 90d",
        "exists(last_order) and since(last_order) >= 90d",
        "orders >= 1 and since(last_order) >= 90d",
        "since(last_order) >= 90d or (not exists(last_order) and in_stage >= 90d)",
        "since(last_order) >= 90d or idle >= 90d",
    ],
)
def test_what_does_as_meant_is_not_warned_of(condition: str) -> None:
    """Close to what is."""
    assert warnings(condition) == []


@pytest.mark.parametrize(
    ("way_in", "later", "warned"),
    [
        ("orders >= 1", "since(last_order) >= 90d", False),
        ("spent >= 100", "since(last_order) >= 90d", False),
        ('event.type == "order"', "since(last_order) >= 90d", False),
        ('event.name == "Order Completed"', "since(last_order) >= 90d", False),
        ("exists(last_order) and heat > 5", "since(last_order) >= 90d", False),
        ("since(last_gift) < 1d", "since(last_order) >= 90d", False),
        ("orders >= 1", "since(last_gift) >= 90d", True),  # an order need be no gift
        ("heat >= 5", "since(last_order) >= 90d", True),
        ("orders >= 1 or heat >= 5", "since(last_order) >= 90d", True),
        ("identified", "2160h <= since(last_order)", True),
        ("orders < 3", "since(last_order) >= 90d", True),
    ],
)
def test_who_never_did_it_is_spoken_of_where_the_way_into_the_stage_needs_no_doing(
    way_in: str, later: str, warned: bool
) -> None:
    """A customer who came by an order did order."""
    assert [each for each in warnings(way_in, later) if "without a" in each] == (
        []
        if not warned
        else [
            f"who is in b without a {name} is not meant here; to catch them too, write since({name}) >= 90d or "
            f"(not exists({name}) and in_stage >= 90d), else exists({name}) and since({name}) >= 90d"
            for name in ["last_gift" if "gift" in later else "last_order"]
        ]
    )


def test_the_form_that_is_offered_catches_who_never_did_it_too() -> None:
    """Ninety days after the stage was entered, or after the last order; not who was just born."""
    offered = "since(last_order) >= 90d or (not exists(last_order) and in_stage >= 90d)"
    never, once = (
        Subject(lifecycle(SHOP.format(offered, "orders >= 9"))),
        Subject(lifecycle(SHOP.format(offered, "orders >= 9"))),
    )
    never.sees(T0, "page")
    once.sees(T0, "page")
    once.sees(T0 + 10 * DAY, "Order Completed")
    assert moves(never.waits(T0 + 200 * DAY)) == [("a", "b", T0 + 90 * DAY)]
    assert moves(once.waits(T0 + 200 * DAY)) == [("a", "b", T0 + 100 * DAY)]


FLAPPING = """
    scores: {{heat: {{half_life: 1d}}}}
    signals: {{looked: {{each: visit, add: {{heat: 20}}}}}}
    facts: {{visits: {{count: visit}}, last_visit: {{last: visit}}}}
    stages: {{a: {{}}, b: {{}}}}
    transitions:
      - {{from: a, to: b, when: '{}'}}
      - {{from: b, to: a, when: '{}'}}
"""


AGAIN_AND_AGAIN = (
    "goes there and back again and again by the passing of time alone (until 64 deadlines were reached without an "
    "interaction)"
)


@pytest.mark.parametrize(
    ("there", "back", "behaviour", "at_a_visit", "by_time"),
    [
        ("heat >= 20", "heat >= 10", "goes there and back at each interaction", 2, 0),
        (
            "since(last_visit) >= 9d",
            "visits >= 1",
            "goes there and back at each interaction, and once when time alone makes one of them true",
            0,
            2,
        ),
        ("visits >= 1", "idle >= 9d", "goes there and back once, when time alone makes them all true", 0, 2),
        (
            "in_stage >= 9d",
            "visits >= 1",
            AGAIN_AND_AGAIN,
            0,
            2 * 64,
        ),
        (
            "in_stage >= 9d or heat >= 1000",
            "in_stage >= 1d",
            AGAIN_AND_AGAIN,
            0,
            64,
        ),
    ],
)
def test_flapping_is_described_as_it_behaves(
    there: str, back: str, behaviour: str, at_a_visit: int, by_time: int
) -> None:
    """Field report: 182 times there and 182 back, each at an interaction, and the warning spoke of time alone."""
    flapping = lifecycle(FLAPPING.format(there, back))
    (warning,) = flapping.warnings
    assert warning.message == (
        "stages b -> a -> b form a cycle whose conditions do not exclude each other: "
        f"who meets `{there}` and `{back}` {behaviour}"
    )
    subject = Subject(flapping)
    subject.sees(T0, "visit")
    assert len(subject.sees(T0 + 1, "visit")) == at_a_visit
    assert len(subject.waits(T0 + 5_000 * DAY)) == by_time


def test_a_score_that_begins_above_its_max_is_warned_of() -> None:
    """`max: -5` for `min: -5`."""
    text = "scores: {heat: {max: -5}}"
    assert [each.message for each in lifecycle(text).warnings] == [
        "a score begins at 0; with max -5 it is read as -5 from the start"
    ]
