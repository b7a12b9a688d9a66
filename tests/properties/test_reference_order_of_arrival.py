"""What depends on the order of arrival in the reference, and what does not (rule 25)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.lifecycles import Source
from tests.properties.order_of_arrival import KINDS, SPAN, cases, moments
from tests.properties.reference import Machine
from tests.properties.reference_changes import contributions, scores_and_facts
from tests.properties.reference_deadlines import deadline_by_bisection
from tests.properties.timelines import START, at, small


def values(told: Source, arrived: list[Source]) -> list[object]:
    """Scores, facts and contributions after these arrivals, at some times after them all."""
    machine = Machine([told], None, None, deadline_by_bisection)
    for interaction in [*arrived, at(START + SPAN, "look")]:
        machine.apply(interaction)
    life = machine.customers["customer_id", "c"].lives[0]
    return [{**scores_and_facts(life, t), "contributions": contributions(life, t)} for t in moments()]


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(data=st.data())
def test_the_order_of_arrival_makes_no_difference(data: st.DataObject, kind: str) -> None:
    """Where times differ, every score, fact and contribution is the same."""
    told, one, two = data.draw(cases(kind))
    assert values(told, one) == values(told, two)


def buy(time: int, n: object, order: object = None) -> Source:
    return at(START + time, "buy", n=n, order=order)


def refund(time: int, n: object, order: object = None) -> Source:
    return {**at(START + time, "refund"), "properties": {"n": n, "order": order, "key": "R"}}


def with_signal(**signal: object) -> dict[str, Any]:
    """A score that one signal feeds."""
    return {"scores": {"s": {}}, "signals": {"it": {"each": "buy", "add": {"s": "properties.n"}, **signal}}}


LEDGER = {"each": "buy", "minus": "refund", "by": "properties.order", "amount": "properties.n"}
RETURNS: Source = {"ledgers": {"l": {**LEDGER, "returned": "properties.n", "return": "properties.key"}}}
ORDERS = [buy(0, 1, "A"), buy(1, 2, "A")]


@pytest.mark.parametrize(
    ("parts", "arrived"),
    [
        ({**with_signal(), "scores": {"s": {"floor": 0}}}, [buy(0, 5), buy(1, -7)]),
        (
            {
                "scores": {"s": {}},
                "signals": {
                    "it": {"each": "buy", "add": {"s": 1}},
                    "reset": {"each": "refund", "reset": ["s"]},
                },
            },
            [buy(1, 1), refund(0, 1)],
        ),
        (with_signal(at_most={"times": 1, "per": "1d"}), [buy(0, 1), buy(1, 2)]),
        (with_signal(at_most={"times": 1, "per": "day"}), [buy(0, 1), buy(1, 2)]),
        (with_signal(at_most={"times": 1, "within": "1d"}), [buy(0, 1), buy(1, 2)]),
        (with_signal(once=True), [buy(0, 1), buy(1, 2)]),
        (with_signal(once="properties.order"), ORDERS),
        ({**with_signal(ledger="l"), "ledgers": {"l": LEDGER}}, ORDERS),
        ({**RETURNS, "facts": {"sum": {"sum": "l"}}}, [buy(0, 9, "A"), refund(1, 1, "A"), refund(2, 2, "A")]),
        (
            {"facts": {"n": {"count": "buy"}, "m": {"count": "visit", "where": "n >= 1"}}},
            [buy(0, 1), at(START, "visit")],
        ),
        (
            {"ledgers": {"l": {**LEDGER, "keep": 1}}, "facts": {"sum": {"sum": "l"}}},
            [buy(0, 1, "A"), buy(1, 2, "B"), refund(2, None, "A")],
        ),
        (with_signal(once="properties.n"), [buy(each, each) for each in [*range(65), 0]]),
        ({"facts": {"it": {"latest": "properties.n", "each": "buy"}}}, [buy(0, 1), buy(0, 2)]),
    ],
)
def test_some_things_depend_on_the_order_of_arrival(parts: Source, arrived: list[Source]) -> None:
    """Those of the list in rule 25, each by an example: the last arrival comes first instead."""
    told = small([], stages={"only": {}}, **parts)
    assert values(told, arrived) != values(told, [arrived[-1], *arrived[:-1]])
