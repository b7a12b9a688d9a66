"""CDNOW and Complete Journey, read with pandas alone: as frames for the reckoning, and as lines of JSON."""

from __future__ import annotations

import pandas as pd

from tests.figures.ledgers import Ledger
from tests.figures.reckoning import Figure, column
from tests.kit.real_data import real_data

CDNOW = """\
lifecycle: cdnow
time_zone: {zone}
interactions: {{purchase: [Order Completed]}}
facts:
  cohort: {{latest: properties.cohort}}
  quantity: {{latest: properties.quantity}}
figures:
  orders: {{each: purchase}}
  revenue: {{each: purchase, add: properties.total}}
  discs: {{each: purchase, add: properties.quantity}}
  buyers: {{each: purchase, at_most: {{times: 1, per: day}}}}
  buyers_a_week: {{each: purchase, at_most: {{times: 1, per: week}}}}
  buyers_a_month: {{each: purchase, at_most: {{times: 1, per: month}}}}
  first_orders: {{each: purchase, once: true}}
  first_revenue: {{each: purchase, once: true, add: properties.total}}
  large: {{each: purchase, where: properties.total >= 50, add: properties.total}}
  by: [cohort, quantity]
stages: {{customer: {{}}, dormant: {{}}}}
transitions:
  - {{from: customer, to: dormant, when: idle >= 90d}}
  - {{from: dormant, to: customer, when: idle < 90d}}
"""
OF_CDNOW = {
    "orders": Figure(["purchase"]),
    "revenue": Figure(["purchase"], add=column("total")),
    "discs": Figure(["purchase"], add=column("quantity")),
    "buyers": Figure(["purchase"], at_most=(1, "day")),
    "buyers_a_week": Figure(["purchase"], at_most=(1, "week")),
    "buyers_a_month": Figure(["purchase"], at_most=(1, "month")),
    "first_orders": Figure(["purchase"], once=True),
    "first_revenue": Figure(["purchase"], once=True, add=column("total")),
    "large": Figure(["purchase"], add=column("total"), where=lambda frame: frame["total"] >= 50),
}
JOURNEY = """\
lifecycle: journey
time_zone: {zone}
ledgers:
  bought: {{each: basket, by: properties.order_id, amount: properties.total}}
facts:
  store: {{latest: properties.store}}
figures:
  baskets: {{each: basket, ledger: bought}}
  revenue: {{each: basket, ledger: bought, add: properties.total}}
  shoppers: {{each: basket, at_most: {{times: 1, per: day}}}}
  shoppers_a_week: {{each: basket, at_most: {{times: 1, per: week}}}}
  lines: {{each: basket, over: properties.lines}}
  of_lines: {{each: basket, over: properties.lines, add: item.sales}}
  with_coupon: {{each: basket, over: properties.lines, where: item.coupon > 0, add: -item.coupon}}
  by: [store]
stages: {{shopper: {{}}}}
"""
BOUGHT = Ledger(each=["basket"], by="order_id", amount="total")
OF_JOURNEY = {
    "baskets": Figure(["basket"], ledger=BOUGHT),
    "revenue": Figure(["basket"], ledger=BOUGHT, add=column("total")),
    "shoppers": Figure(["basket"], at_most=(1, "day")),
    "shoppers_a_week": Figure(["basket"], at_most=(1, "week")),
    "lines": Figure(["basket"], over="lines"),
    "of_lines": Figure(["basket"], over="lines", add=column("item.sales")),
    "with_coupon": Figure(
        ["basket"],
        over="lines",
        where=lambda frame: frame["item.coupon"] > 0,
        add=lambda frame: -frame["item.coupon"],
    ),
}


def cdnow() -> pd.DataFrame:
    """The 69,659 purchases by time; the file knows the day only, and each gets a second of it."""
    table = pd.read_csv(real_data("cdnow/CDNOW_master.txt"), sep=r"\s+", dtype={"customer_id": str, "date": str})
    days = pd.to_datetime(table["date"], format="%Y%m%d", utc=True)
    seconds = pd.to_timedelta(table.index.to_series() * 7_919 % 86_400, unit="s")
    frame = pd.DataFrame(
        {
            "who": table["customer_id"],
            "type": "purchase",
            "time": ((days + seconds) - pd.Timestamp(0, tz="UTC")) // pd.Timedelta("1ms"),
            "total": table["dollar_value"],
            "quantity": table["number_of_cds"],
        }
    ).sort_values("time", kind="stable", ignore_index=True)
    first = pd.to_datetime(frame.groupby("who")["time"].transform("min"), unit="ms")
    frame["cohort"] = first.dt.strftime("%Y-%m")
    return with_lines(frame, "Order Completed", ["total", "quantity", "cohort"])


def complete_journey() -> pd.DataFrame:
    """A year of 155,848 baskets by time, summed in cents; those of every tenth household with their lines."""
    table = pd.read_parquet(real_data("complete_journey/transactions.parquet"))
    table["cents"] = (table["sales_value"] * 100).round().astype("int64")
    grouped = table.groupby("basket_id", sort=False)
    frame = grouped.agg(
        who=("household_id", "first"), store=("store_id", "first"), at=("transaction_timestamp", "first")
    ).reset_index()
    frame["total"] = grouped["cents"].sum().to_numpy() / 100
    frame["order_id"] = frame["basket_id"].astype(str)
    frame["time"] = (frame["at"] - pd.Timestamp(0)) // pd.Timedelta("1ms")
    some = table[table["household_id"] % 10 == 0]
    items = pd.Series(
        some[["sales_value", "coupon_disc"]].set_axis(["sales", "coupon"], axis=1).to_dict("records"), some.index
    )
    frame["lines"] = frame["basket_id"].map(items.groupby(some["basket_id"]).agg(list))
    frame = frame.assign(type="basket", who=frame["who"].astype(str))
    frame = frame.sort_values("time", kind="stable", ignore_index=True)
    return with_lines(frame, "basket", ["total", "store", "order_id", "lines"])


def with_lines(frame: pd.DataFrame, name: str, properties: list[str]) -> pd.DataFrame:
    """The frame with the line of JSON of each row: only what is there."""
    said = frame[properties].to_dict("records")
    frame["line"] = [
        {
            "id": str(number),
            "type": name,
            "customer_id": who,
            "time": time,
            "properties": {key: value for key, value in one.items() if isinstance(value, list) or not pd.isna(value)},
        }
        for number, (who, time, one) in enumerate(zip(frame["who"], frame["time"].tolist(), said, strict=True))
    ]
    return frame
