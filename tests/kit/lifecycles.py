"""Lifecycles that tests of several parts run, and the interactions that move customers through them."""

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of

SHOP = """
lifecycle: shop
interactions: {buy: [Order Completed]}
scores: {value: {}}
signals: {spent: {each: buy, add: {value: properties.total}}}
facts: {orders: {count: buy}, last_order: {last: buy}}
stages: {lead: {}, customer: {channels: [email], actions: [thank_you]}, dormant: {}}
transitions:
  - {from: lead, to: customer, when: orders >= 1}
  - {from: customer, to: dormant, when: since(last_order) >= 30d}
  - {from: dormant, to: customer, when: since(last_order) < 30d}
"""
"""An order makes a customer, thirty days without one a dormant customer."""
QUICK = """
lifecycle: quick
interactions: {visit: [page], buy: [Order Completed]}
scores: {heat: {half_life: 2s}, value: {}}
signals:
  visited: {each: visit, add: {heat: 1}}
  spent: {each: buy, add: {value: properties.total, heat: 3}}
facts: {orders: {count: buy}, lately: {count: visit, within: 2s}}
stages: {new: {}, warm: {}, buyer: {}, asleep: {}}
transitions:
  - {from: new, to: warm, when: heat >= 1.5}
  - {from: "*", to: buyer, when: event.type == "buy"}
  - {from: [warm, buyer], to: asleep, when: idle >= 700ms}
  - {from: asleep, to: warm, when: idle < 700ms}
  - {from: new, to: asleep, when: in_stage >= 1500ms}
"""
"""Deadlines within seconds: of idleness, of a score that decays and of time in a stage."""
FUNNEL = """
lifecycle: funnel
scores: {{heat: {{}}}}
signals: {{seen: {{each: visit, add: {{heat: 10}}}}}}
facts: {{last_visit: {{last: visit}}}}
stages: {{lead: {{}}, mql: {{}}, asleep: {{}}}}
transitions:
  - {{from: lead, to: mql, when: heat >= {threshold}}}
  - {{from: lead, to: asleep, when: since(last_visit) >= {days}d}}
"""
"""Three visits are thirty points; `funnel` fills in how many make a qualified lead."""


def shop() -> Model:
    """The model of `SHOP`; anonymous subjects are forgotten after 90 days."""
    return model_of([parse(SHOP, "shop.yaml").lifecycle])


def funnel(threshold: int, days: int = 30) -> Model:
    """The model of `FUNNEL`: `threshold` points are needed, and `days` without a visit put a lead to sleep."""
    return model_of([parse(FUNNEL.format(threshold=threshold, days=days), "funnel.yaml").lifecycle])


def buy(customer: str, time: int, total: object = 10, own_id: str | None = None) -> Interaction:
    """An order."""
    return Interaction(customer, None, own_id, "Order Completed", time, {"total": total}, {})
