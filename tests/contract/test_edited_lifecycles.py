"""Edited lifecycles: deadlines, stages that are gone, and lifecycles that come and go."""

import pytest

from stream.codec.state.customers import CustomerCodec
from stream.core.inputs import Arrival, Passing
from stream.core.interaction import Interaction
from stream.core.model import due, model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.contract.edits import ENTERED, NOW, SHOP, ZOO, counts, edited, kept, loaded, reread, told
from tests.kit.times import DAY


def test_the_next_deadline_is_found_anew() -> None:
    """With 30 days where there were 90; also in the time that has passed already."""
    lifecycle = edited((">= 90d", ">= 30d"))
    assert reread(loaded(SHOP)).lives["shop"].deadline == ENTERED + 90 * DAY
    customer = reread(lifecycle)
    assert customer.lives["shop"].deadline == ENTERED + 30 * DAY
    model = model_of([lifecycle])
    assert due(model, customer) == ENTERED + 30 * DAY
    after, changes = step(model, customer, Passing(ENTERED + 60 * DAY), StepCounts())
    assert [(each.to_stage, each.at, each.sequence) for each in changes] == [("dormant", ENTERED + 30 * DAY, 3)]
    assert after is customer


def test_who_waits_after_64_deadlines_waits_after_an_edit_too() -> None:
    """An edit is no interaction."""
    blinking = """
lifecycle: shop
stages: {a: {}, b: {}}
transitions: [{from: a, to: b, when: in_stage >= 1ms}, {from: b, to: a, when: in_stage >= 1ms}]
"""
    before, after = loaded(blinking), loaded(blinking + "title: Another\n")
    old, value = kept(before)
    model = model_of([before])
    customer, _changes = step(model, old.decode(b"cc1", value), Passing(NOW + DAY), StepCounts())
    assert customer is not None
    codec = CustomerCodec(model_of([after]))
    codec.learn(old.layout_records()[0][1])
    life = codec.decode(b"cc1", old.encode(customer)).lives["shop"]
    assert (life.fired, life.due, life.clock) == (64, None, NOW + 64)


def test_a_header_tells_that_the_lifecycles_were_edited() -> None:
    """Its deadline is then not to be trusted; its stages are those that were written."""
    lifecycle = edited((">= 90d", ">= 30d"))
    old, value = kept(loaded(SHOP))
    codec = CustomerCodec(model_of([lifecycle]))
    codec.learn(old.layout_records()[0][1])
    header = codec.header(value)
    assert (header.current, header.due, header.stages) == (False, ENTERED + 90 * DAY, (("shop", "customer"),))
    assert old.header(value).current


@pytest.mark.parametrize("twice", [False, True])
def test_a_stage_that_is_removed_is_kept_until_the_customer_leaves_it(twice: bool) -> None:
    """By its name, also when it is written and read again, and edited once more."""
    without = edited(
        ("customer: {}, ", ""),
        ("from: lead, to: customer", "from: lead, to: dormant"),
        ("from: customer, to: dormant", "from: dormant, to: lead"),
    )
    customer = reread(without)
    codec = CustomerCodec(model_of([without]))
    if twice:
        customer = codec.decode(b"cc1", codec.encode(customer))
    life = customer.lives["shop"]
    assert (life.stage, life.entered, life.due) == ("customer", ENTERED, None)
    assert codec.header(codec.encode(customer)).stages == (("shop", "customer"),)
    given = Interaction("c1", None, None, "visit", NOW + 5, {}, {})
    _after, changes = step(model_of([without]), customer, Arrival(given, 0, 9), StepCounts())
    first = changes[0]
    assert (first.from_stage, first.to_stage, first.sequence, first.at) == ("customer", "lead", 3, NOW + 5)
    assert first.trigger.kind == "lifecycle"


def test_a_stage_that_comes_back_was_never_left() -> None:
    """The name was kept."""
    without = edited(
        ("customer: {}, ", ""),
        ("from: lead, to: customer", "from: lead, to: dormant"),
        ("from: customer, to: dormant", "from: dormant, to: lead"),
    )
    middle = CustomerCodec(model_of([without]))
    value = middle.encode(reread(without))
    last = CustomerCodec(model_of([loaded(SHOP)]))
    last.learn(middle.layout_records()[0][1])
    life = last.decode(b"cc1", value).lives["shop"]
    assert (life.stage, life.deadline) == ("customer", ENTERED + 90 * DAY)


def test_a_lifecycle_that_is_added_begins_with_the_next_interaction() -> None:
    """The record knows nothing of it yet, and says that it is not current."""
    shop, zoo = loaded(SHOP), loaded(ZOO)
    customer = reread(shop, zoo)
    assert list(customer.lives) == ["shop"]
    _old, value = kept(shop)
    codec = CustomerCodec(model_of([shop, zoo]))
    assert not codec.header(value).current
    given = Interaction("c1", None, None, "visit", NOW + 5, {}, {})
    after, changes = step(model_of([shop, zoo]), customer, Arrival(given, 0, 9), StepCounts())
    assert [(each.lifecycle, each.from_stage, each.born) for each in changes] == [("zoo", None, "0-9")]
    assert after is not None
    assert codec.decode(b"cc1", codec.encode(after)) == after


def test_a_lifecycle_that_is_removed_is_left_out() -> None:
    """The others are as they were, and so are the customer's ids and times."""
    shop, zoo = loaded(SHOP), loaded(ZOO)
    both, one = reread(shop, zoo, before=(shop, zoo)), reread(shop, before=(shop, zoo))
    assert list(one.lives) == ["shop"]
    assert one.lives["shop"] == both.lives["shop"]
    assert (one.id_hashes, one.id_times, one.latest, one.active) == (
        both.id_hashes,
        both.id_times,
        both.latest,
        both.active,
    )
    old, value = kept(shop, zoo)
    codec = CustomerCodec(model_of([shop]))
    codec.learn(dict(old.layout_records())[b"t" + zoo.digest])
    assert (codec.header(value).current, codec.header(value).stages) == (
        False,
        (("shop", "customer"), ("zoo", "out")),
    )


def test_what_was_remembered_counts_after_an_edit_as_before() -> None:
    """Once stays once, caps stay full, ids stay known."""
    lifecycle = edited((">= 90d", ">= 30d"))
    customer, step_counts = reread(lifecycle), StepCounts()
    model = model_of([lifecycle])
    for interaction_id, name in (("i3", "buy"), (None, "form"), (None, "buy")):
        after, _changes = step(
            model,
            customer,
            Arrival(Interaction("c1", None, interaction_id, name, NOW, {"total": 1}, {}), 0, 9),
            step_counts,
        )
        assert after is customer
    assert step_counts.duplicates == 1
    assert counts(lifecycle, customer.lives["shop"]) == {"visited": 2, "asked": 1, "spent": 2}
    assert told(lifecycle, customer.lives["shop"])["orders"] == 4
