"""A lifecycle that remembers everything that one can, and customers who went through it."""

from collections.abc import Sequence

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.customer import Customer
from stream.core.inputs import Arrival
from stream.core.interaction import Interaction
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.kit.times import DAY, HOUR, T0

RICH = """
lifecycle: rich
time_zone: Europe/Paris
interactions: {buy: [Order Completed], back: [Order Refunded], change: [Order Updated]}
ledgers:
  bought: {each: buy, by: properties.order_id, amount: properties.total, update: change, minus: back,
           returned: properties.total, return: properties.refund_id, keep: 5}
  counted: {each: visit, keep: 3}
scores:
  heat: {}
  fit: {}
  karma: {floor: -5}
  warm: {half_life: 7d}
signals:
  back: {each: visit, add: {heat: 5, warm: 1}, at_most: {times: 2, within: 1h}}
  active: {each: visit, add: {heat: 1}, at_most: {times: 1, per: day}}
  asked: {each: form, add: {heat: 20}, once: properties.form_id}
  clicked: {each: click, add: {heat: 2, fit: properties.fit}, expires: 180d, keep: 4}
  title: {each: profile, latest: lower(properties.title), points: {manager: 3, director: 5}, to: fit}
  bad: {each: complaint, add: {karma: -3}}
  recycled: {each: recycled, reset: [heat, warm]}
facts:
  orders: {count: bought}
  revenue: {sum: bought}
  year: {sum: bought, within: 365d}
  minutes: {sum: properties.minutes, each: watched, within: 30d, keep: 6}
  trial_end: {latest_time: properties.trial_ends_at}
bands:
  grade: {fit: {A: 4, B: }, heat: {1: 20, 2: }}
stages: {new: {}, hot: {}, cold: {}}
transitions:
  - {from: new, to: hot, when: heat >= 20 and year >= 10, hold: 1h}
  - {from: hot, to: cold, when: heat < 5, at_most_every: 30d}
  - {from: cold, to: new, when: grade == "A1", hold: 2h, at_most_every: 1d}
"""

WITH_FIGURES = (
    RICH
    + """
figures:
  visitors: {each: visit, at_most: {times: 1, per: day}}
  weekly: {each: visit, at_most: {times: 2, per: week}}
  buyers: {each: buy, once: true, add: properties.total}
  orders: {each: buy, ledger: bought}
  revenue: {each: buy, ledger: bought, add: properties.total, minus: back}
"""
)
"""The same with figures that remember."""

Happened = tuple[int, str, dict[str, object]]

HISTORY: Sequence[Happened] = [
    (T0, "visit", {"trial_ends_at": "2024-02-20T10:00"}),
    (T0 + 1, "form", {"form_id": "a"}),
    (T0 + 2, "form", {"form_id": 7}),
    (T0 + HOUR, "Order Completed", {"order_id": "o-1", "total": 50}),
    (T0 + HOUR, "Order Completed", {"order_id": "o-2", "total": "19.90"}),
    (T0 + 2 * HOUR, "Order Updated", {"order_id": "o-2", "total": 25}),
    (T0 + 3 * HOUR, "Order Completed", {"order_id": "o-2", "total": 19.9}),
    (T0 - DAY, "Order Completed", {"order_id": "o-2"}),
    (T0 + 4 * HOUR, "Order Refunded", {"order_id": "o-1", "total": 15, "refund_id": "r-1"}),
    (T0 + 4 * HOUR, "Order Refunded", {"order_id": "o-3"}),
    (T0 + 4 * HOUR, "Order Completed", {"total": 5}),
    (T0 + 5 * HOUR, "click", {"fit": 1.5}),
    (T0 + DAY, "click", {}),
    (T0 + DAY, "profile", {"title": "Director"}),
    (T0 + DAY, "watched", {"minutes": 42.5}),
    (T0 + 2 * DAY, "watched", {"minutes": 1}),
    (T0 + 2 * DAY, "complaint", {}),
    (T0 + 2 * DAY, "complaint", {}),
    (T0 + 3 * DAY, "recycled", {}),
    (T0 + 3 * DAY, "visit", {"trial_ends_at": None}),
    (T0 + 4 * DAY, "visit", {}),
]


def lifecycle(text: str = RICH) -> Lifecycle:
    """The lifecycle of a text."""
    return parse(text, "rich.yaml").lifecycle


def walked(history: Sequence[Happened] = HISTORY, of: Lifecycle | None = None, name: str = "c-1") -> Customer:
    """A customer after a history."""
    model, customer = model_of([of or lifecycle()]), None
    for number, (time, event, properties) in enumerate(history):
        interaction = Interaction(name, None, f"i-{number}", event, time, properties, {})
        customer, _changes = step(model, customer, Arrival(interaction, 3, 1_000 + number), StepCounts())
    assert customer is not None
    return customer
