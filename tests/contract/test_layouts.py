"""Edited lifecycles: what a record kept is found by name, and what still means the same is kept."""

import pytest

from stream.codec.customers import CustomerCodec
from stream.codec.lifecycle_files import parse
from stream.core import facts, scoring
from stream.core.change import Value
from stream.core.customer import Customer, Life
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.step import Arrival, Passing, due, model_of, step
from stream.core.tally import Tally

DAY = 86_400_000
T0 = 1_700_000_000_000
SHOP = """
lifecycle: shop
scores:
  heat: {half_life: 14d}
  value: {}
signals:
  visited: {each: visit, add: {heat: 1}, at_most: {times: 5, per: 1d}}
  asked: {each: form, add: {heat: 10, value: 1}, once: true}
  spent: {each: buy, add: {value: properties.total}, at_most: {times: 2, per: 1d}}
facts:
  orders: {count: buy}
  revenue: {sum: properties.total, each: buy}
  busy: {count: visit, within: 7d}
  last_buy: {last: buy}
  country: {latest: properties.country}
stages: {lead: {}, customer: {}, dormant: {}}
transitions:
  - {from: lead, to: customer, when: orders >= 1}
  - {from: customer, to: dormant, when: since(last_buy) >= 90d}
"""
ZOO = "lifecycle: zoo\nstages: {out: {}, in: {}}\ntransitions: [{from: out, to: in, when: idle >= 5d}]"
HISTORY: list[tuple[int, str, dict[str, object]]] = [
    (T0, "visit", {"country": "DE"}),
    (T0, "visit", {}),
    (T0, "form", {}),
    (T0 + DAY, "buy", {"total": 19.99}),
    (T0 + DAY, "buy", {"total": 5}),
    (T0 + DAY, "buy", {"total": 7}),
]
NOW = T0 + DAY


def loaded(text: str) -> Lifecycle:
    """The lifecycle of a file."""
    return parse(text, "a.yaml").lifecycle


def edited(*changes: tuple[str, str]) -> Lifecycle:
    """The shop with parts of its text replaced."""
    text = SHOP
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return loaded(text)


def kept(*before: Lifecycle) -> tuple[CustomerCodec, bytes]:
    """The codec that wrote the customer of the history, and the record."""
    model, customer = model_of(before), None
    for number, (time, name, properties) in enumerate(HISTORY):
        given = Interaction("c1", None, f"i{number}", name, time, properties, {})
        customer, _changes = step(model, customer, Arrival(given, f"0-{number}"), Tally())
    assert customer is not None
    codec = CustomerCodec(model)
    return codec, codec.encode(customer)


def reread(*after: Lifecycle, before: tuple[Lifecycle, ...] = ()) -> Customer:
    """The customer of the history, written with the lifecycles before, read with those after an edit."""
    old, value = kept(*(before or (loaded(SHOP),)))
    codec = CustomerCodec(model_of(after))
    for _key, layout in old.layout_records():
        codec.learn(layout)
    return codec.decode(b"cc1", value)


def scores(lifecycle: Lifecycle, life: Life) -> dict[str, float]:
    """All scores at the time of the last interaction."""
    return {each.name: round(scoring.read(each, life, NOW), 9) for each in lifecycle.scores}


def told(lifecycle: Lifecycle, life: Life) -> dict[str, Value | None]:
    """All facts at the time of the last interaction."""
    return {each.name: facts.value(each, life, NOW) for each in lifecycle.facts}


def counts(lifecycle: Lifecycle, life: Life) -> dict[str, int]:
    """How often each signal counted."""
    return {each.name: life.counts[each.index] for each in lifecycle.signals}


DECAY = 2 ** (-1 / 14)
FACTS = {"orders": 3, "revenue": 31.99, "busy": 2, "last_buy": NOW, "country": "DE"}


def test_an_unchanged_file_changes_nothing() -> None:
    """Neither do comments, or the order of the keys within one signal."""
    lifecycle = edited(("{each: visit, add: {heat: 1}, at_most", "{add: {heat: 1}, each: visit, at_most"))
    assert lifecycle.digest == loaded(SHOP).digest == loaded(SHOP + "# a comment\n").digest
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}
    assert told(lifecycle, life) == FACTS
    assert counts(lifecycle, life) == {"visited": 2, "asked": 1, "spent": 2}
    assert life.windows == [[(19675, 2)], [(19676, 2)]]


def test_the_order_in_the_file_means_nothing_to_the_records() -> None:
    """Signals, facts, scores and stages are found by name; the digest is another, since places are."""
    text = SHOP.split("\n")
    order = [0, 1, 2, 4, 3, 5, 8, 7, 6, 9, 14, 12, 10, 13, 11]
    lifecycle = loaded(
        "\n".join([*(text[place] for place in order), "stages: {lead: {}, dormant: {}, customer: {}}", *text[16:]])
    )
    assert lifecycle.digest != loaded(SHOP).digest
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}
    assert told(lifecycle, life) == FACTS
    assert counts(lifecycle, life) == {"visited": 2, "asked": 1, "spent": 2}
    assert life.windows == [[(19676, 2)], [(19675, 2)]]
    assert (life.stage, life.entered, life.sequence, life.born) == ("customer", NOW, 2, "0-0")
    assert (life.active, life.fired, life.clock, life.identified) == (NOW, 0, NOW, True)


@pytest.mark.parametrize(
    ("before", "after", "heat", "value"),
    [
        ("  visited: {each", "  seen: {each", 10, 25.99),
        ("add: {heat: 1}", "add: {heat: 2}", 10, 25.99),
        ("add: {heat: 10, value: 1}", "add: {heat: 10}", 2, 24.99),
        ("each: form, ", "each: [form, call], ", 2, 24.99),
        ("{times: 5, per: 1d}", "{times: 6, per: 1d}", 10, 25.99),
        ("once: true", "once: false", 2, 24.99),
        ("heat: {half_life: 14d}", "heat: {half_life: 28d}", 0, 24.99),
        ("heat: {half_life: 14d}", "heat: {half_life: 14d, max: 5}", 5, 25.99),
        ("  spent:", "  new: {each: buy, add: {value: 50}}\n  spent:", 12, 25.99),
    ],
)
def test_signals_that_mean_the_same_are_kept_and_others_begin_at_nothing(
    before: str, after: str, heat: float, value: float
) -> None:
    """Renamed, with other points, words or caps, or on a score that decays otherwise: another signal."""
    lifecycle = edited((before, after))
    life = reread(lifecycle).lives["shop"]
    expected = heat if heat == 5 else round(heat * DECAY, 9)
    assert scores(lifecycle, life) == {"heat": expected, "value": value}
    assert told(lifecycle, life) == FACTS


def test_a_signal_that_is_removed_takes_its_points_and_windows_with_it() -> None:
    """The window of the third is now that of the first."""
    lifecycle = edited(("  visited: {each: visit, add: {heat: 1}, at_most: {times: 5, per: 1d}}\n", ""))
    life = reread(lifecycle).lives["shop"]
    assert scores(lifecycle, life) == {"heat": round(10 * DECAY, 9), "value": 25.99}
    assert life.windows == [[(19676, 2)]]
    assert life.counts == [1, 2]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("  orders: {count: buy}", "  bought: {count: buy}", {"bought": 0}),
        ("  revenue: {sum: properties.total,", "  revenue: {sum: properties.price,", {"revenue": 0}),
        ("within: 7d}", "within: 8d}", {"busy": 0}),
        ("last_buy: {last: buy}", "last_buy: {first: buy}", {"last_buy": None}),
        ("{latest: properties.country}", "{latest: properties.country, each: visit}", {"country": None}),
        ("  orders:", "  forms: {count: form}\n  orders:", {"forms": 0}),
    ],
)
def test_facts_that_mean_the_same_are_kept_and_others_begin_anew(
    before: str, after: str, expected: dict[str, Value | None]
) -> None:
    """Renamed, of another kind or window, or added."""
    text = SHOP.replace("when: orders >= 1", "when: idle >= 900d").replace("since(last_buy)", "in_stage")
    lifecycle = loaded(text.replace(before, after))
    life = reread(lifecycle).lives["shop"]
    assert told(lifecycle, life) == {name: FACTS.get(name) for name in told(lifecycle, life)} | expected
    assert scores(lifecycle, life) == {"heat": round(12 * DECAY, 9), "value": 25.99}


def test_a_fact_that_is_removed_is_gone() -> None:
    """The others keep theirs."""
    lifecycle = edited(("  revenue: {sum: properties.total, each: buy}\n", ""))
    assert told(lifecycle, reread(lifecycle).lives["shop"]) == {k: v for k, v in FACTS.items() if k != "revenue"}


def test_the_next_deadline_is_found_anew() -> None:
    """With 30 days where there were 90; also in the time that has passed already."""
    lifecycle = edited((">= 90d", ">= 30d"))
    assert reread(loaded(SHOP)).lives["shop"].deadline == NOW + 90 * DAY
    customer = reread(lifecycle)
    assert customer.lives["shop"].deadline == NOW + 30 * DAY
    model = model_of([lifecycle])
    assert due(model, customer) == NOW + 30 * DAY
    after, changes = step(model, customer, Passing(NOW + 60 * DAY), Tally())
    assert [(each.to_stage, each.at, each.sequence) for each in changes] == [("dormant", NOW + 30 * DAY, 3)]
    assert after is customer


def test_a_header_tells_that_the_lifecycles_were_edited() -> None:
    """Its deadline is then not to be trusted; its stages are those that were written."""
    lifecycle = edited((">= 90d", ">= 30d"))
    old, value = kept(loaded(SHOP))
    codec = CustomerCodec(model_of([lifecycle]))
    codec.learn(old.layout_records()[0][1])
    header = codec.header(value)
    assert (header.current, header.due, header.stages) == (False, NOW + 90 * DAY, (("shop", "customer"),))
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
    assert (life.stage, life.entered, life.deadline) == ("customer", NOW, None)
    assert codec.header(codec.encode(customer)).stages == (("shop", "customer"),)
    given = Interaction("c1", None, None, "visit", NOW + 5, {}, {})
    _after, changes = step(model_of([without]), customer, Arrival(given, "0-9"), Tally())
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
    assert (life.stage, life.deadline) == ("customer", NOW + 90 * DAY)


def test_a_lifecycle_that_is_added_begins_with_the_next_interaction() -> None:
    """The record knows nothing of it yet, and says that it is not current."""
    shop, zoo = loaded(SHOP), loaded(ZOO)
    customer = reread(shop, zoo)
    assert list(customer.lives) == ["shop"]
    _old, value = kept(shop)
    codec = CustomerCodec(model_of([shop, zoo]))
    assert not codec.header(value).current
    given = Interaction("c1", None, None, "visit", NOW + 5, {}, {})
    after, changes = step(model_of([shop, zoo]), customer, Arrival(given, "0-9"), Tally())
    assert [(each.lifecycle, each.from_stage, each.born) for each in changes] == [("zoo", None, "0-9")]
    assert after is not None
    assert codec.decode(b"cc1", codec.encode(after)) == after


def test_a_lifecycle_that_is_removed_is_left_out() -> None:
    """The others are as they were, and so are the customer's ids and times."""
    shop, zoo = loaded(SHOP), loaded(ZOO)
    both, one = reread(shop, zoo, before=(shop, zoo)), reread(shop, before=(shop, zoo))
    assert list(one.lives) == ["shop"]
    assert one.lives["shop"] == both.lives["shop"]
    assert (one.remembered, one.latest, one.active) == (both.remembered, both.latest, both.active)
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
    customer, tally = reread(lifecycle), Tally()
    model = model_of([lifecycle])
    for mark, name in (("i3", "buy"), (None, "form"), (None, "buy")):
        after, _changes = step(
            model, customer, Arrival(Interaction("c1", None, mark, name, NOW, {"total": 1}, {}), "0-9"), tally
        )
        assert after is customer
    assert tally.duplicates == 1
    assert counts(lifecycle, customer.lives["shop"]) == {"visited": 2, "asked": 1, "spent": 2}
    assert told(lifecycle, customer.lives["shop"])["orders"] == 4
