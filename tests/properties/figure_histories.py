"""Small histories of a few customers, for the laws of figures: visits, looks, orders, updates and returns."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import strategies as st

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from tests.kit.times import DAY, HOUR
from tests.properties.rich_histories import seeds

START = 1_711_756_800_000
"""2024-03-30T00:00Z: in Paris, the clocks change in the second night."""
LIFECYCLE = """\
lifecycle: shop
time_zone: Europe/Paris
ledgers:
  bought: {each: order, by: properties.id, amount: properties.total, update: change, minus: refund,
           returned: properties.returned, return: properties.return, keep: 256}
facts:
  country: {latest: properties.country}
  device: {latest: properties.device}
figures:
  visits: {each: visit}
  visitors: {each: visit, at_most: {times: 1, per: day}}
  came: {each: [visit, order], once: true}
  first_amount: {each: order, once: true, add: properties.total}
  lines: {each: order, over: properties.lines, where: item.price > 1, add: item.price * item.number}
  balance: {each: order, minus: refund, add: properties.total}
  orders: {each: order, ledger: bought}
  gross: {each: order, ledger: bought, add: properties.total}
  remaining: {each: order, ledger: bought, minus: refund}
  remaining_on_order: {each: order, ledger: bought, minus: refund, minus_on: order}
  revenue: {each: order, ledger: bought, add: properties.total, minus: refund}
  revenue_on_order: {each: order, ledger: bought, add: properties.total, minus: refund, minus_on: order}
  three_a_week: {each: visit, at_most: {times: 3, per: week}}
  by: [country, device]
stages: {one: {}, two: {}, three: {}, four: {}}
transitions:
  - {from: one, to: two, when: event.type == "order"}
  - {from: two, to: three, when: event.type == "refund"}
  - {from: three, to: one, when: event.type == "visit"}
  - {from: [one, two], to: four, when: event.type == "change"}
  - {from: four, to: two, when: event.type == "visit"}
"""
OF_ENTRIES = {"orders", "gross", "remaining", "remaining_on_order", "revenue", "revenue_on_order"}
INDEPENDENT = OF_ENTRIES | {"visits", "visitors", "came", "first_amount", "lines", "balance"}
"""They do not depend on the order of arrival, as docs/figures.md says."""
WITH_TIME = LIFECYCLE + "  - {from: [one, two, three], to: four, when: idle >= 36h}\n"
CUSTOMERS = ["ann", "ben", "cleo", "dan"]
NATIONS = {"ann": "DE", "ben": "FR", "cleo": None, "dan": "DE"}
MONEY = [0, 1, 2.5, 10, 19.99, 50, 0.1]


def lifecycle(text: str = LIFECYCLE) -> Model:
    """The model of one such lifecycle."""
    return model_of([parse(text, "shop.yaml").lifecycle])


def histories(*, devices: bool = True, modest: bool = False) -> st.SearchStrategy[list[Interaction]]:
    """What happened within five days, in any order; times of one customer differ.

    `devices`: a fact that changes; `modest`: nothing returned is more than was ordered, and no return comes twice.
    """
    return seeds().map(lambda chance: history(chance, devices=devices, modest=modest))


def history(chance: Random, *, devices: bool, modest: bool) -> list[Interaction]:
    """One such history."""
    hours = chance.choice([6, 30, 120])
    times = chance.sample(range(hours * 60), chance.choice([1, 3, 8, 24]))
    found: list[Interaction] = []
    for place, time in enumerate(times):
        who = chance.choice(CUSTOMERS)
        name = chance.choice(["visit", "visit", "order", "order", "refund", "change"])
        properties: dict[str, object] = {} if NATIONS[who] is None else {"country": NATIONS[who]}
        if devices and chance.random() < 0.5:
            properties["device"] = chance.choice(["phone", "desktop", 7, True])
        if name != "visit":
            properties |= said(chance, name, who, place, modest=modest)
        found.append(Interaction(who, None, f"i{place}", name, START + time * HOUR // 60, properties, {}))
    return found


def said(chance: Random, name: str, who: str, place: int, *, modest: bool) -> dict[str, object]:
    """What is said of an order, or of what came back of it."""
    properties: dict[str, object] = {}
    if chance.random() < 0.9:
        properties["id"] = f"{who} {chance.randrange(3)}"
    amount = chance.choice(MONEY[1:] if modest else MONEY)
    if name == "refund":
        if modest:
            return properties | {"returned": chance.choice([0.001, 0.002]), "return": place}
        if chance.random() < 0.7:
            properties["returned"] = chance.choice([amount, -amount])
        if chance.random() < 0.5:
            properties["return"] = chance.choice(["r1", "r2"])
        return properties | {"total": amount}
    if modest or chance.random() < 0.8:
        properties["total"] = amount
    if name == "order" and chance.random() < 0.5:
        properties["lines"] = [{"price": amount, "number": 2}, {"price": 1, "number": 1}]
    return properties


def shifted(history: list[Interaction], by: int = 400 * DAY) -> list[Interaction]:
    """The same, later."""
    return [replace(each, time=each.time + by, id=f"{each.id} again") for each in history]
