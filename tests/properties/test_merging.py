"""Records of one person that become one are what one record would have been that all of it came to from the start."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.customer import Customer
from stream.core.inputs import Arrival, Merge, Tie
from stream.core.language.definition import define
from stream.core.model import Model, model_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.properties.interactions import interaction_of
from tests.properties.order_of_arrival import KINDS, SPAN, cases, values
from tests.properties.timelines import START, at

Sent = list[dict[str, Any]]
LADDER: dict[str, Any] = {
    "lifecycle": "ladder",
    "version": 1,
    "scores": {"points": {}},
    "signals": {"seen": {"each": ["visit", "buy"], "add": {"points": 1.5}}},
    "facts": {"orders": {"count": "buy"}, "first": {"first": "visit"}},
    "stages": {"new": {}, "known": {}, "buyer": {}, "loyal": {}},
    "transitions": [
        {"from": "new", "to": "known", "when": "points >= 3"},
        {"from": "known", "to": "buyer", "when": "orders >= 1 and exists(first)"},
        {"from": "buyer", "to": "loyal", "when": "orders >= 3 and points >= 9"},
    ],
}
"""Every condition reads what never decreases."""


def applied(model: Model, customer: Customer | None, sent: Sent) -> tuple[Customer | None, list[StageChange]]:
    """The record after all of these, and what happened."""
    changes: list[StageChange] = []
    for number, each in enumerate(sent):
        customer, more = step(model, customer, Arrival(interaction_of(each), 0, number), StepCounts())
        changes += more
    return customer, changes


def merged(model: Model, groups: list[Sent]) -> tuple[Customer, list[StageChange]]:
    """The last group came to the customer, the others to visitors who are then merged in, the first one first."""
    customer, changes = applied(model, None, groups[-1])
    for sent in groups[:-1]:
        visitor, _ = applied(model, None, sent)
        assert visitor is not None
        customer, more = step(model, customer, Merge("c", visitor, "merged"), StepCounts())
        changes += more
    assert customer is not None
    return customer, changes


def grouped(data: st.DataObject, sent: Sent) -> list[Sent]:
    """Divided among up to three records."""
    groups: list[Sent] = [[], [], []]
    for each in sent:
        groups[data.draw(st.integers(0, 2))].append(each)
    return [group for group in groups if group]


# `once` for each value is a cap, and each record has its own.
@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"once for each value"}))
@given(data=st.data())
def test_any_grouping_and_order_comes_to_what_one_record_would_have_come_to(data: st.DataObject, kind: str) -> None:
    told, one, two = data.draw(cases(kind))
    lifecycle = define(told)
    model = model_of([lifecycle], None)
    look = [at(START + SPAN, "look")]
    customer, _ = merged(model, grouped(data, two))
    customer_then, _ = applied(model, customer, look)
    whole, _ = applied(model, None, [*one, *look])
    assert customer_then is not None
    assert whole is not None
    assert values(lifecycle, customer_then.lives[lifecycle.id]) == values(lifecycle, whole.lives[lifecycle.id])


@given(st.data(), st.lists(st.sampled_from(["visit", "buy", "read"]), min_size=1, max_size=14))
def test_the_stage_is_that_of_one_record_where_conditions_read_what_never_decreases(
    data: st.DataObject, words: list[str]
) -> None:
    sent = [at(START + number, word) for number, word in enumerate(words)]
    lifecycle = define(LADDER)
    model = model_of([lifecycle], None)
    customer, changes = merged(model, grouped(data, data.draw(st.permutations(sent))))
    whole, _ = applied(model, None, sent)
    assert whole is not None
    life = customer.lives["ladder"]
    assert life.stage == whole.lives["ladder"].stage
    assert [each.sequence for each in changes] == list(range(1, len(changes) + 1))
    assert [each.from_stage for each in changes] == [None, *(each.to_stage for each in changes[:-1])]


def test_whoever_is_further_stays_there_and_the_change_says_why() -> None:
    model = model_of([define(LADDER)], None)
    visitor, _ = applied(model, None, [at(START, "visit"), at(START + 1, "visit"), at(START + 2, "buy")])
    assert visitor is not None
    customer, _ = applied(model, None, [at(START + 9, "read")])
    customer, changes = step(model, customer, Merge("c", visitor, "merged"), StepCounts())
    assert [(each.from_stage, each.to_stage, each.trigger.kind, each.final) for each in changes] == [
        ("new", "buyer", "merge", True)
    ]
    assert changes[0].at == START + 9


def test_the_visitor_ends_and_a_customer_who_was_erased_meanwhile_begins_with_it() -> None:
    model = model_of([define(LADDER)], None)
    visitor, _ = applied(model, None, [at(START, "visit"), at(START + 1, "visit")])
    gone, ends = step(model, visitor, Tie(START + 5), StepCounts())
    assert gone is None
    assert [(each.from_stage, each.to_stage, each.at, each.final) for each in ends] == [
        ("known", None, START + 5, True)
    ]

    visitor, _ = applied(model, None, [at(START, "visit"), at(START + 1, "visit")])
    assert visitor is not None
    customer, changes = step(model, None, Merge("c", visitor, "7-9"), StepCounts())
    assert customer is not None
    assert (customer.id, customer.kind, customer.identified) == ("c", "customer", True)
    assert [(each.from_stage, each.to_stage, each.born) for each in changes] == [
        (None, "new", "7-9"),
        ("new", "known", "7-9"),
    ]


def test_what_figures_and_caps_remember_is_kept_by_window_and_of_what_counts_once_the_earliest() -> None:
    day = 86_400_000
    told: dict[str, Any] = {
        "lifecycle": "daily",
        "version": 1,
        "scores": {"points": {}},
        "signals": {"seen": {"each": "visit", "add": {"points": 1}, "at_most": {"times": 5, "per": "1d"}}},
        "stages": {"new": {}, "known": {}},
        "transitions": [{"from": "new", "to": "known", "when": "points >= 99"}],
        "figures": {
            "visitors": {"each": "visit", "at_most": {"times": 1, "per": "day"}},
            "ever": {"each": "visit", "once": True},
        },
    }
    model = model_of([define(told)], None)
    ours = [at(START + number * day, "visit") for number in (1, 2, 4, 6, 9)]
    theirs = [at(START + number * day, "visit") for number in (0, 2, 3, 5, 9)]
    customer, _ = merged(model, [theirs, ours])
    life = customer.lives["daily"]
    assert life.memory is not None
    by_day = [
        (START // day + number, times) for number, times in ((1, 1), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1), (9, 2))
    ]
    visitors, ever = life.memory.figures
    assert visitors == [(START // day, 1), *by_day]
    assert [moment for moment, _ in ever] == [START]
    assert life.windows_of(0) == by_day[-2:]
