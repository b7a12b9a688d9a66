"""The simulated shop, read with pandas, with what shops' senders do besides: reloads, and returns of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.figures.ledgers import Ledger
from tests.figures.reckoning import Figure, column

HOUR = 3_600_000
DAY = 24 * HOUR
WORDS = {
    "page": "visit",
    "Product Viewed": "look",
    "Order Completed": "purchase",
    "Order Updated": "change",
    "Order Refunded": "refund",
    "Promotion Clicked": "click",
}
LIFECYCLE = """\
lifecycle: shop
time_zone: {zone}
interactions:
  visit: [page]
  look: [Product Viewed]
  purchase: [Order Completed]
  change: [Order Updated]
  refund: [Order Refunded]
  click: [Promotion Clicked]
ledgers:
  bought:
    each: purchase
    by: properties.order_id
    amount: properties.total
    update: change
    minus: refund
    returned: properties.returned
    return: properties.refund_id
    keep: 256
facts:
  country: {{latest: properties.country}}
  device: {{latest: context.device.type}}
  orders: {{count: bought}}
figures:
  visits: {{each: visit}}
  visitors: {{each: visit, at_most: {{times: 1, per: day}}}}
  visitors_a_week: {{each: visit, at_most: {{times: 1, per: week}}}}
  visitors_a_month: {{each: visit, at_most: {{times: 1, per: month}}}}
  three_looks: {{each: [visit, look], at_most: {{times: 3, per: week}}}}
  came: {{each: visit, once: true}}
  first_price: {{each: look, once: true, add: properties.price}}
  prices: {{each: look, add: properties.price}}
  dear: {{each: look, where: properties.price >= 100 and properties.category != "plants"}}
  lines: {{each: purchase, over: properties.products}}
  plants:
    each: purchase
    over: properties.products
    where: item.category == "plants"
    add: item.price * item.quantity
  cost: {{each: click, add: properties.cost}}
  tenth: {{each: [purchase, click], add: -properties.total * 0.1}}
  sent_less_sent_back: {{each: purchase, minus: refund}}
  paid_less_paid_back: {{each: purchase, minus: refund, add: properties.total}}
  orders: {{each: purchase, ledger: bought}}
  orders_left: {{each: purchase, ledger: bought, minus: refund}}
  orders_left_on_order: {{each: purchase, ledger: bought, minus: refund, minus_on: order}}
  gross: {{each: purchase, ledger: bought, add: properties.total}}
  revenue: {{each: purchase, ledger: bought, add: properties.total, minus: refund}}
  revenue_on_order: {{each: purchase, ledger: bought, add: properties.total, minus: refund, minus_on: order}}
  profit: {{each: purchase, ledger: bought, add: properties.profit}}
  big_orders: {{each: purchase, ledger: bought, where: properties.total >= 100}}
  buyers_a_month: {{each: purchase, ledger: bought, at_most: {{times: 1, per: month}}}}
  by: [country, device]
stages: {{visitor: {{}}, customer: {{}}, dormant: {{}}}}
transitions:
  - {{from: [visitor, dormant], to: customer, when: event.type == "purchase"}}
  - {{from: [visitor, customer], to: dormant, when: idle >= 30d}}
  - {{from: dormant, to: visitor, when: idle < 30d}}
"""
BOUGHT = Ledger(
    each=["purchase"],
    by="properties.order_id",
    amount="properties.total",
    update=["change"],
    minus=["refund"],
    returned="properties.returned",
    return_id="properties.refund_id",
)
FIGURES = {
    "visits": Figure(["visit"]),
    "visitors": Figure(["visit"], at_most=(1, "day")),
    "visitors_a_week": Figure(["visit"], at_most=(1, "week")),
    "visitors_a_month": Figure(["visit"], at_most=(1, "month")),
    "three_looks": Figure(["visit", "look"], at_most=(3, "week")),
    "came": Figure(["visit"], once=True),
    "first_price": Figure(["look"], once=True, add=column("properties.price")),
    "prices": Figure(["look"], add=column("properties.price")),
    "dear": Figure(
        ["look"],
        where=lambda frame: (frame["properties.price"] >= 100) & (frame["properties.category"] != "plants"),
    ),
    "lines": Figure(["purchase"], over="properties.products"),
    "plants": Figure(
        ["purchase"],
        over="properties.products",
        where=lambda frame: frame["item.category"] == "plants",
        add=lambda frame: frame["item.price"] * frame["item.quantity"],
    ),
    "cost": Figure(["click"], add=column("properties.cost")),
    "tenth": Figure(["purchase", "click"], add=lambda frame: -frame["properties.total"] * 0.1),
    "sent_less_sent_back": Figure(["purchase"], minus=["refund"]),
    "paid_less_paid_back": Figure(["purchase"], minus=["refund"], add=column("properties.total")),
    "orders": Figure(["purchase"], ledger=BOUGHT),
    "orders_left": Figure(["purchase"], ledger=BOUGHT, minus=["refund"]),
    "orders_left_on_order": Figure(["purchase"], ledger=BOUGHT, minus=["refund"], minus_on="order"),
    "gross": Figure(["purchase"], ledger=BOUGHT, add=column("properties.total")),
    "revenue": Figure(["purchase"], ledger=BOUGHT, add=column("properties.total"), minus=["refund"]),
    "revenue_on_order": Figure(
        ["purchase"], ledger=BOUGHT, add=column("properties.total"), minus=["refund"], minus_on="order"
    ),
    "profit": Figure(["purchase"], ledger=BOUGHT, counts_interactions=True, add=column("properties.profit")),
    "big_orders": Figure(
        ["purchase"], ledger=BOUGHT, counts_interactions=True, where=lambda frame: frame["properties.total"] >= 100
    ),
    "buyers_a_month": Figure(["purchase"], ledger=BOUGHT, counts_interactions=True, at_most=(1, "month")),
}
DEPEND_ON_ARRIVAL = {"three_looks", "profit", "big_orders", "buyers_a_month"} | {
    name for name, figure in FIGURES.items() if figure.ledger and figure.minus
}
"""As docs/figures.md says: of which one of several counts, of a ledger's interactions, and of too large returns."""


def saved_shop(file: Path) -> pd.DataFrame:
    """Read what `lifecycle demo --save` wrote."""
    told = pd.read_json(file, lines=True, dtype=False)
    told["who"] = told["customer_id"].where(
        told["customer_id"].notna(), "anonymous " + told["anonymous_id"].astype(str)
    )
    told["number"] = told["who"].str.extract(r"(\d+)", expand=False).astype("int64")
    told["country"] = (told["number"] // 8 % 4).map(dict(enumerate(["DE", "FR", "AT", None])))
    return told


def shop(saved: pd.DataFrame, seed: int) -> pd.DataFrame:
    """An eighth of its people, with reloads and returns of chance; in the order of time."""
    told = saved[saved["number"] % 8 == seed % 8]
    told = pd.concat([told, *_twists(told, np.random.default_rng(seed))], ignore_index=True)
    told = told.sort_values("time", kind="stable", ignore_index=True)
    # Of one customer no two times are the same.
    told["time"] += told.groupby("who").cumcount() % 30_000
    return frame_of(told)


def shuffled(frame: pd.DataFrame, seed: int, by: int = 3 * DAY) -> pd.DataFrame:
    """The same, each arriving late by chance."""
    late = np.random.default_rng(seed).integers(0, by, len(frame))
    return frame.iloc[np.argsort(frame["time"].to_numpy() + late, kind="stable")].reset_index(drop=True)


def frame_of(told: pd.DataFrame) -> pd.DataFrame:
    """The columns that figures name, and the line of JSON that says the same."""
    properties = told["properties"].tolist()
    wanted = ["order_id", "total", "returned", "refund_id", "price", "category", "products", "cost", "profit"]
    frame = pd.DataFrame({f"properties.{name}": [each.get(name) for each in properties] for name in wanted})
    frame["who"], frame["time"], frame["country"] = told["who"], told["time"].astype("int64"), told["country"]
    frame["type"] = told["type"].replace(WORDS)
    frame["device"] = told["context"].map(lambda context: context.get("device", {}).get("type"))
    frame["anonymous"] = told["customer_id"].isna()
    names = ["id", "type", "time", "customer_id", "anonymous_id", "properties", "context", "country"]
    frame["line"] = [line_of(each) for each in told[names].to_dict("records")]
    return frame


def line_of(told: dict) -> dict[str, object]:
    """The interaction as it is sent; whoever has a customer id is that customer."""
    subject = "anonymous_id" if pd.isna(told["customer_id"]) else "customer_id"
    country = {} if pd.isna(told["country"]) else {"country": told["country"]}
    kept = {name: told[name] for name in ("id", "type", "time", subject, "context")}
    return {**kept, "properties": {**told["properties"], **country}}


def _twists(told: pd.DataFrame, chance: np.random.Generator) -> list[pd.DataFrame]:
    orders = told[told["type"] == "Order Completed"]
    found = [_told(told, "Order Completed", reload, orders.sample(frac=0.1, random_state=chance)) for reload in RELOADS]
    found += [
        _told(told, "Order Refunded", twist, orders.sample(frac=0.04, random_state=chance), name)
        for name, twist in RETURNS.items()
    ]
    found.append(
        _told(told, "Order Updated", lambda order: ({"total": order["total"] * 2}, 5 * HOUR), orders.head(300))
    )
    return found


RELOADS = [
    lambda order: ({}, 60_000),
    lambda order: ({}, 2 * DAY),
    lambda order: ({"total": order["total"] + 1}, 30 * HOUR),
    lambda order: ({}, -HOUR),
    lambda order: ({"order_id": None}, 7 * HOUR),
]
"""What another sending of an order says otherwise, and how much later it is."""
RETURNS = {
    "part": lambda order: ({"returned": 5, "refund_id": "part"}, DAY),
    "part again": lambda order: ({"returned": 5, "refund_id": "part"}, DAY + HOUR),
    "second part": lambda order: ({"returned": round(order["total"] / 3, 2), "refund_id": "second"}, 3 * DAY),
    "with a sign": lambda order: ({"returned": -7.5, "refund_id": "sign"}, 4 * DAY),
    "everything": lambda order: ({}, 5 * DAY),
    "too much": lambda order: ({"returned": order["total"] * 1.5, "refund_id": "much"}, 6 * HOUR),
    "before": lambda order: ({"returned": round(order["total"] / 4, 2), "refund_id": "before"}, -3 * HOUR),
    "of no order": lambda order: ({"returned": 3, "order_id": "never " + order["order_id"]}, DAY),
    "without id": lambda order: ({"returned": 2, "order_id": None}, DAY),
}


def _told(told: pd.DataFrame, event: str, twist: object, orders: pd.DataFrame, name: str = "") -> pd.DataFrame:
    """Further interactions of these orders' customers."""
    assert callable(twist)
    found = orders.copy()
    changes = [twist(properties) for properties in orders["properties"]]
    kept = ("order_id", "total", "profit", "products") if event == "Order Completed" else ("order_id",)
    found["properties"] = [
        {name: value for name, value in ({key: was[key] for key in kept} | change).items() if value is not None}
        for was, (change, _) in zip(orders["properties"], changes, strict=True)
    ]
    found["time"] += [later for _, later in changes]
    found["type"] = event
    found["id"] = [
        f"{event} {name} {len(told)} {change} {id_}" for id_, change in zip(orders["id"], changes, strict=True)
    ]
    return found
