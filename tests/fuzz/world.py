"""Lifecycles with everything in them that an interaction can touch, and a machine that runs them."""

from functools import cache

from stream.codec.lifecycle_yaml.lifecycle_files import load, parse
from stream.core.model import Model, model_of
from tests.kit.times import HOUR

EVERYTHING = """
lifecycle: everything
interactions:
  visit: [page, screen, Product Viewed, $pageview]
  buy: [Order Completed, order]
  back: [Order Refunded]
  who: [identify]
passive: [email_delivered]
scores:
  warm: {half_life: 1h, max: 100, min: -5}
  brief: {half_life: 1ms}
  value: {}
signals:
  visited: {each: visit, add: {warm: 1, brief: 1e14}, at_most: {times: 2, per: 1d}}
  once: {each: [visit, who], where: 'exists(context.device.type) or properties.path == "/"', add: {warm: 5}, once: true}
  spent: {each: buy, add: {value: properties.total, warm: properties.revenue, brief: properties.total}}
  lost: {each: back, where: properties.total > 1e3, add: {value: -1, warm: -99}}
facts:
  orders: {count: buy, minus: back}
  sum: {sum: properties.total, each: [buy, visit], minus: back}
  lately: {count: [visit, buy], within: 2d, keep: 3}
  first: {first: visit}
  last: {last: buy}
  country: {latest: properties.country}
  total: {latest: properties.total, each: buy}
  plan: {latest: context.traits.plan, where: 'event.name in ["identify", "page"]'}
stages: {new: {}, warm: {actions: [hello]}, buyer: {channels: [email]}, cold: {}, odd: {}}
transitions:
  - {from: new, to: warm, when: warm >= 3 or lately >= 3}
  - {from: [new, warm], to: buyer, when: orders >= 1 and value > 0}
  - {from: "*", to: odd, when: 'country in ["DE", "FR"] and in_stage < 10m or properties.tags == "a"'}
  - {from: [warm, buyer], to: cold, when: warm < 1 and lately == 0}
  - {from: [cold, odd], to: new, when: in_stage >= 1m}
  - {from: odd, to: cold, when: not (since(last) < 30d) and idle >= 1d}
"""


@cache
def model() -> Model:
    """Two lifecycles side by side; anonymous subjects are forgotten after two days, customers after a century."""
    everything = parse(EVERYTHING, "everything.yaml").lifecycle
    return model_of([everything, load("metrics").lifecycle], 48 * HOUR, 876_000 * HOUR)
