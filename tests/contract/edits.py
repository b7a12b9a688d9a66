"""A shop, a customer of it in a record, and the shop edited."""

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.codec.state.customers import CustomerCodec
from stream.core import facts, scoring
from stream.core.customer import Customer, Life
from stream.core.inputs import Arrival
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.stage_change import Value
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.kit.times import DAY, T0

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
    (T0 + DAY + 5_000, "call", {}),
]
ENTERED = T0 + DAY
NOW = ENTERED + 5_000


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
        customer, _changes = step(model, customer, Arrival(given, 0, number), StepCounts())
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


DECAY = 2 ** ((T0 - NOW) / (14 * DAY))
FACTS = {"orders": 3, "revenue": 31.99, "busy": 2, "last_buy": ENTERED, "country": "DE"}
